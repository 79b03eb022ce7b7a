"""What PV and storage are and could do: ratings, settings, availability.

To a utility that knows the home as one DER it is all of them together: what counts is the
connection point. Signs turn here: 2030.5 counts what a DER gives as positive.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self

from der.model import DeviceKind, DeviceSpec, DeviceState, Quality
from hems.emg.der_status import power_w
from hems.sep2 import resources as res
from hems.sep2.book.controls import mode_bits
from hems.sep2.rules.dialect import Dialect
from programs.capability import StoreFacts, stores

DER_KINDS: Final = frozenset({DeviceKind.PV, DeviceKind.BATTERY})
"""What can deliver power to the grid."""
_PV, _STORAGE, _BOTH = 4, 80, 83
"""DERType: photovoltaic, storage, both combined."""
_DOE_BITS: Final = {
    "opModExpLimW": 0,
    "opModImpLimW": 1,
    "opModGenLimW": 2,
    "opModLoadLimW": 3,
}
"""CSIP-AUS; its schema explains bits 0 and 1 the other way round, but names them so."""
_WHOLE: Final = 10_000
"""100 % in hundredths of a per cent."""
_DURATION_MOST_S: Final = 0xFFFFFFFF
_NOTHING: Final[Mapping[str, StoreFacts]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ratings:
    """What PV and storage can do at most; all positive.

    Attributes:
        kind: DERType.
        give_w: Output of all together.
        charge_w: Charging power of the storage.
        discharge_w: Discharging power of the storage.
        capacity_wh: Usable energy of the storage; None where a battery does not say.
    """

    kind: int
    give_w: float
    charge_w: float = 0.0
    discharge_w: float = 0.0
    capacity_wh: float | None = None

    @classmethod
    def of(cls, specs: Iterable[DeviceSpec], capacity_wh: float | None = None) -> Self:
        """Return the ratings of devices together; those that are no DER count nothing."""
        devices = [s for s in specs if s.kind in DER_KINDS]
        battery = [s for s in devices if s.kind is DeviceKind.BATTERY]
        kinds = {s.kind for s in devices}
        kind = _BOTH if len(kinds) != 1 else _STORAGE if battery else _PV
        return cls(
            kind,
            give_w=-sum(s.min_w for s in devices),
            charge_w=sum(s.max_w for s in battery),
            discharge_w=-sum(s.min_w for s in battery),
            capacity_wh=capacity_wh if battery else None,
        )

    @property
    def stores(self) -> bool:
        """Whether there is storage."""
        return self.kind != _PV


def capacity_wh(devices: Iterable[DeviceState]) -> float | None:
    """Return the usable energy of all batteries in Wh; None unless each has said its own."""
    battery = [d for d in devices if d.spec.kind is DeviceKind.BATTERY]
    said = [d.reading.capacity_wh for d in battery if d.reading is not None]
    known = [wh for wh in said if wh is not None]
    return sum(known) if battery and len(known) == len(battery) else None


def capability(ratings: Ratings, modes: frozenset[str], dialect: Dialect) -> res.DERCapability:
    """Return the ratings as a server of a dialect knows them.

    Args:
        ratings: Of the devices.
        modes: The control modes that the home carries out, by 2030.5 name.
        dialect: What the server speaks: it has no elements for the modes of another one.
    """
    bits, bits2 = mode_bits(modes)
    doe = sum(1 << bit for mode, bit in _DOE_BITS.items() if mode in modes)
    return res.DERCapability(
        modes_supported=bits,
        modes_supported2=bits2 if dialect is Dialect.V2023 else None,
        rtg_max_w=res.ActivePower.of(ratings.give_w),
        rtg_max_charge_rate_w=_power(ratings.charge_w, ratings),
        rtg_max_discharge_rate_w=_power(ratings.discharge_w, ratings),
        rtg_max_wh=_energy(ratings),
        type=ratings.kind,
        doe_modes_supported=doe if dialect is Dialect.CSIP_AUS else None,
    )


def settings(
    rated: res.DERCapability, updated: int, *, gradient: float | None = None
) -> res.DERSettings:
    """Return the settings in force: the whole rating, and the ramp that the utility has set.

    Args:
        rated: What is rated: the home leaves its devices all of it, and all modes enabled.
        updated: When they last changed, server's clock.
        gradient: Default rate of change in per cent of the rating a second (setGradW of the
            DefaultDERControl in force); None or 0 for no limit.
    """
    return res.DERSettings(
        modes_enabled=rated.modes_supported,
        modes_enabled2=rated.modes_supported2,
        set_grad_w=round((gradient or 0.0) * 100.0),
        set_max_w=rated.rtg_max_w,
        set_max_charge_rate_w=rated.rtg_max_charge_rate_w,
        set_max_discharge_rate_w=rated.rtg_max_discharge_rate_w,
        set_max_wh=rated.rtg_max_wh,
        updated_time=updated,
        doe_modes_enabled=rated.doe_modes_supported,
    )


def availability(
    devices: Sequence[DeviceState],
    at: int,
    dialect: Dialect,
    *,
    floor_soc: float = 0.0,
    facts: Mapping[str, StoreFacts] = _NOTHING,
) -> res.DERAvailability:
    """Return what storage could give and take beyond what it does, and for how long.

    PV counts in the rating that the reserve is a share of; the sun's own reserve is not known.

    Args:
        devices: PV and storage that are one DER to the utility.
        at: When they were read, server's clock.
        dialect: What the server speaks.
        floor_soc: State of charge below which nothing is given, 0 to 1.
        facts: What of batteries nobody measures, by id: of what is in them some is lost.
    """
    ratings = Ratings.of(d.spec for d in devices)
    battery = [
        d
        for d in devices
        if d.spec.kind is DeviceKind.BATTERY
        and d.quality is Quality.GOOD
        and d.reading is not None
        and d.reading.connected is not False
    ]
    give_w = sum(_spare(-d.spec.min_w, -power_w(d)) for d in battery if _soc(d, 1.0) > floor_soc)
    take_w = sum(_spare(d.spec.max_w, power_w(d)) for d in battery if _soc(d, 0.0) < 1.0)
    full_s = empty_s = None
    known = stores(battery, facts, floor_soc)
    if known and len(known) == len(battery):
        # What is given already goes on beside the reserve, and so does what is taken.
        out_w = give_w + sum(max(-s.power_w, 0.0) for s in known)
        in_w = take_w + sum(max(s.power_w, 0.0) for s in known)
        empty_s = _duration_s(sum(s.deliverable_wh for s in known), out_w if give_w else 0.0)
        full_s = _duration_s(sum(s.room_wh / s.taken for s in known), in_w if take_w else 0.0)
    modern = dialect is Dialect.V2023
    return res.DERAvailability(
        availability_duration=empty_s,
        max_charge_duration=full_s,
        reading_time=at,
        reserve_charge_percent=_share(take_w, ratings.charge_w),
        reserve_percent=_share(give_w, ratings.give_w),
        stat_w_absorb_avail=res.UnsignedActivePower.of(round(take_w)) if modern else None,
        stat_w_avail=res.ActivePower.of(round(give_w)),
    )


def _soc(device: DeviceState, unknown: float) -> float:
    soc = device.reading.soc if device.reading is not None else None
    return unknown if soc is None else soc


def _spare(most_w: float, now_w: float) -> float:
    """Return what is left of a power; what flows the other way does not add to it."""
    return max(0.0, most_w - max(now_w, 0.0))


def _duration_s(energy_wh: float, at_w: float) -> int:
    return min(_DURATION_MOST_S, round(energy_wh * 3600.0 / at_w)) if at_w > 0 else 0


def _share(part: float, whole: float) -> int | None:
    return min(_WHOLE, round(part / whole * _WHOLE)) if whole > 0 else None


def _power(power: float, ratings: Ratings) -> res.ActivePower | None:
    return res.ActivePower.of(power) if ratings.stores else None


def _energy(ratings: Ratings) -> res.WattHour | None:
    return None if ratings.capacity_wh is None else res.WattHour.of(ratings.capacity_wh)
