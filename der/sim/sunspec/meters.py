"""Meters: SunSpec models 1 and one of 201 to 204 and 213. Import positive."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.physics.house import Flow, Snapshot
from der.sim.sunspec.registers import Key, Value
from der.sim.sunspec.unit import common, scales

METER_SCALES = {
    "A_SF": -2, "V_SF": -1, "Hz_SF": -2, "W_SF": 0, "VA_SF": 0, "VAR_SF": 0, "PF_SF": -1,
    "TotWh_SF": 0, "TotVAh_SF": 0, "TotVArh_SF": 0,
}  # fmt: skip
FLOAT_MODELS = frozenset({211, 212, 213, 214})
PHASES = "ABC"
ROOT_3 = math.sqrt(3)


@dataclass(frozen=True, slots=True)
class Fitting:
    """How a meter is built in.

    Attributes:
        model: Its SunSpec model, 201 to 204 or 213.
        order: Phases of the home that its inputs A, B and C are on; swapped ones read "BAC".
        inverted: Inputs whose current transformers are turned round.
    """

    model: int = 203
    order: str = "A"
    inverted: str = ""


class Meter:
    """A meter at some place in the home.

    Args:
        model: What it calls itself.
        serial: Its serial number.
        flow: What it measures, by phase of the home ("A", "B", "C").
        snapshot: The home, for voltage and frequency.
        fitting: How it is built in.
    """

    counts: Mapping[Key, int] = {}

    def __init__(
        self,
        model: str,
        serial: str,
        flow: Callable[[Snapshot, str], Flow],
        snapshot: Callable[[], Snapshot],
        fitting: Fitting,
    ) -> None:
        self.models = (1, fitting.model)
        self._model = model
        self._serial = serial
        self._flow = flow
        self._snapshot = snapshot
        self._fitting = fitting

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of its model; one of floats has none."""
        model = self._fitting.model
        return {} if model in FLOAT_MODELS else scales(model, METER_SCALES)

    def accept(self, values: Mapping[Key, float | None]) -> None:
        """Refuse: a meter has nothing to set."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{self._model}: read only: {[*values]}")

    def restart(self) -> None:
        """Do nothing: a meter is told nothing."""

    def values(self) -> dict[Key, Value]:
        """Return its points."""
        home = self._snapshot()
        flows = [self._input(home, place) for place in range(len(self._fitting.order))]
        # A meter of one phase shows its other inputs as dead, as three-phase housings do.
        phases = flows if len(flows) > 1 else [*flows, Flow(), Flow()]
        points = _total(flows, home)
        for name, flow in zip(PHASES, phases, strict=False):
            points[f"Aph{name}"] = home.amperes(abs(flow.power_w))
        for name, flow in zip(PHASES, flows, strict=False):
            points |= _phase(name, flow, home)
        if self._fitting.model == 204:  # noqa: PLR2004 - a delta meter must show these
            voltages = (("PPV", ""), *((f"PhVph{pair}", pair) for pair in ("AB", "BC", "CA")))
            points |= {name: home.voltage_v * ROOT_3 for name, _ in voltages}
        model = self._fitting.model
        shown: dict[Key, Value] = {(model, name): value for name, value in points.items()}
        return {**common(self._model, self._serial), **shown}

    def _input(self, home: Snapshot, place: int) -> Flow:
        flow = self._flow(home, self._fitting.order[place])
        if PHASES[place] not in self._fitting.inverted:
            return flow
        return Flow(-flow.power_w, flow.export_wh, flow.import_wh, -flow.reactive_var)


def _total(flows: Sequence[Flow], home: Snapshot) -> dict[str, float]:
    power_w = sum(flow.power_w for flow in flows)
    reactive_var = sum(flow.reactive_var for flow in flows)
    apparent_va = _apparent_va(power_w, reactive_var)
    return {
        "A": home.amperes(apparent_va),
        "PhV": home.voltage_v,
        "Hz": home.frequency_hz,
        "W": power_w,
        "VA": apparent_va,
        "VAR": reactive_var,
        "PF": 100.0 * abs(power_w) / apparent_va if apparent_va else 100.0,
        "TotWhImp": sum(flow.import_wh for flow in flows),
        "TotWhExp": sum(flow.export_wh for flow in flows),
        "Evt": 0,
    }


def _phase(name: str, flow: Flow, home: Snapshot) -> dict[str, float]:
    return {
        f"PhVph{name}": home.voltage_v,
        f"Wph{name}": flow.power_w,
        f"VAph{name}": _apparent_va(flow.power_w, flow.reactive_var),
        f"VARph{name}": flow.reactive_var,
        f"TotWhImpPh{name}": flow.import_wh,
        f"TotWhExpPh{name}": flow.export_wh,
    }


def _apparent_va(power_w: float, reactive_var: float) -> float:
    return math.hypot(power_w, reactive_var)


def share(flow: Flow, part: float) -> Flow:
    """Return `part` (0 to 1) of a flow, as a sub-meter on some of its circuits sees it."""
    return Flow(
        flow.power_w * part,
        flow.import_wh * part,
        flow.export_wh * part,
        flow.reactive_var * part,
    )
