"""Meters: SunSpec models 1 and 203, with the home's single phase as phase A. Import positive."""

from collections.abc import Callable, Mapping

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.house import Flow, Snapshot
from der.sim.registers import Key, Value
from der.sim.sunspec_unit import common, scales

METER_SCALES = {
    "A_SF": -2, "V_SF": -1, "Hz_SF": -2, "W_SF": 0, "VA_SF": 0, "VAR_SF": 0, "PF_SF": -1,
    "TotWh_SF": 0, "TotVAh_SF": 0, "TotVArh_SF": 0,
}  # fmt: skip


class Meter:
    """A meter in a three-phase housing on a single-phase supply.

    Args:
        model: What it calls itself.
        serial: Its serial number.
        flow: What it measures.
        snapshot: The home, for voltage and frequency.
    """

    models = (1, 203)

    def __init__(
        self,
        model: str,
        serial: str,
        flow: Callable[[Snapshot], Flow],
        snapshot: Callable[[], Snapshot],
    ) -> None:
        self._model = model
        self._serial = serial
        self._flow = flow
        self._snapshot = snapshot

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of model 203."""
        return scales(203, METER_SCALES)

    def accept(self, values: Mapping[Key, float | None]) -> None:
        """Refuse: a meter has nothing to set."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{self._model}: read only: {[*values]}")

    def values(self) -> dict[Key, Value]:
        """Return its points."""
        home = self._snapshot()
        flow = self._flow(home)
        current_a = abs(flow.power_w) / home.voltage_v
        return {
            **common(self._model, self._serial),
            (203, "A"): current_a,
            (203, "AphA"): current_a,
            (203, "AphB"): 0,
            (203, "AphC"): 0,
            (203, "PhV"): home.voltage_v,
            (203, "PhVphA"): home.voltage_v,
            (203, "Hz"): home.frequency_hz,
            (203, "W"): flow.power_w,
            (203, "WphA"): flow.power_w,
            (203, "VA"): abs(flow.power_w),
            (203, "VAR"): 0,
            (203, "PF"): 100.0,
            (203, "TotWhImp"): flow.import_wh,
            (203, "TotWhExp"): flow.export_wh,
            (203, "TotWhImpPhA"): flow.import_wh,
            (203, "TotWhExpPhA"): flow.export_wh,
            (203, "Evt"): 0,
        }


def share(flow: Flow, part: float) -> Flow:
    """Return `part` (0 to 1) of a flow, as a sub-meter on some of its circuits sees it."""
    return Flow(flow.power_w * part, flow.import_wh * part, flow.export_wh * part)
