"""What the charger measures, as each version of OCPP writes it."""

from collections.abc import Iterator

from der.sim.ocpp.charger import Charger
from der.sim.ocpp.profiles import timestamp

MEASURANDS = (
    "Power.Active.Import",
    "Energy.Active.Import.Register",
    "Voltage",
    "Current.Import",
    "SoC",
)

_LINES = ("L1", "L2", "L3")


def measured16(charger: Charger, context: str) -> dict[str, object]:
    """Return one MeterValue of OCPP 1.6, values as text.

    Args:
        charger: What measures.
        context: ReadingContext, for example "Sample.Periodic".
    """
    sampled = [
        {"value": f"{value:.{places}f}", "context": context, "measurand": measurand, "unit": unit}
        | ({"phase": phase} if phase else {})
        for measurand, phase, value, places, unit in _values(charger)
    ]
    return {"timestamp": timestamp(charger.clock()), "sampled_value": sampled}


def measured201(charger: Charger, context: str) -> dict[str, object]:
    """Return one MeterValue of OCPP 2.0.1, values as numbers; arguments as for `measured16`."""
    sampled = [
        {
            "value": round(value, places),
            "context": context,
            "measurand": measurand,
            "unit_of_measure": {"unit": unit},
        }
        | ({"phase": phase} if phase else {})
        for measurand, phase, value, places, unit in _values(charger)
    ]
    return {"timestamp": timestamp(charger.clock()), "sampled_value": sampled}


def _values(charger: Charger) -> Iterator[tuple[str, str, float, int, str]]:
    """Yield measurand, phase, value, decimal places and unit of each."""
    home, own = charger.shown, charger.rating.phases
    power_w, volts = home.ev.power_w, home.voltage_v
    used = min(charger.offer().phases, own)
    yield "Power.Active.Import", "", power_w, 1, "W"
    yield "Energy.Active.Import.Register", "", home.ev.import_wh, 1, "Wh"
    if own == 1:
        yield "Voltage", "", volts, 1, "V"
        yield "Current.Import", "", home.amperes(power_w), 2, "A"
    else:
        for number, line in enumerate(_LINES[:own]):
            share_w = power_w / used if number < used else 0.0
            yield "Power.Active.Import", line, share_w, 1, "W"
            yield "Voltage", f"{line}-N", volts, 1, "V"
            yield "Current.Import", line, home.amperes(share_w), 2, "A"
    if home.ev_plugged:  # without a car there is no charge to tell
        yield "SoC", "", home.ev_soc * 100, 1, "Percent"
