"""Which devices of one home are trusted: the list, who judges, and the firewall that follows."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from der.commands import DeviceOptions
from der.description import CalledIn
from der.registry import Registry
from hems.alarms import Alarms
from hems.clock import Clock
from hems.emg.trust.trust import Trust, TrustEvents
from hems.security.fencing import Fencing
from hems.security.judging import Judging
from hems.security_event import Note
from hems.settings.config import Config
from hems.store.store import Store


class Trusting:
    """Puts these together; the home's devices are looked at from now on.

    Args:
        config: The home's.
        registry: Its devices.
        store: Where the list is kept.
        clock: Where the time comes from.
        alarms: Where is said what is wrong.
        note: Told what bears on security.
        spawn: Runs something beside the control cycle.
        changed: Told when devices stand otherwise than before; must not block.

    Attributes:
        trust: The list.
        judging: The list as people ask it.
    """

    def __init__(
        self,
        config: Config,
        registry: Registry,
        store: Store,
        clock: Clock,
        alarms: Alarms,
        *,
        note: Note,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        changed: Callable[[], None],
    ) -> None:
        self._changed = changed
        self.trust = Trust(
            store.settings,
            registry.devices,
            clock,
            TrustEvents(alarms.lasting, spawn, self._on_change, note),
            doors=[each for each in registry.services.values() if isinstance(each, CalledIn)],
        )
        self._fencing = Fencing(config, self.trust, lambda text: alarms.lasting("firewall", text))
        specs = [device.spec for device in registry.devices.values()]
        self.judging = Judging(self.trust, specs, lambda: self._fencing.walled)

    async def load(self) -> None:
        """Take up the list, before anything is opened or calls in."""
        await self.trust.load()

    async def run(self) -> None:
        """Keep the firewall as the list has it, until cancelled."""
        await self._fencing.run()

    def believed(self, options: Mapping[str, DeviceOptions]) -> Mapping[str, DeviceOptions]:
        """Return what devices say that they can do, without those that are not trusted."""
        barred = {name for name, view in self.trust.standings.items() if view.why}
        return {name: said for name, said in options.items() if name not in barred}

    def _on_change(self) -> None:
        self._fencing.changed()
        self._changed()
