"""The software agent beside the running hub: started, watched, and what follows for the home."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from der.errors import DeviceError
from der.sentence import say
from hems.agent.place import SECRET, SecretError, shared_secret, socket_of
from hems.agent.surface import AgentView, InventoryView, PartView
from hems.clock import Clock
from hems.commands.reign import ended
from hems.device_surface import UnknownDeviceError
from hems.home import Home
from hems.on_demand import load, on_demand
from hems.security_event import EventKind, Note, SecurityEvent
from hems.settings.agent_section import Start
from hems.settings.config import Config
from hems.settings.toml_file import ConfigError
from hems.store.store import Store
from hems.succession import Succession
from hems.surface import SurfaceError

if TYPE_CHECKING:
    from hems.agent import inventory, process, watch
else:  # a hub without an agent does without their memory
    inventory, process, watch = (
        on_demand(f"hems.agent.{name}") for name in ("inventory", "process", "watch")
    )


class Reliance:
    """Whether the hub can be relied on, for each home that follows another; see `web.agent_api`.

    Args:
        config: The hub's settings, as it started.
    """

    def __init__(self, config: Config) -> None:
        self._required = config.agent.required
        self._config = config
        self._reason: str | None = None
        self._succession: Succession | None = None
        self._watch: watch.AgentWatch | None = None

    def applied(self, home: Home) -> Home:
        """Return a home once it knows whether its hub can be relied on."""
        if self._required:
            home.exclude(self._reason)
        else:
            home.alarms.lasting("reliance", self._reason)
        return home

    @asynccontextmanager
    async def watched(
        self, path: Path, succession: Succession, store: Store, clock: Clock, note: Note
    ) -> AsyncIterator[None]:
        """Have the agent watch meanwhile, where there is one.

        Args:
            path: The configuration file.
            succession: The present home.
            store: What the hub remembers.
            clock: Where the time comes from.
            note: Told what bears on security.

        Raises:
            ConfigError: The secret cannot be read.
        """
        self._succession = succession
        agent = self._config.agent
        if not agent.there:
            yield
            return
        try:
            secret = shared_secret(agent.secret) if agent.secret else os.urandom(SECRET)
        except SecretError as error:
            raise ConfigError(str(error)) from error
        await load(watch)
        child = None if agent.start is Start.SERVICE else process.AgentProcess(path, secret, note)

        def heard(event: SecurityEvent) -> None:
            note(event)
            if child is not None and event.kind is EventKind.AGENT_SILENT:
                child.renew()  # one that hangs is of no use

        self._watch = watch.AgentWatch(
            store.settings,
            clock,
            heard,
            self._changed,
            socket=socket_of(self._config.store.path),
            secret=secret,
            boot=agent.boot,
            required=agent.required,
        )
        tasks = [asyncio.create_task(self._watch.run(), name="agent watch")]
        if child is not None:
            tasks.append(asyncio.create_task(child.run(), name="agent"))
        try:
            yield
        finally:
            await ended(*tasks)

    def _changed(self, reason: str | None) -> None:
        self._reason = reason
        if self._succession is not None:
            self.applied(self._succession.home)

    # What the page may see and ask (`web.agent_api.AgentHub`).

    def agent(self) -> AgentView:
        """Return how the agent stands; of a home without one, that it has none."""
        return AgentView() if self._watch is None else self._watch.agent()

    def measure(self) -> None:
        """Have it measure everything anew."""
        self._there().measure()

    async def accept_boot(self) -> None:
        """Take how the machine has started now for how it is to start."""
        await self._there().accept_boot()

    def _there(self) -> "watch.AgentWatch":
        if self._watch is None:
            raise SurfaceError(say("This hub has no software agent."))
        return self._watch

    async def inventory(self) -> InventoryView:
        """Return what the hub consists of; its devices are asked, all at once."""
        home = self._succession
        ids = [] if home is None else [each.id for each in home.snapshot().devices]
        parts = await asyncio.gather(*map(self._part, ids))
        return await asyncio.to_thread(
            inventory.inventory,
            features(self._config),
            [part for part in parts if part is not None],
        )

    async def _part(self, device: str) -> PartView | None:
        if self._succession is None:
            return None
        try:
            found = await self._succession.device(device)
        except (UnknownDeviceError, DeviceError):  # it has left since, or is away
            return None
        return PartView(
            found.id, found.name, found.manufacturer, found.model, found.serial, found.firmware
        )


def features(config: Config) -> tuple[str, ...]:
    """Return what is on by a configuration, by its sections' names."""
    on = {
        "https": not config.web.for_this_machine and config.web.https,
        "home-assistant": config.mqtt.home_assistant,
        "planner": config.planner.enabled,
        "reserve": config.reserve.enabled,
        "regulation": config.regulation.consent,
        "utility": bool(config.utility),
        "agent": config.agent.there,
        f"keys-{config.keys.store}": True,
    }
    return tuple(sorted(name for name, there in on.items() if there))
