"""OCPP 1.6 charging profiles for a limit that lapses, and for what rules without the hub. Pure.

Both are TxDefaultProfiles: they hold with and without a transaction, and the one of the higher
stack level rules. When the limit's duration has run out, the charger is left with the fallback.
"""

import math
from datetime import UTC, datetime
from typing import Final

from ocpp.v16.datatypes import ChargingProfile, ChargingSchedule, ChargingSchedulePeriod
from ocpp.v16.enums import (
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
)

from der.addresses import RateUnit, Wiring
from der.model import Setpoint

LIMIT_PROFILE: Final = 1001
FALLBACK_PROFILE: Final = 1000
_FALLBACK_LEVEL: Final = 0
_CLOCK_MARGIN_S: Final = 60
_ROUNDING: Final = 1e-6


def rate(power_w: float, wiring: Wiring) -> float:
    """Return a power as the charger's limit, rounded down to the tenth that OCPP allows.

    Below what a car can be offered it is 0, which pauses charging.
    """
    amperes = power_w / (wiring.voltage_v * wiring.phases)
    if amperes + _ROUNDING < wiring.least_a:
        return 0.0
    value = amperes if wiring.unit is RateUnit.AMPERES else power_w
    return math.floor(value * 10.0 + _ROUNDING) / 10.0


def limit_profile(setpoint: Setpoint, wiring: Wiring, now: float) -> ChargingProfile:
    """Return the profile that holds a limit until it lapses.

    Args:
        setpoint: W, at least 0; what follows the lapse, if anything, is a second period.
        wiring: The charger's.
        now: UTC epoch seconds.
    """
    # It starts in the past, or a charger whose clock lags would not obey yet.
    lapse_s = math.ceil(setpoint.lapse_s) + _CLOCK_MARGIN_S
    periods = [_period(0, rate(setpoint.power_w, wiring), wiring)]
    if setpoint.revert_w is not None:
        periods.append(_period(lapse_s, rate(setpoint.revert_w, wiring), wiring))
    start = datetime.fromtimestamp(math.floor(now) - _CLOCK_MARGIN_S, UTC)
    return ChargingProfile(
        charging_profile_id=LIMIT_PROFILE,
        stack_level=wiring.level,
        charging_profile_purpose=ChargingProfilePurposeType.tx_default_profile,
        charging_profile_kind=ChargingProfileKindType.absolute,
        charging_schedule=ChargingSchedule(
            charging_rate_unit=ChargingRateUnitType(wiring.unit.value),
            charging_schedule_period=periods,
            duration=lapse_s if setpoint.revert_w is None else None,
            start_schedule=start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ),
    )


def fallback_profile(wiring: Wiring) -> ChargingProfile:
    """Return the permanent profile that rules when the hub is silent."""
    power_w = wiring.fallback_a * wiring.voltage_v * wiring.phases
    return ChargingProfile(
        charging_profile_id=FALLBACK_PROFILE,
        stack_level=_FALLBACK_LEVEL,
        charging_profile_purpose=ChargingProfilePurposeType.tx_default_profile,
        charging_profile_kind=ChargingProfileKindType.relative,
        charging_schedule=ChargingSchedule(
            charging_rate_unit=ChargingRateUnitType(wiring.unit.value),
            charging_schedule_period=[_period(0, rate(power_w, wiring), wiring)],
        ),
    )


def _period(start_s: int, limit: float, wiring: Wiring) -> ChargingSchedulePeriod:
    return ChargingSchedulePeriod(start_period=start_s, limit=limit, number_phases=wiring.phases)
