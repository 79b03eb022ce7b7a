"""What the home tells of itself as a DER: ratings, settings, status, availability.

The home is one DER to the utility: what counts is the connection point. Signs turn here: 2030.5
counts what a DER gives as positive.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from der.model import DeviceKind, DeviceSpec, DeviceState, Quality
from hems.emg.translate import AMOUNTS, PERCENT_OF_GENERATION, SWITCHES
from hems.image import Image
from hems.sep2 import resources as res
from hems.sep2.controls import mode_bits
from hems.sep2.dialect import Dialect

_COMBINED_PV_AND_STORAGE: Final = 83
_DOE_MODES: Final = 0b1111
"""CSIP-AUS: import, export, generation and load limits."""
_GRAD_W: Final = 100
"""Default ramp: 1 % of the rating a second, in hundredths of a per cent."""
_CONNECTED: Final = 0b111
_OPERATIONAL: Final = 2
_CHARGING, _DISCHARGING, _HOLDING = 0, 1, 2
_STORAGE_DEAD_BAND_W: Final = 20.0
_WHOLE: Final = 10_000
"""100 % in hundredths of a per cent."""


def capability(
    specs: Iterable[DeviceSpec], dialect: Dialect = Dialect.CSIP_AUS
) -> res.DERCapability:
    """Return the ratings of all PV and storage together.

    Args:
        specs: The home's devices.
        dialect: What the server speaks: it has no elements for the modes of another one.
    """
    devices = tuple(specs)
    pv_w = -sum(s.min_w for s in devices if s.kind is DeviceKind.PV)
    battery = [s for s in devices if s.kind is DeviceKind.BATTERY]
    discharge_w = -sum(s.min_w for s in battery)
    bits, bits2 = mode_bits(frozenset({*AMOUNTS, PERCENT_OF_GENERATION, *SWITCHES}))
    return res.DERCapability(
        modes_supported=bits,
        modes_supported2=bits2 if dialect is Dialect.V2023 else None,
        rtg_max_w=res.ActivePower.of(pv_w + discharge_w),
        rtg_max_charge_rate_w=res.ActivePower.of(sum(s.max_w for s in battery)),
        rtg_max_discharge_rate_w=res.ActivePower.of(discharge_w),
        type=_COMBINED_PV_AND_STORAGE,
        doe_modes_supported=_DOE_MODES if dialect is Dialect.CSIP_AUS else None,
    )


def settings(
    specs: Iterable[DeviceSpec], updated: int, dialect: Dialect = Dialect.CSIP_AUS
) -> res.DERSettings:
    """Return the settings: here the home leaves its devices their whole rating.

    Args:
        specs: The home's devices.
        updated: When they last changed, server's clock.
        dialect: What the server speaks.
    """
    rated = capability(specs, dialect)
    return res.DERSettings(
        modes_enabled=rated.modes_supported,
        modes_enabled2=rated.modes_supported2,
        set_grad_w=_GRAD_W,
        set_max_w=rated.rtg_max_w,
        set_max_charge_rate_w=rated.rtg_max_charge_rate_w,
        set_max_discharge_rate_w=rated.rtg_max_discharge_rate_w,
        updated_time=updated,
        doe_modes_enabled=rated.doe_modes_supported,
    )


def status(image: Image, offset_s: float) -> res.DERStatus:
    """Return what the home's PV and storage do now, from what they were last read as.

    Args:
        image: The present image.
        offset_s: Server's clock less this machine's, s.
    """
    at = round(image.at + offset_s)
    pv = _good(image, DeviceKind.PV)
    battery = _good(image, DeviceKind.BATTERY)
    soc = _mean_soc(battery)
    return res.DERStatus(
        gen_connect_status=_connect(pv, at),
        operational_mode_status=res.OperationalModeStatusType(date_time=at, value=_OPERATIONAL),
        reading_time=at,
        state_of_charge_status=None
        if soc is None
        else res.StateOfChargeStatusType(date_time=at, value=round(soc * _WHOLE)),
        storage_mode_status=_storage_mode(battery, at),
        stor_connect_status=_connect(battery, at),
    )


def availability(image: Image, offset_s: float) -> res.DERAvailability:
    """Return what the home's storage could give now.

    Args:
        image: The present image.
        offset_s: Server's clock less this machine's, s.
    """
    battery = _good(image, DeviceKind.BATTERY)
    soc = _mean_soc(battery)
    give_w = -sum(d.spec.min_w for d in battery)
    return res.DERAvailability(
        reading_time=round(image.at + offset_s),
        reserve_percent=None if soc is None else round(soc * _WHOLE),
        stat_w_avail=res.ActivePower.of(give_w),
    )


def _good(image: Image, kind: DeviceKind) -> Sequence[DeviceState]:
    return [d for d in image.devices.values() if d.spec.kind is kind and d.quality is Quality.GOOD]


def _mean_soc(battery: Sequence[DeviceState]) -> float | None:
    known = [
        (d.reading.soc, d.reading.capacity_wh or 1.0)
        for d in battery
        if d.reading is not None and d.reading.soc is not None
    ]
    if not known:
        return None
    return sum(soc * wh for soc, wh in known) / sum(wh for _, wh in known)


def _connect(devices: Sequence[DeviceState], at: int) -> res.ConnectStatusType | None:
    if not devices:
        return None
    connected = any(d.reading is not None and d.reading.connected is not False for d in devices)
    return res.ConnectStatusType(date_time=at, value=_CONNECTED if connected else 0)


def _storage_mode(battery: Sequence[DeviceState], at: int) -> res.StorageModeStatusType | None:
    powers = [d.reading.power_w for d in battery if d.reading is not None]
    if not powers:
        return None
    power_w = sum(powers)
    mode = _HOLDING
    if power_w > _STORAGE_DEAD_BAND_W:
        mode = _CHARGING
    elif power_w < -_STORAGE_DEAD_BAND_W:
        mode = _DISCHARGING
    return res.StorageModeStatusType(date_time=at, value=mode)
