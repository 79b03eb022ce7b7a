"""The composite schedule that a charger answers with, as steps; the same in both versions. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from der.addresses import RateUnit, Wiring
from der.drivers.ocpp.meter import number
from der.drivers.ocpp.plan import Plan, Step, watts


def steps(schedule: object, wiring: Wiring) -> tuple[Step, ...]:
    """Return the steps of a schedule in W, those that make sense.

    Args:
        schedule: As the library hands it over, keys in snake case; it has a unit of its own.
        wiring: The charger's, for what a period does not say.
    """
    if not isinstance(schedule, Mapping):
        return ()
    unit = RateUnit.WATTS if schedule.get("charging_rate_unit") == "W" else RateUnit.AMPERES
    periods = schedule.get("charging_schedule_period", ())
    return tuple(made for period in periods if (made := _step(period, unit, wiring)) is not None)


def start_text(plan: Plan) -> str | None:
    """Return when a plan starts as both versions write it; None for one that has no start."""
    if plan.start is None:
        return None
    return datetime.fromtimestamp(plan.start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _step(period: object, unit: RateUnit, wiring: Wiring) -> Step | None:
    if not isinstance(period, Mapping):
        return None
    # The library reads some answers' figures as decimals.
    start, limit = (number(str(period.get(key))) for key in ("start_period", "limit"))
    if start is None or limit is None:
        return None
    told = period.get("number_phases")
    phases = told if isinstance(told, int) and told > 0 else wiring.phases
    return Step(int(start), watts(limit, unit, wiring, phases), phases)
