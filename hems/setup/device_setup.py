"""Finding, adding, changing and removing devices of the running home, for its page."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from der.discovery.scan import Progress, Report
from der.sentence import say
from hems import wiring
from hems.access.rights import Who
from hems.clock import Clock
from hems.device_surface import CallerView, UnknownDeviceError
from hems.settings.config import Config, load
from hems.settings.devices_file import DevicesFileError, Table
from hems.settings.toml_file import ConfigError
from hems.setup.admission import ASKED_S, Admission, Stays, nobody
from hems.setup.device_edit import NEVER, Edit, EditError, choices, edited
from hems.setup.device_file import KeptDevices, WrittenByHandError, find, kept
from hems.setup.found_surface import (
    BusyError,
    Joining,
    JoinView,
    RefusedError,
    SearchView,
    SettingsView,
)
from hems.setup.joining import RunningHome
from hems.setup.kept_scan import Row, keep
from hems.setup.scan import Search, look
from hems.setup.searching import Searching
from hems.setup.words import said

T = TypeVar("T")
Callers = Callable[[], Sequence[CallerView] | None]


class DeviceSetup:
    """Implements `hems.setup.found_surface.FoundSurface`.

    Args:
        path: The configuration file.
        home: The running home.
        callers: Returns the chargers that have called it; None where nobody listens.
        clock: Where the time comes from.
        asked_s: How long an owner is asked whether a device shall stay, in s.
        stays: Told the id of a device that its owner has tried out and keeps.
    """

    def __init__(
        self,
        path: Path,
        home: RunningHome,
        callers: Callers,
        clock: Clock,
        *,
        asked_s: float = ASKED_S,
        stays: Stays = nobody,
    ) -> None:
        self._path = path
        self._callers = callers
        self._kept = KeptDevices(path)
        self._admission = Admission(path, home, asked_s, stays)
        self._searching = Searching(self._look, self._keep, clock)

    def search(self) -> SearchView:
        """Return how the last search stands."""
        return self._searching.view

    def start(self, search: Search) -> SearchView:
        """Start a search in the background."""
        return self._searching.start(search)

    async def stop(self) -> None:
        """End the search that is under way."""
        await self._searching.stop()

    def joining(self) -> JoinView:
        """Return how the last adding of a device stands."""
        return self._admission.view

    def join(self, joining: Joining) -> JoinView:
        """Have a device join, in the background."""
        return self._admission.join(joining)

    async def confirm(self, who: Who) -> JoinView:
        """Keep the device that is asked about, on somebody's word."""
        return await self._admission.confirm(who)

    async def drop(self) -> JoinView:
        """Give up the device that is to join."""
        return await self._admission.drop()

    async def close(self) -> None:
        """End what is under way; a device that is not agreed to is taken out again."""
        await self._searching.stop()
        await self._admission.drop()

    async def settings(self, device: str) -> SettingsView:
        """Return what stands of a device in the home's files."""
        return await self._asked(device, lambda: self._settings(device))

    async def edit(self, device: str, edit: Edit) -> None:
        """Change it there."""

        def change(table: Table, config: Config) -> Table:
            return edited(table, find(config, device), edit, wiring.breaker_w(config))

        await self._asked(device, lambda: self._kept.change(device, change))

    async def remove(self, device: str) -> None:
        """Take it out."""
        joining = self._admission.view
        if joining.device == device and not joining.state.over:
            await self._admission.drop()
            return
        await self._asked(device, lambda: self._kept.take_out(device))

    async def _asked(self, device: str, ask: Callable[[], T]) -> T:
        """Do something with the home's files beside the event loop; errors as the surface says."""
        try:
            config = await asyncio.to_thread(load, self._path)
            if device not in {section.id for section in config.device}:
                raise UnknownDeviceError(say("There is no device {device}.", device=repr(device)))
            return await asyncio.to_thread(ask)
        except DevicesFileError as error:
            raise BusyError(said(error)) from error
        except WrittenByHandError as error:
            raise RefusedError(
                say(
                    "{device} stands in {file}, which people write: change it there.",
                    device=device,
                    file=self._path.name,
                )
            ) from error
        except (ConfigError, EditError) as error:
            raise RefusedError(said(error)) from error

    def _settings(self, device: str) -> SettingsView:
        config = load(self._path)
        section = find(config, device)
        ours = device in {table["id"] for table in kept(config)}
        return SettingsView(
            device,
            (config.home.devices if ours else self._path).name,
            editable=ours,
            name=section.name,
            essentiality=NEVER if section.keep else section.essentiality,
            min_w=section.min,
            max_w=section.max,
            comfort_low_c=section.comfort_low,
            comfort_high_c=section.comfort_high,
            most_w=wiring.breaker_w(config),
            choices=choices(section),
        )

    async def _look(self, search: Search, progress: Callable[[Progress], None]) -> Report:
        config = await asyncio.to_thread(load, self._path)
        return await look(config, search, running=True, calls=self._callers(), progress=progress)

    def _keep(self, rows: Sequence[Row]) -> None:
        keep(rows, load(self._path).home.devices)
