"""Plans as OCPP 1.6 charging profiles. Pure."""

from ocpp.v16.datatypes import ChargingProfile, ChargingSchedule, ChargingSchedulePeriod
from ocpp.v16.enums import (
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
)

from der.drivers.ocpp.plan import Plan
from der.drivers.ocpp.schedule import start_text


def profile(plan: Plan) -> ChargingProfile:
    """Return a plan as this version's ChargingProfile."""
    return ChargingProfile(
        charging_profile_id=plan.id,
        transaction_id=None if plan.transaction is None else int(plan.transaction),
        stack_level=plan.level,
        charging_profile_purpose=ChargingProfilePurposeType.tx_profile
        if plan.transaction is not None
        else ChargingProfilePurposeType.tx_default_profile,
        charging_profile_kind=ChargingProfileKindType.relative
        if plan.start is None
        else ChargingProfileKindType.absolute,
        charging_schedule=ChargingSchedule(
            charging_rate_unit=ChargingRateUnitType(plan.unit.value),
            charging_schedule_period=[
                ChargingSchedulePeriod(one.start_s, one.limit, one.phases) for one in plan.steps
            ],
            duration=plan.duration_s,
            start_schedule=start_text(plan),
        ),
    )
