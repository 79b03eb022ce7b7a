"""Plans as OCPP 2.0.1 charging profiles. Pure."""

from ocpp.v201.datatypes import (
    ChargingProfileType,
    ChargingSchedulePeriodType,
    ChargingScheduleType,
)
from ocpp.v201.enums import (
    ChargingProfileKindEnumType,
    ChargingProfilePurposeEnumType,
    ChargingRateUnitEnumType,
)

from der.drivers.ocpp.plan import Plan
from der.drivers.ocpp.schedule import start_text

_SCHEDULE = 1


def profile(plan: Plan) -> ChargingProfileType:
    """Return a plan as this version's ChargingProfile."""
    return ChargingProfileType(
        id=plan.id,
        stack_level=plan.level,
        charging_profile_purpose=ChargingProfilePurposeEnumType.tx_default_profile
        if plan.transaction is None
        else ChargingProfilePurposeEnumType.tx_profile,
        charging_profile_kind=ChargingProfileKindEnumType.relative
        if plan.start is None
        else ChargingProfileKindEnumType.absolute,
        charging_schedule=[
            ChargingScheduleType(
                id=_SCHEDULE,
                charging_rate_unit=ChargingRateUnitEnumType(plan.unit.value),
                charging_schedule_period=[
                    ChargingSchedulePeriodType(one.start_s, one.limit, one.phases)
                    for one in plan.steps
                ],
                start_schedule=start_text(plan),
                duration=plan.duration_s,
            )
        ],
        transaction_id=plan.transaction,
    )
