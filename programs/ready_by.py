"""Ready by: a car that would miss its time if it waited any longer is charged at full power.

The plan charges when it costs least, and is made by another process. This rule needs no plan: it
knows only what is missing, by when, and how fast the car takes it, and speaks with the owner's
rank, so that no price and no plan, fresh or old, leaves a car behind. Limits of the utility may.
"""

from dataclasses import dataclass
from typing import Final

from der.model import Control, DeviceState, Quality
from der.sentence import say
from programs.about import About
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal, Rank

ID = "ready-by"

ABOUT: Final = About(
    use_cases=(),
    title="Cars ready by their time",
    triggered_by="A departure that would be missed if the car waited any longer",
    asks="The car charges at full power.",
    ends="When the car has what it needs, or leaves.",
    leaving="It cannot be left; a car without a time set asks nothing.",
)

_RUNS_W: Final = 100.0
"""A car that draws more than this charges."""


@dataclass(frozen=True, slots=True)
class Departure:
    """What a car is to have by when.

    Attributes:
        device: Id of its charger.
        ready_at: UTC epoch seconds.
        missing_wh: What it still has to draw by then.
        power_w: What the car takes at most; None for all that its charger gives.
        words: The time for the owner to read ("07:00").
    """

    device: str
    ready_at: float
    missing_wh: float
    power_w: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class ReadyByPolicy:
    """Which cars are to be ready, and how early the rule steps in.

    Attributes:
        departures: What the cars are to have.
        slack_share: Time kept in hand, as a share of the charging time: batteries take less
            towards their end.
        slack_s: Time kept in hand besides, s.
        band_s: A car that charges goes on until it is ahead by this much, s.
        valid_s: How long one statement lasts unless renewed, s.
    """

    departures: tuple[Departure, ...] = ()
    slack_share: float = 0.1
    slack_s: float = 600.0
    band_s: float = 900.0
    valid_s: float = 60.0


def latest_start(departure: Departure, most_w: float, policy: ReadyByPolicy) -> float:
    """Return the last moment to begin at full power, UTC epoch seconds.

    Args:
        departure: What the car is to have.
        most_w: What its charger gives, positive.
        policy: How much time is kept in hand.
    """
    power_w = most_w if departure.power_w is None else min(most_w, departure.power_w)
    needs_s = departure.missing_wh / power_w * 3600.0
    return departure.ready_at - needs_s * (1.0 + policy.slack_share) - policy.slack_s


def propose(inputs: Inputs, policy: ReadyByPolicy) -> tuple[Proposal, ...]:
    """Return the wish to charge now for each car that must not wait any longer.

    Args:
        inputs: The home and what is asked of it.
        policy: Which cars are to be ready.
    """
    return tuple(
        Proposal(
            ID,
            Rank.OWNER,
            departure.device,
            Bounds(lower_w=state.spec.max_w),
            None,
            inputs.now + policy.valid_s,
            reason=_reason(departure),
        )
        for departure in policy.departures
        if (state := inputs.devices.get(departure.device)) is not None
        and _pressing(state, departure, inputs.now, policy)
    )


def _pressing(state: DeviceState, departure: Departure, now: float, policy: ReadyByPolicy) -> bool:
    spec, reading = state.spec, state.reading
    if spec.control is not Control.CEILING or spec.max_w <= 0 or departure.missing_wh <= 0:
        return False
    if reading is not None and (reading.connected is False or reading.wants_power is False):
        return False
    charges = reading is not None and state.quality is Quality.GOOD and reading.power_w > _RUNS_W
    lead_s = policy.band_s if charges else 0.0
    return now >= latest_start(departure, spec.max_w, policy) - lead_s


def _reason(departure: Departure) -> str:
    if not departure.words:
        return say("It charges now: waiting any longer, it would not be ready in time")
    return say(
        "It charges now: waiting any longer, it would not be ready by {time}",
        time=departure.words,
    )
