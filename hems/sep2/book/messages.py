"""What the utility tells the people of the home, and what it granted their car or battery."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from hems.sep2 import resources as res
from hems.sep2.book.requests import Request
from hems.sep2.book.states import EventState
from hems.sep2.rules.lifecycle import Phase


class Priority(IntEnum):
    """How urgent a message is."""

    LOW = 0
    NORMAL = 1
    HIGH = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Message:
    """A TextMessage for the owner; times are UTC epoch seconds of the home's clock.

    Attributes:
        mrid: Its mRID, for `Engine.acknowledge`.
        program: Who sends it.
        text: What it says.
        originator: Who signs it; empty if nobody does.
        priority: See `Priority`; what is reserved counts as normal.
        starts_at: From when it is to be shown.
        ends_at: Until when.
        shown: Whether it is to be shown now.
        acknowledged: Whether the owner has read it.
        wants_answer: Whether the server asks to be told of that.
    """

    mrid: str
    program: str
    text: str
    originator: str
    priority: Priority
    starts_at: float
    ends_at: float
    shown: bool
    acknowledged: bool
    wants_answer: bool


@dataclass(frozen=True, slots=True)
class Reservation:
    """A flow reservation that the home asked for, and what came of it.

    Attributes:
        request: What was asked.
        granted: The event that grants it; None while there is none.
        power_w: Power granted now, charging positive; 0 outside of its time.
        energy_wh: Energy granted, charging positive; 0 while there is no grant.
        running: Whether it runs now.
    """

    request: Request
    granted: EventState | None
    power_w: float = 0.0
    energy_wh: float = 0.0
    running: bool = False


_ASKS_CUSTOMER = 4


def messages(states: Iterable[EventState]) -> tuple[Message, ...]:
    """Return the messages among events that are not refused, the most urgent first."""
    found = [_message(s, s.control) for s in states if isinstance(s.control, res.TextMessage)]
    return tuple(sorted((m for m in found if m), key=lambda m: (-m.priority, m.starts_at)))


def _message(state: EventState, control: res.TextMessage) -> Message | None:
    if state.phase is Phase.REJECTED:
        return None
    known = control.priority in {int(p) for p in Priority}
    event = state.event
    return Message(
        mrid=event.mrid,
        program=event.program.name,
        text=control.text_message,
        originator=control.originator or "",
        priority=Priority(control.priority) if known else Priority.NORMAL,
        starts_at=state.starts_at,
        ends_at=state.ends_at,
        shown=state.phase is Phase.STARTED,
        acknowledged=state.acknowledged,
        wants_answer=event.reply_to is not None and bool(event.response_required & _ASKS_CUSTOMER),
    )


def reservations(
    requests: Mapping[str, Request], states: Iterable[EventState]
) -> tuple[Reservation, ...]:
    """Return what was asked for, each with the grant that runs, or else the latest one."""
    grants: dict[str, list[EventState]] = {}
    over = {Phase.REJECTED, Phase.CANCELLED, Phase.SUPERSEDED}
    for state in states:
        control = state.control
        if isinstance(control, res.FlowReservationResponse) and state.phase not in over:
            grants.setdefault(control.subject.upper(), []).append(state)
    return tuple(_reservation(r, grants.get(mrid, [])) for mrid, r in requests.items())


def _reservation(request: Request, grants: list[EventState]) -> Reservation:
    if not grants:
        return Reservation(request, None)
    state = max(grants, key=lambda s: (s.phase is Phase.STARTED, s.event.creation_time))
    control, running = state.control, state.phase is Phase.STARTED
    if not isinstance(control, res.FlowReservationResponse):
        return Reservation(request, state)
    power_w = control.power_available.watts if running and not state.opted_out else 0.0
    return Reservation(request, state, power_w, control.energy_available.watt_hours, running)
