"""Charging profiles as each version of OCPP writes them, read into the charger's own records."""

from datetime import UTC, datetime
from typing import NotRequired, TypedDict

from der.sim.physics.profiles import RECURRENCE_S, Kind, Period, Profile, Purpose, Unit


class PeriodJson(TypedDict):
    """ChargingSchedulePeriod as the library hands it over, in snake case."""

    start_period: int
    limit: float
    number_phases: NotRequired[int]


class ScheduleJson(TypedDict):
    """ChargingSchedule."""

    charging_rate_unit: str
    charging_schedule_period: list[PeriodJson]
    duration: NotRequired[int]
    start_schedule: NotRequired[str]


class CommonJson(TypedDict):
    """What both versions have in a ChargingProfile."""

    stack_level: int
    charging_profile_purpose: str
    charging_profile_kind: str
    recurrency_kind: NotRequired[str]
    valid_from: NotRequired[str]
    valid_to: NotRequired[str]


class ProfileJson(CommonJson):
    """ChargingProfile of OCPP 1.6."""

    charging_profile_id: int
    charging_schedule: ScheduleJson
    transaction_id: NotRequired[int]


class Profile201Json(CommonJson):
    """ChargingProfileType of OCPP 2.0.1."""

    id: int
    charging_schedule: list[ScheduleJson]
    transaction_id: NotRequired[str]


PURPOSES_201 = {"ChargingStationMaxProfile": Purpose.CHARGE_POINT_MAX}
"""What 2.0.1 calls otherwise."""


def parse16(profile: ProfileJson, connector: int, now: float) -> Profile:
    """Read a ChargingProfile whose shape the OCPP schema has already vouched for.

    Args:
        profile: The payload.
        connector: The connector it is for.
        now: UTC epoch seconds.

    Raises:
        ValueError: A time is no ISO 8601 time, or the first period does not start at 0.
    """
    number = profile.get("transaction_id")
    return _profile(
        profile,
        profile["charging_profile_id"],
        Purpose(profile["charging_profile_purpose"]),
        profile["charging_schedule"],
        transaction=None if number is None else str(number),
        connector=connector,
        now=now,
    )


def parse201(profile: Profile201Json, evse: int, now: float) -> Profile:
    """Read a ChargingProfile of OCPP 2.0.1; arguments and errors as for `parse16`."""
    if len(profile["charging_schedule"]) != 1:
        raise ValueError("several schedules are for ISO 15118 only")
    named = profile["charging_profile_purpose"]
    return _profile(
        profile,
        profile["id"],
        PURPOSES_201.get(named) or Purpose(named),
        profile["charging_schedule"][0],
        transaction=profile.get("transaction_id"),
        connector=evse,
        now=now,
    )


def timestamp(epoch_s: float) -> str:
    """Write a time as OCPP does, UTC with milliseconds."""
    text = datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _profile(
    profile: CommonJson,
    number: int,
    purpose: Purpose,
    schedule: ScheduleJson,
    *,
    transaction: str | None,
    connector: int,
    now: float,
) -> Profile:
    periods = tuple(
        # The library parses limits as Decimal for 1.6's schema's sake.
        Period(item["start_period"], float(item["limit"]), item.get("number_phases"))
        for item in schedule["charging_schedule_period"]
    )
    starts = [period.start_s for period in periods]
    if not starts or starts[0] != 0 or starts != sorted(starts):
        raise ValueError("chargingSchedulePeriod must start at 0 and be in order")
    more = {"valid_from": profile.get("valid_from"), "valid_to": profile.get("valid_to")}
    bounds = {name: _epoch(text) for name, text in more.items() if text}
    start = schedule.get("start_schedule")
    return Profile(
        id=number,
        connector=connector,
        stack_level=profile["stack_level"],
        purpose=purpose,
        kind=Kind(profile["charging_profile_kind"]),
        unit=Unit(schedule["charging_rate_unit"]),
        periods=periods,
        start=_epoch(start) if start else None,
        duration_s=schedule.get("duration"),
        recurrence_s=RECURRENCE_S.get(profile.get("recurrency_kind", "")),
        transaction=transaction,
        accepted_at=now,
        **bounds,
    )


def _epoch(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
