"""Between table rows and records: one function a kind, no queries."""

import json
import sys
from typing import Any

from sqlalchemy import Row

from hems.headend.modes import Edition, Mode, Value
from hems.headend.records import Event, Home, ResponseRecord, SubscriptionRecord

AnyRow = Row[Any]


def home_of(row: AnyRow) -> Home:
    """Read a home."""
    return Home(
        row.id,
        row.lfdi,
        row.pin,
        Edition(row.edition),
        row.registered_at,
        row.in_band,
        sys.intern(row.aggregator),
    )


def event_of(row: AnyRow, program: int) -> Event:
    """Read an event of the programme with this index."""
    values = {Mode(name): _value(value) for name, value in json.loads(row.modes).items()}
    return Event(
        row.mrid,
        program,
        values,
        row.start,
        row.duration_s,
        row.randomize_start_s,
        row.randomize_duration_s,
        row.accepted_at,
        row.cancelled_at,
        row.cancel_randomized,
        row.ramp_s,
    )


def _value(value: float | str | list[float]) -> Value:
    return tuple(value) if isinstance(value, list) else value


def event_values(event: Event, program_mrid: str) -> dict[str, str | float | bool | None]:
    """Write an event's columns."""
    return {
        "mrid": event.mrid,
        "program": program_mrid,
        "modes": json.dumps({mode.value: value for mode, value in event.values.items()}),
        "start": event.start,
        "duration_s": event.duration_s,
        "randomize_start_s": event.randomize_start_s,
        "randomize_duration_s": event.randomize_duration_s,
        "accepted_at": event.accepted_at,
        "cancelled_at": event.cancelled_at,
        "cancel_randomized": event.cancel_randomized,
        "ramp_s": event.ramp_s,
    }


def subscription_of(row: AnyRow) -> SubscriptionRecord:
    """Read a subscription."""
    return SubscriptionRecord(row.id, row.lfdi, row.resource, row.uri, row.item_limit, row.level)


def response_of(row: AnyRow) -> ResponseRecord:
    """Read a response."""
    return ResponseRecord(
        row.id,
        row.lfdi,
        row.subject,
        row.status,
        row.modes,
        row.created,
        row.received_at,
        row.kind,
        row.body,
        row.agent,
    )
