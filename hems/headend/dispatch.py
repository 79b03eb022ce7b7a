"""From an operator's order to an event: pure rules that refuse nonsense in one sentence."""

import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hems.headend.asks import check_ramp, check_values
from hems.headend.curves import CurveOrder
from hems.headend.errors import ConflictError, DispatchError
from hems.headend.modes import MODES_OF, Mode, Value
from hems.headend.records import Event, Program
from hems.headend.status import EventState, Status

MAX_DURATION_S = 7 * 86400
MAX_LEAD_S = 366 * 86400
MAX_PAST_S = 60
_RANDOM_S = 3600
_EPOCH_MIN = 1_000_000_000
_OFFSET = re.compile(r"\+(\d{1,8})([smh])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600}
_RANDOM_BITS = 45
_TIME_BITS = 51


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator asks for, before it is judged.

    Attributes:
        values: By mode, in the mode's unit; of curves the mRID.
        duration_s: How long.
        program: Name or mRID of the programme; None for the first fitting voluntary one.
        start: Epoch seconds, an offset such as "+5m", or None for now.
        randomize_start_s: Range of the start's shift.
        randomize_duration_s: Range of the duration's change.
        curves: Curves that come with the order, by the mode that they are for.
        ramp_s: How long a device takes to go over; None for its default rate.
        raw: Whether what makes no sense, yet can be told, may pass: homes are tested with it.
    """

    values: Mapping[Mode, Value]
    duration_s: float
    program: str | None = None
    start: float | str | None = None
    randomize_start_s: int = 0
    randomize_duration_s: int = 0
    curves: Mapping[Mode, CurveOrder] = field(default_factory=dict)
    ramp_s: float | None = None
    raw: bool = False

    @property
    def modes(self) -> frozenset[Mode]:
        """All modes that it asks for."""
        return frozenset(self.values) | frozenset(self.curves)


def make_mrid(now: float, pen: int) -> str:
    """Return a new mRID: 51 bits of time in microseconds, 45 random bits, then the PEN.

    Clients break ties of creationTime by the greater mRID; with the time in front it is always
    the later event that wins, as UUID version 7 does it.
    """
    high = int(now * 1e6) & (2**_TIME_BITS - 1)
    return f"{high << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS):024X}{pen:08X}"


def make_event(order: Order, programs: Sequence[Program], now: float, mrid: str) -> Event:
    """Judge an order and return its event.

    Args:
        order: What is asked; its curves are in the programme already and among its values.
        programs: All programmes.
        now: Epoch seconds; the event counts as accepted then.
        mrid: Its mRID.

    Raises:
        DispatchError: The order makes no sense; the message says which field and why.
    """
    _check_modes(order.modes)
    if order.curves:
        names = ", ".join(sorted(mode.value for mode in order.curves))
        raise DispatchError(f"the programme does not have the curves of {names} yet")
    check_values(order.values, raw=order.raw)
    check_ramp(order.ramp_s)
    program = find_program(order, programs)
    duration = _duration(order.duration_s)
    start = start_of(order.start, now)
    if start + duration <= now:
        raise DispatchError("the event would be over before it began")
    for name, value in (
        ("randomize_start_s", order.randomize_start_s),
        ("randomize_duration_s", order.randomize_duration_s),
    ):
        if not -_RANDOM_S <= value <= _RANDOM_S:
            raise DispatchError(f"{name} {value} is outside -3600 to 3600 s")
    if duration + order.randomize_duration_s <= 0:
        raise DispatchError("randomize_duration_s could shorten the event to nothing")
    return Event(
        mrid,
        program.index,
        dict(order.values),
        start,
        duration,
        order.randomize_start_s,
        order.randomize_duration_s,
        now,
        ramp_s=order.ramp_s,
    )


def _check_modes(modes: frozenset[Mode]) -> None:
    if not modes:
        names = ", ".join(mode.value for mode in Mode)
        raise DispatchError(f"the event asks for nothing: give one of {names}")
    if {Mode.SHED, Mode.ENERGY} <= modes:
        raise DispatchError("shed_w and reduce_energy_wh cannot stand in one event")


def find_program(order: Order, programs: Sequence[Program]) -> Program:
    """Return the programme that is to carry an order.

    Raises:
        DispatchError: None carries it, or not the one that is named.
    """
    modes = order.modes
    fitting = [program for program in programs if modes <= MODES_OF[program.kind]]
    if not fitting:
        names = ", ".join(sorted(mode.value for mode in modes))
        raise DispatchError(f"no programme carries {names} together")
    if order.program is None:
        # To shed is an emergency's word; all else is asked of those who may say no.
        emergency = Mode.SHED in modes
        every = [program for program in fitting if program.group is None]
        return next((p for p in every if p.mandatory is emergency), every[0])
    wanted = order.program.casefold()
    for program in programs:
        named = program.group is None and wanted == program.name.casefold()
        if named or wanted == program.mrid.casefold():
            if program in fitting:
                return program
            names = ", ".join(sorted(mode.value for mode in modes))
            raise DispatchError(
                f"programme {program.name!r} is of kind {program.kind.value} "
                f"and does not carry {names}"
            )
    known = ", ".join(program.name for program in programs if program.group is None)
    raise DispatchError(f"no programme {order.program!r}; there are: {known}")


def _duration(duration_s: float) -> int:
    if not math.isfinite(duration_s) or not 1 <= duration_s <= MAX_DURATION_S:
        raise DispatchError(f"a duration of {duration_s} s is outside 1 s to 7 days")
    return round(duration_s)


def start_of(start: float | str | None, now: float) -> int:
    """Return when something is to begin.

    Args:
        start: Epoch seconds, an offset such as "+5m", or None for now.
        now: Epoch s.

    Raises:
        DispatchError: It is none of these, or too far from now.
    """
    if start is None:
        return int(now)
    if isinstance(start, str):
        match = _OFFSET.fullmatch(start)
        if match is None:
            raise DispatchError(f"start {start!r} is neither epoch seconds nor an offset as +5m")
        at = math.ceil(now + int(match[1]) * _UNIT_S[match[2]])
    elif math.isfinite(start) and start >= _EPOCH_MIN:
        at = int(start)
    else:
        raise DispatchError(f"start {start} is not epoch seconds; write an offset as '+300s'")
    if at < now - MAX_PAST_S:
        raise DispatchError(f"start {at} lies more than {MAX_PAST_S} s in the past")
    if at > now + MAX_LEAD_S:
        raise DispatchError(f"start {at} lies more than a year ahead")
    return at


def check_cancel(event: Event, state: EventState) -> None:
    """Refuse to cancel what is over.

    Raises:
        ConflictError: The event is completed, or cancelled already.
    """
    if event.cancelled_at is not None:
        raise ConflictError(f"event {event.mrid} is cancelled already")
    if state.status is Status.COMPLETED:
        raise ConflictError(f"event {event.mrid} is over")
