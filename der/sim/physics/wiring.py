"""Which part of the home is on which phase, and what flows on each of them.

The physics knows one connection; where it has three phases, each part's flow is spread evenly
over the phases that it is connected to, and the base load over all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from der.sim.physics.house import Flow, Snapshot
from der.sim.sunspec.meters import share

PARTS: Mapping[str, Callable[[Snapshot], Flow]] = {
    "base": lambda home: home.base,
    "pv": lambda home: home.pv,
    "battery": lambda home: home.battery,
    "ev": lambda home: home.ev,
    "water_heater": lambda home: home.water_heater,
    "heat_pump": lambda home: home.heat_pump,
}


@dataclass(frozen=True, slots=True)
class Wiring:
    """The home's phases.

    Attributes:
        phases: All of them: "A" or "ABC".
        parts: Phases of each part; one that is not named is on all.
    """

    phases: str = "A"
    parts: Mapping[str, str] | None = None

    def of(self, part: str) -> str:
        """Return the phases of a part, those that the home has."""
        named = (self.parts or {}).get(part, self.phases)
        return "".join(phase for phase in named if phase in self.phases) or self.phases[0]

    def at_meter(self, home: Snapshot, phase: str) -> Flow:
        """Return what flows on a phase at the connection point.

        Energies are shares of the meter's own, as those of the parts do not net within a step.
        """
        if self.phases == phase:
            return home.meter
        on = [
            share(flow(home), 1 / len(on_phases))
            for part, flow in PARTS.items()
            if phase in (on_phases := self._in_use(part, home))
        ]
        third = share(home.meter, 1 / len(self.phases))
        return Flow(
            sum(flow.power_w for flow in on),
            third.import_wh,
            third.export_wh,
            sum(flow.reactive_var for flow in on),
        )

    def _in_use(self, part: str, home: Snapshot) -> str:
        """Return the phases that a part uses now; a charger may leave some of its own alone."""
        phases = self.of(part)
        return phases[: max(1, home.ev_phases)] if part == "ev" else phases
