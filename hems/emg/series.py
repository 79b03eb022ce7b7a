"""What is mirrored of the home's meter and of each DER: usage points and series, in one table.

Forward is from the grid to the home, the house's own sign. A DER's point is a sub-meter; the
connection point is the premises' aggregation point (roleFlags as CSIP and CSIP-AUS want them).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from der.model import DeviceKind, DeviceSpec
from hems.emg.der_report import DER_KINDS
from hems.sep2.enddevice.readings import MirrorSpec, SeriesSpec

SITE: Final = "point"
"""Name of the connection point among usage points; a DER's is that of its device."""
_MIRROR, _PREMISES, _EV, _DER, _SUBMETER = (1 << bit for bit in (0, 1, 2, 3, 6))
_REVERSE: Final = 19
_DELTA, _SUMMATION = 4, 9
_ENERGY, _POWER = 12, 37
_AVERAGE, _NORMAL = 2, 12
_W, _WH, _VAR, _V, _HZ = 38, 72, 63, 29, 33
PHASES: Final = "abc"
_PHASES: Final = {"a": (128, 129), "b": (64, 65), "c": (32, 33)}
"""Codes of a phase, and of it to neutral."""
MIRRORED: Final = frozenset({*DER_KINDS, DeviceKind.EVSE})


def _mean(uom: int, description: str, ten: int = 0, *, power: bool = True) -> SeriesSpec:
    return SeriesSpec(
        mrid="",
        description=description,
        uom=uom,
        power_of_ten=ten,
        flow_direction=1 if power else None,
        kind=_POWER if power else None,
        data_qualifier=_AVERAGE,
        sure=False,
    )


def _counted(description: str, *, reverse: bool, delta: bool) -> SeriesSpec:
    return SeriesSpec(
        mrid="",
        description=description,
        uom=_WH,
        flow_direction=_REVERSE if reverse else 1,
        kind=_ENERGY,
        accumulation=_DELTA if delta else _SUMMATION,
        data_qualifier=_NORMAL,
        latest=not delta,
        sure=False,
    )


_TABLE: Final = {
    "power": replace(_mean(_W, "Net active power"), sure=True),
    "reactive": _mean(_VAR, "Net reactive power"),
    "voltage": _mean(_V, "Voltage", -1, power=False),
    "frequency": _mean(_HZ, "Frequency", -2, power=False),
    "import": _counted("Energy register, import", reverse=False, delta=False),
    "export": _counted("Energy register, export", reverse=True, delta=False),
    "imported": _counted("Energy imported", reverse=False, delta=True),
    "exported": _counted("Energy exported", reverse=True, delta=True),
    **{
        f"power_{p}": replace(_mean(_W, f"Active power, phase {p.upper()}"), phase=_PHASES[p][0])
        for p in PHASES
    },
    **{
        f"voltage_{p}": replace(
            _mean(_V, f"Voltage, phase {p.upper()}", -1, power=False), phase=_PHASES[p][1]
        )
        for p in PHASES
    },
}


def series_mrid(lfdi: str, point: str, name: str) -> str:
    """Return the mRID of a series, which outlives restarts and differs between homes."""
    return _mrid(lfdi, point, name)


def mirror_specs(lfdi: str, specs: Iterable[DeviceSpec], interval_s: int) -> tuple[MirrorSpec, ...]:
    """Return the usage points that mirror the home's meter and each of its DER and chargers.

    Args:
        lfdi: The home's own LFDI, from which the mRIDs are made.
        specs: The home's devices.
        interval_s: Length of the intervals in s.
    """
    devices = tuple(specs)
    points = [_point(lfdi, SITE, "Connection point", _MIRROR | _PREMISES, interval_s)]
    for spec in devices:
        if spec.kind in MIRRORED:
            kind = _EV if spec.kind is DeviceKind.EVSE else _DER
            name = spec.name.encode()[:32].decode(errors="ignore")
            points.append(_point(lfdi, spec.id, name, _MIRROR | kind | _SUBMETER, interval_s))
    return tuple(points)


def _point(lfdi: str, point: str, description: str, roles: int, interval_s: int) -> MirrorSpec:
    return MirrorSpec(
        mrid=_mrid(lfdi, point, ""),
        description=description,
        series=tuple(_series(lfdi, point, interval_s)),
        role_flags=roles,
        post_s=interval_s,
    )


def _series(lfdi: str, point: str, interval_s: int) -> Iterator[SeriesSpec]:
    for name, spec in _TABLE.items():
        interval = None if spec.latest else interval_s
        yield replace(spec, mrid=_mrid(lfdi, point, name), interval_s=interval)


def _mrid(lfdi: str, point: str, name: str) -> str:
    return hashlib.sha256(f"{lfdi} {point} {name}".encode()).hexdigest()[:32].upper()
