"""Which devices of one home are trusted: the list, who judges, and the firewall that follows."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from der.commands import DeviceOptions
from der.description import CalledIn
from der.registry import Registry
from der.sentence import say
from hems.alarms import Alarms
from hems.clock import Clock
from hems.emg.threats.answers import shuts
from hems.emg.threats.barrier import Barrier
from hems.emg.threats.rules.finding import Finding
from hems.emg.trust.standing import Cause, TrustError
from hems.emg.trust.trust import Trust, TrustEvents
from hems.security.fencing import Fencing
from hems.security.judging import Judging
from hems.security.oddities import noting
from hems.security_event import Note
from hems.settings.config import Config
from hems.store.store import Store

_log = logging.getLogger(__name__)


class Trusting:
    """Puts these together; the home's devices are looked at from now on.

    Args:
        config: The home's.
        registry: Its devices.
        store: Where the list is kept.
        clock: Where the time comes from.
        alarms: Where is said what is wrong.
        note: Told what bears on security.
        barrier: Who is kept out for a while.
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
        barrier: Barrier,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        changed: Callable[[], None],
    ) -> None:
        self._changed = changed
        self._spawn = spawn
        doors = [each for each in registry.services.values() if isinstance(each, CalledIn)]
        for door in doors:
            door.keep_out_by(lambda address: barrier.wait_s(address, clock.monotonic()) > 0)
        noting(registry, note)
        self.trust = Trust(
            store.settings,
            registry.devices,
            clock,
            TrustEvents(alarms.lasting, spawn, self._on_change, note),
            doors=doors,
        )
        self._fencing = Fencing(
            config,
            self.trust,
            lambda text: alarms.lasting("firewall", text),
            barred=lambda: barrier.barred(clock.monotonic()),
            spared=lambda: barrier.spared,
        )
        barrier.changed = self._fencing.changed
        specs = [device.spec for device in registry.devices.values()]
        self._specs = {spec.id: spec for spec in specs}
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

    def answer(self, finding: Finding) -> str:
        """Shut the device that a finding is about, where the rules say so.

        Returns:
            What is done, in one sentence; empty for nothing.
        """
        kinds = {name: spec.kind for name, spec in self._specs.items()}
        standings = self.trust.standings
        already = [name for name, view in standings.items() if Cause.THREAT in view.doubts]
        why = shuts(finding, kinds, already)
        if why is None:
            return ""
        self._spawn(self._shut(finding.about, why))
        return say(
            "{name} was given back to its own control, and is told nothing more until somebody of "
            "the home allows it.",
            name=self._specs[finding.about].name,
        )

    async def _shut(self, device: str, why: str) -> None:
        try:
            await self.trust.quarantine(device, Cause.THREAT, why)
        except TrustError as error:  # it has just left the home
            _log.info("%s: %s", device, error)

    def _on_change(self) -> None:
        self._fencing.changed()
        self._changed()
