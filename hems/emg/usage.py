"""The utility's own metering of the home as a reading of its connection point. Pure.

Forward is from the grid to the home, the house's own sign. What is flagged as doubtful or only
forecast is no reading; what this home mirrored itself is no news to it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from der.model import PhaseReading, Reading
from hems.sep2.enddevice.usage import Metered, UsagePoint, UsageSeries

_MIRROR, _PREMISES, _DER, _SUBMETER = (1 << bit for bit in (0, 1, 3, 6))
_ELECTRICITY: Final = 0
_DOUBTFUL: Final = 1 << 4 | 1 << 6
_REVERSE: Final = 19
_DELTA: Final = 4
_REGISTERS: Final = frozenset({3, 9})
_MOMENTS: Final = frozenset({None, 0, 6, 12})
_ORDINARY: Final = frozenset({None, 0, 2, 12})
"""Data qualifiers of a measurement, not of an extreme or a spread."""
_COMMODITIES: Final = frozenset({None, 0, 1, 2})
_W, _WH, _VAR, _V, _HZ = 38, 72, 63, 29, 33
_WHOLE: Final = frozenset({None, 0, 224, 225})
_PHASES: Final[Sequence[Collection[int]]] = ({128, 129}, {64, 65}, {32, 33})
_HOUR_S: Final = Decimal(3600)
_SIGNS: Final[Mapping[int | None, int]] = MappingProxyType({_REVERSE: -1})


def reading(
    points: Iterable[UsagePoint], own: Collection[str], offset_s: float, now: float
) -> Reading | None:
    """Return what the utility metered at the home's connection point.

    Args:
        points: What its server shows of this home.
        own: LFDIs of this home, whose mirrored points are left out.
        offset_s: The server's clock less the home's.
        now: UTC epoch seconds of the home's clock; nothing is dated later.

    Returns:
        None if there is no such point, or it tells no power.
    """
    for point in _candidates(points, own):
        found = _reading(point, offset_s, now)
        if found is not None:
            return found
    return None


def _candidates(points: Iterable[UsagePoint], own: Collection[str]) -> list[UsagePoint]:
    """Return the points that may be the connection point, the likeliest first."""
    mine = {lfdi.upper() for lfdi in own}
    found = [
        point
        for point in points
        if point.on
        and point.service == _ELECTRICITY
        and not point.roles & (_DER | _SUBMETER)
        and not (point.roles & _MIRROR and point.lfdi.upper() in {"", *mine})
    ]
    return sorted(found, key=lambda point: not point.roles & _PREMISES)


def _reading(point: UsagePoint, offset_s: float, now: float) -> Reading | None:
    series = [s for s in point.series if s.commodity in _COMMODITIES and s.qualifier in _ORDINARY]
    power = _flow(series, _W, _WHOLE) or _from_energy(series)
    if power is None:
        return None
    value, at = power
    phases = [
        PhaseReading(_value(_flow(series, _W, codes)), _value(_plain(series, _V, codes)))
        for codes in _PHASES
    ]
    while phases and phases[-1] == PhaseReading():
        phases.pop()
    voltage = _plain(series, _V, _WHOLE)
    energies = {
        "energy_import_wh": _register(series, reverse=False),
        "energy_export_wh": _register(series, reverse=True),
    }
    taken = {
        name: _dated(end, offset_s, now)
        for name, found in energies.items()
        if found is not None and (end := found[1]) != at
    }
    return Reading(
        at=_dated(at, offset_s, now),
        power_w=float(value),
        reactive_var=_value(_flow(series, _VAR, _WHOLE)),
        voltage_v=_value(voltage) if voltage else phases[0].voltage_v if phases else None,
        frequency_hz=_value(_plain(series, _HZ, _WHOLE)),
        energy_import_wh=_value(energies["energy_import_wh"]),
        energy_export_wh=_value(energies["energy_export_wh"]),
        phases=tuple(phases),
        taken=taken,
    )


_Timed = tuple[Decimal, int]
"""A value, and when it was taken, by the server's clock."""


def _dated(at: int, offset_s: float, now: float) -> float:
    return min(at - offset_s, now)


def _value(found: _Timed | None) -> float | None:
    return None if found is None else float(found[0])


def _sound(series: UsageSeries) -> list[Metered]:
    return [m for m in series.latest if not m.quality & _DOUBTFUL and m.end is not None]


def _last(series: UsageSeries) -> _Timed | None:
    """Return the latest value that counts for all tiers, or that of the last tier."""
    found = max(_sound(series), key=lambda m: (m.end or 0, m.tier == 0), default=None)
    return None if found is None or found.end is None else (found.value, found.end)


def _plain(series: Iterable[UsageSeries], uom: int, phase: Collection[int | None]) -> _Timed | None:
    """Return a quantity that has no direction."""
    found = [
        last
        for s in series
        if s.uom == uom and s.phase in phase and s.accumulation in _MOMENTS and (last := _last(s))
    ]
    return max(found, key=lambda each: each[1], default=None)


def _flow(series: Iterable[UsageSeries], uom: int, phase: Collection[int | None]) -> _Timed | None:
    """Return what flows forward less what flows back, both of the newest moment."""
    found = [
        (_SIGNS.get(s.flow_direction, 1), last)
        for s in series
        if s.uom == uom and s.phase in phase and s.accumulation in _MOMENTS and (last := _last(s))
    ]
    return _net(found)


def _net(found: Sequence[tuple[int, _Timed]]) -> _Timed | None:
    if not found:
        return None
    at = max(end for _, (_, end) in found)
    newest = {sign: value for sign, (value, end) in found if end == at}
    return sum((sign * value for sign, value in newest.items()), Decimal(0)), at


def _from_energy(series: Iterable[UsageSeries]) -> _Timed | None:
    """Return the mean power of the last interval, where only energies are told."""
    found: list[tuple[int, _Timed]] = []
    for s in series:
        if s.uom != _WH or s.phase not in _WHOLE or s.accumulation != _DELTA:
            continue
        intervals = [m for m in _sound(s) if m.tier == 0 and m.block == 0]
        last = max(intervals, key=lambda m: m.end or 0, default=None)
        length_s = (last.duration_s or s.interval_s or 0) if last is not None else 0
        if last is not None and last.end is not None and length_s > 0:
            power_w = last.value * _HOUR_S / length_s
            found.append((_SIGNS.get(s.flow_direction, 1), (power_w, last.end)))
    return _net(found)


def _register(series: Iterable[UsageSeries], *, reverse: bool) -> _Timed | None:
    """Return an energy register: that of all tiers, or all tiers together."""
    for s in series:
        right = s.uom == _WH and s.phase in _WHOLE and s.accumulation in _REGISTERS
        if not right or (s.flow_direction == _REVERSE) is not reverse:
            continue
        found = _sound(s)
        whole = [m for m in found if m.tier == 0 and m.block == 0] or found
        if whole:
            return sum((m.value for m in whole), Decimal(0)), max(m.end or 0 for m in whole)
    return None
