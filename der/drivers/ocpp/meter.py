"""What a charger measures, in SI units, from either version's meter values. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der.model import PhaseReading

ENERGY: Final = "Energy.Active.Import.Register"
POWER: Final = "Power.Active.Import"
CURRENT: Final = "Current.Import"
VOLTAGE: Final = "Voltage"
SOC: Final = "SoC"
MEASURANDS: Final = (POWER, ENERGY, SOC, VOLTAGE, CURRENT)
"""What a charger is asked to report; the default of a value that names none is the energy."""

UNITS: Final[Mapping[str, float]] = {"kW": 1e3, "kWh": 1e3, "Percent": 0.01}
_LINES: Final = ("L1", "L2", "L3")
_PHASES: Final[Mapping[str, str]] = {f"{line}{n}": line for line in _LINES for n in ("", "-N")}
_ELSEWHERE: Final = frozenset({"Inlet", "Body", "Cable"})
_NOISE_W: Final = 50.0
"""A meter's error around nothing; more export than that cannot be at a charger's import."""
_SANE: Final = 1.5
"""A power beyond this many times of what the charger can do is no measurement."""
_MOST_WH: Final = 1e11
_VOLTS: Final = (50.0, 500.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """One value, in SI units.

    Attributes:
        value: A finite number.
        measurand: As OCPP names it.
        phase: "" for all of them.
        location: Where it was measured; "" for the outlet.
    """

    value: float
    measurand: str = ENERGY
    phase: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class MeterSample:
    """The newest values of a charger; None where it sent none.

    Attributes:
        at: When the power was taken, UTC epoch seconds.
        power_w: Active power drawn.
        energy_wh: Running total drawn.
        soc: The car's state of charge, 0 to 1.
        voltage_v: Phase to neutral, mean of the phases.
        phases: L1 to L3, where it tells them apart.
        taken: When the other values were taken, by name.
        suspect: Names of values that it gave last and that cannot be.
    """

    at: float
    power_w: float | None = None
    energy_wh: float | None = None
    soc: float | None = None
    voltage_v: float | None = None
    phases: tuple[PhaseReading, ...] = ()
    taken: Mapping[str, float] = field(default_factory=dict)
    suspect: frozenset[str] = frozenset()

    def shifted(self, step_s: float) -> "MeterSample":
        """Return it with its dates by a clock that was set by so many seconds."""
        taken = {name: at + step_s for name, at in self.taken.items()}
        return replace(self, at=self.at + step_s, taken=taken)


@dataclass(frozen=True, slots=True)
class Nominal:
    """What a charger's values are judged by.

    Attributes:
        voltage_v: Phase to neutral, for chargers that send currents and no voltage.
        most_w: The most that it can draw.
    """

    voltage_v: float = 230.0
    most_w: float = math.inf


def number(text: object) -> float | None:
    """Return a finite number, or None for anything else."""
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    try:
        value = float(text)
    except (ValueError, OverflowError):
        return None  # signed data and free text are allowed here, and not for us
    return value if math.isfinite(value) else None


def sample(
    values: Sequence[Measured], at: float, nominal: Nominal, before: MeterSample | None = None
) -> MeterSample | None:
    """Take in one message.

    Args:
        values: All that it measured, in the order of time: the last one stays.
        at: When that was, UTC epoch seconds.
        nominal: What the values are judged by.
        before: The sample before, for what this message leaves out.

    Returns:
        The newest sample; None if no value can be used and there was none before. A message that
        is older than the sample changes nothing.
    """
    found: dict[str, dict[str, float]] = {}
    for one in values:
        if one.location not in _ELSEWHERE:
            found.setdefault(one.measurand, {})[one.phase] = one.value
    if not found or (before is not None and before.power_w is not None and at < before.at):
        return before
    raw: dict[str, float | None] = {
        "energy_wh": _total(found.get(ENERGY)),
        "soc": _total(found.get(SOC)),
        "voltage_v": _mean(found.get(VOLTAGE)),
        "power_w": _power(found, nominal),
    }
    new = {name: _judged(name, value, nominal) for name, value in raw.items()}
    wrong = frozenset(n for n, value in raw.items() if value is not None and new[n] is None)
    old = before or MeterSample(at)
    taken = {n: at if new[n] is not None else old.taken.get(n, at) for n in new if n != "power_w"}
    power_w = new["power_w"]
    merged = replace(
        old,
        energy_wh=_or(new["energy_wh"], old.energy_wh),
        soc=_or(new["soc"], old.soc),
        voltage_v=_or(new["voltage_v"], old.voltage_v),
        taken=taken,
        suspect=(old.suspect - {n for n, value in raw.items() if value is not None}) | wrong,
    )
    if power_w is None:
        return merged
    return replace(merged, at=at, power_w=power_w, phases=_phases(found, nominal))


def _power(found: Mapping[str, Mapping[str, float]], nominal: Nominal) -> float | None:
    power_w = _total(found.get(POWER))
    amperes = _total(found.get(CURRENT))
    if power_w is not None or amperes is None:
        return power_w
    volts = _judged("voltage_v", _mean(found.get(VOLTAGE)), nominal)
    return amperes * (nominal.voltage_v if volts is None else volts)


def _judged(name: str, value: float | None, nominal: Nominal) -> float | None:
    """Return a value that can be; None for one that cannot."""
    if value is None:
        return None
    if name == "power_w":
        fits = -_NOISE_W <= value <= _SANE * nominal.most_w
        return max(0.0, value) if fits else None
    if name == "energy_wh":
        return value if 0.0 <= value <= _MOST_WH else None
    if name == "soc":
        return value if 0.0 <= value <= 1.0 else None
    return value if _VOLTS[0] <= value <= _VOLTS[1] else None


def _phases(found: Mapping[str, Mapping[str, float]], nominal: Nominal) -> tuple[PhaseReading, ...]:
    """Return L1 to L3 as far as the power is told phase by phase."""
    powers, volts = _lines(found.get(POWER)), _lines(found.get(VOLTAGE))
    if not powers:
        return ()
    last = max(index for index, line in enumerate(_LINES) if line in powers)
    return tuple(
        PhaseReading(
            _judged("power_w", powers.get(line), nominal),
            _judged("voltage_v", volts.get(line), nominal),
        )
        for line in _LINES[: last + 1]
    )


def _lines(values: Mapping[str, float] | None) -> dict[str, float]:
    return {_PHASES[phase]: v for phase, v in (values or {}).items() if phase in _PHASES}


def _total(values: Mapping[str, float] | None) -> float | None:
    """The value for all phases, or else the sum of those given singly."""
    if not values:
        return None
    if "" in values:
        return values[""]
    single = _lines(values)
    return sum(single.values()) if single else None


def _mean(values: Mapping[str, float] | None) -> float | None:
    if not values:
        return None
    if "" in values:
        return values[""]
    single = _lines(values)
    return sum(single.values()) / len(single) if single else None


def _or(new: float | None, old: float | None) -> float | None:
    return old if new is None else new
