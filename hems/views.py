"""From the home's own records to what a person sees; pure."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from der.model import DeviceKind, DeviceState, Ownership, Quality, Reading, Safeguard
from der.sentence import in_turn, say, together
from hems import link_words
from hems.cem.arbiter import Decision, Span
from hems.cem.orders import FREE, Order
from hems.emg.ratings import Ratings
from hems.emg.translate import meanings
from hems.emg.words import effect, title
from hems.image import Image
from hems.sep2.book.engine import EventState
from hems.sep2.client import ClientState
from hems.sep2.rules.lifecycle import Phase
from hems.surface import (
    DeviceView,
    EventView,
    MessageView,
    PriceView,
    Snapshot,
    UtilityView,
)
from programs import economy, ready_by, runs
from programs.owner import Wish
from programs.proposal import HOME, Rank

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_IDLE: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})
_UNGUARDED: Final[Mapping[str, Safeguard]] = MappingProxyType({})
_UNWISHED: Final[Mapping[str, Wish]] = MappingProxyType({})
NO_UTILITY: Final = UtilityView("off", say("No utility is configured"), "", "", None)

_WELL: Final = frozenset({Quality.GOOD, Quality.ASLEEP})

_WANTED: Final = frozenset({DeviceKind.EVSE, DeviceKind.PLUG})
"""What people want to be ready at a time."""
_TELL_WHEN: Final = frozenset({economy.ID, ready_by.ID, runs.ID})
"""Programmes whose reasons tell that time."""

_STATES: Final[Mapping[Phase, str]] = {
    Phase.RECEIVED: "coming",
    Phase.STARTED: "running",
    Phase.COMPLETED: "completed",
    Phase.CANCELLED: "cancelled",
    Phase.SUPERSEDED: "superseded",
    Phase.REJECTED: "rejected",
}

_GONE: Final[Mapping[Phase, str]] = {Phase.SUPERSEDED: say("another order has taken its place")}
"""Why an event is no longer obeyed, where nothing else says so."""


def snapshot(
    image: Image,
    decision: Decision,
    orders: Mapping[str, Order],
    *,
    events: Sequence[EventView],
    utilities: Sequence[UtilityView],
    alarms: Sequence[str],
    refusals: Mapping[str, str] = _NONE,
    safeguards: Mapping[str, Safeguard] = _UNGUARDED,
    wishes: Mapping[str, Wish] = _UNWISHED,
    messages: Sequence[MessageView] = (),
    price: PriceView | None = None,
    functions: Mapping[str, Sequence[str]] = _IDLE,
) -> Snapshot:
    """Return the whole home at the instant of `image`."""
    span = decision.of(HOME).span
    return Snapshot(
        at=image.at,
        seq=image.seq,
        net_w=image.net_w,
        limit_import_w=_asked(span, upper=True),
        limit_export_w=_asked(span, upper=False),
        devices=tuple(
            device(
                state,
                orders.get(name),
                image.at,
                refusals.get(name),
                safeguards.get(name),
                wish=wishes.get(name),
                functions=functions.get(name, ()),
            )
            for name, state in image.devices.items()
        ),
        events=tuple(events),
        utility=utilities[0] if utilities else NO_UTILITY,
        utilities=tuple(utilities),
        messages=tuple(messages),
        price=price,
        alarms=tuple(alarms),
    )


def _asked(span: Span, *, upper: bool) -> float | None:
    """Return a limit that somebody asks for, as a magnitude; the main breaker's goes unsaid."""
    by = span.upper_by if upper else span.lower_by
    edge_w = span.bounds.upper_w if upper else -span.bounds.lower_w
    if by is None or by.rank is Rank.SAFETY or not math.isfinite(edge_w):
        return None
    return edge_w


def device(
    state: DeviceState,
    order: Order | None,
    now: float,
    refusal: str | None = None,
    safeguard: Safeguard | None = None,
    *,
    wish: Wish | None = None,
    functions: Sequence[str] = (),
) -> DeviceView:
    """Return a device as shown.

    Args:
        state: As in the image.
        order: What it is told.
        now: UTC epoch seconds.
        refusal: Why it does not take what it is told; None if it does.
        safeguard: What becomes of it when the hub falls silent; None if that is not known.
        wish: What the owner wishes of it; None for nothing.
        functions: What it does for the grid beside its active power, one sentence each.
    """
    reading = state.reading
    held = None if order is None or order.source == FREE else order.setpoint
    return DeviceView(
        id=state.spec.id,
        name=state.spec.name,
        kind=state.spec.kind.value,
        power_w=None if reading is None else reading.power_w,
        soc=None if reading is None else reading.soc,
        temp_c=None if reading is None else reading.temp_c,
        connected=None if reading is None else reading.connected,
        wants_power=None if reading is None else reading.wants_power,
        quality=state.quality.value,
        age_s=None if reading is None else max(0.0, now - reading.at),
        setpoint_w=None if held is None else held.power_w,
        reason="" if order is None else order.reason,
        # One lost answer is no lost device.
        error=refusal if state.quality in _WELL else state.error,
        ages={} if reading is None else _ages(reading, now),
        suspect=() if reading is None else tuple(sorted(reading.suspect)),
        safe="" if safeguard is None else safeguard.safe,
        risk="" if safeguard is None else safeguard.risk,
        control=state.spec.control.value,
        min_w=state.spec.min_w,
        max_w=state.spec.max_w,
        owned=state.spec.ownership is Ownership.OWNER,
        wish_w=None if wish is None else wish.power_w,
        wish_until=None if wish is None else wish.meant.until,
        functions=tuple(functions),
        wanted=order is not None and order.source in _TELL_WHEN and state.spec.kind in _WANTED,
    )


def _ages(reading: Reading, now: float) -> dict[str, float]:
    """Return the age in s of each value that is older than the reading as a whole."""
    return {
        name: max(0.0, now - at) for name, at in sorted(reading.taken.items()) if at < reading.at
    }


def event(state: EventState, ratings: Ratings, devices: Sequence[DeviceState]) -> EventView:
    """Return a grid event as shown.

    Args:
        state: As the engine has it.
        ratings: What per cents are of.
        devices: The home's devices, to say what it does to them.
    """
    grid_event, asked = state.event, meanings(state.event, ratings)
    titles = [title(kind, value) for kind, value in asked]
    effects = [effect(kind, devices) for kind, _ in asked]
    words = (
        state.reason if state.phase is Phase.REJECTED else together(list(dict.fromkeys(effects)))
    )
    return EventView(
        id=grid_event.mrid,
        program=grid_event.program.name or grid_event.program.mrid,
        title=in_turn(titles) or grid_event.description or _untitled(state),
        effect=words or say("Nothing changes in this home."),
        state=_STATES[state.phase],
        starts_at=state.starts_at,
        ends_at=state.ends_at,
        opted_out=state.opted_out,
        may_opt_out=not grid_event.mandatory and not state.phase.over,
        note=_sentence(state.reason or _GONE.get(state.phase, "")),
    )


def stage(phase: Phase) -> str:
    """Return how far an event has come, as in `EventView.state`."""
    return _STATES[phase]


def _untitled(state: EventState) -> str:
    """Return a title where no mode asks for anything that has a name here."""
    if state.reason:
        return say("Something this home cannot do")
    return say("Go on as usual")  # to be connected, say


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else ""


def utility(state: ClientState, lfdi: str, name: str = "") -> UtilityView:
    """Return how the link to a utility stands."""
    return UtilityView(
        state.state, link_words.told(state.detail), state.server, lfdi, state.last_contact, name
    )
