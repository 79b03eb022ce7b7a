"""Pure functions from records to what the operator sees."""

from collections.abc import Mapping, Sequence
from typing import Final

from certs.identity import sfdi
from hems.headend.operator_homes import SelfReport
from hems.headend.operator_models import (
    EventOut,
    HomeAnswerOut,
    HomeOut,
    ReadingOut,
    ResponseOut,
)
from hems.headend.records import (
    EXPRESSIBLE,
    Event,
    Home,
    Program,
    ReadingRecord,
    ResponseRecord,
    SubscriptionRecord,
)
from hems.headend.status import EventState

MEANINGS: Mapping[int, str] = {
    1: "received",
    2: "started",
    3: "completed",
    4: "opted out",
    5: "opted in",
    6: "cancelled",
    7: "superseded",
    8: "partly completed, opted out",
    9: "partly completed, opted in",
    10: "completed without participation",
    13: "superseded by another server",
    14: "superseded by another programme",
    251: "rejected: not supported",
    252: "rejected: not applicable",
    253: "rejected: invalid",
    254: "rejected: already expired",
}
"""Response codes in words (IEEE 2030.5, Response.status)."""


MOST_HOMES: Final = 1000
"""In one answer about an event."""


def event_out(
    event: Event,
    program: Program,
    state: EventState,
    *,
    homes: Sequence[Home],
    responses: Sequence[ResponseRecord],
    sent: Mapping[str, float],
) -> EventOut:
    """Return an event with its homes' side of it, as far as one answer goes.

    Args:
        event: The event.
        program: Its programme.
        state: How it stands.
        homes: The homes that it reaches.
        responses: All responses to it, in the order they came.
        sent: When each home (LFDI), or its aggregator, was notified of it, epoch s.
    """
    own: dict[str, list[ResponseRecord]] = {}
    for item in responses:
        own.setdefault(item.lfdi, []).append(item)
    return EventOut(
        id=event.mrid,
        program=program.name,
        group=program.group,
        state=state.status.name.lower().replace("_", " "),
        start=event.start,
        duration_s=event.duration_s,
        ends=event.start + event.duration_s,
        randomize_start_s=event.randomize_start_s,
        randomize_duration_s=event.randomize_duration_s,
        asks=dict(event.values),
        ramp_s=event.ramp_s,
        accepted_at=event.accepted_at,
        cancelled_at=event.cancelled_at,
        reached=len(homes),
        homes=[
            _home_answer(
                event,
                home,
                own.get(home.lfdi, ()),
                sent.get(home.lfdi) or sent.get(home.aggregator),
            )
            for home in homes[:MOST_HOMES]
        ],
    )


def _home_answer(
    event: Event, home: Home, responses: Sequence[ResponseRecord], sent_at: float | None
) -> HomeAnswerOut:
    own = [
        ResponseOut(
            status=item.status,
            meaning=MEANINGS.get(item.status, "unknown"),
            at=item.created,
            received_at=item.received_at,
            modes=item.modes,
        )
        for item in responses
    ]
    told = event.modes <= EXPRESSIBLE[home.edition]
    silent = "no answer" if told else f"not told: {home.edition.value} has no word for it"
    return HomeAnswerOut(
        lfdi=home.lfdi,
        told=told,
        notified_at=sent_at,
        responses=own,
        status=own[-1].meaning if own else silent,
    )


def home_out(
    home: Home,
    last_contact: float | None,
    subscriptions: Sequence[SubscriptionRecord],
    report: SelfReport,
    readings: Sequence[ReadingRecord],
) -> HomeOut:
    """Return a home with what it last said of itself.

    Args:
        home: The home.
        last_contact: When it was last heard of, epoch s.
        subscriptions: Its subscriptions.
        report: What it says of itself.
        readings: The last reading of each meter of all homes.
    """
    return HomeOut(
        lfdi=home.lfdi,
        sfdi=sfdi(home.lfdi),
        pin=f"{home.pin:06d}",
        edition=home.edition,
        registered_at=home.registered_at,
        in_band=home.in_band,
        last_contact=last_contact,
        subscriptions=[item.resource for item in subscriptions],
        **dict(report),
        readings=[ReadingOut.of(item) for item in readings if item.lfdi == home.lfdi],
    )
