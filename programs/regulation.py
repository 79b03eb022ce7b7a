"""Frequency regulation (BUC-3): a battery follows an aggregator's signal around a base point.

The signal is a share of what was committed, renewed every few seconds. The base point is what the
home's own cycle tells the battery; while a signal is followed, it drifts so as to bring the charge
back to where there is as much room up as down, for a signal that is neutral in energy leaves only
the losses to be made up for. A signal that stops is faded out, and what remains is the response to
the measured frequency (`programs.frequency`).

What the base leaves of the device's range and of every limit of the home is the span within which
the power may swing; beyond it, it never does. Here is what the loop computes, pure.
"""

from dataclasses import dataclass, replace
from typing import Final

from der.curves import Droop
from der.model import Control, DeviceState, Quality
from der.sentence import say
from programs.about import About, Latency
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal, Rank
from programs.rules import kilowatts
from programs.signal import SignalKind
from programs.support import SupportWish

ID: Final = "regulation"

ABOUT: Final = About(
    use_cases=("BUC-3",),
    title="Frequency regulation",
    triggered_by="The aggregator: an event of its programme, then a signal every few seconds",
    asks="A battery moves around its base point by a share of the power that was committed.",
    ends="With the event; a signal that stops is faded out within seconds",
    carried_by=(
        "DERControl opModStorageTargetW, opModTargetW (the commitment and its base point)",
        "MQTT over TLS (the signal)",
    ),
    clause="IEEE 2030.5 DERControlBase; PJM Manual 12 (performance score)",
    latency=Latency.SUB_SECOND,
    leaving="The commitment is broken off: the rest of the period earns nothing and scores zero",
)

INVERTER_S: Final = 900.0
"""How long an inverter keeps a droop that nobody asks for any more."""
_SET_POINTS: Final = frozenset({SignalKind.STORAGE_POWER, SignalKind.DER_POWER})


@dataclass(frozen=True, slots=True)
class RegulationPolicy:
    """What is committed, and how the charge is looked after.

    Attributes:
        device: The battery; empty where none regulates.
        capacity_w: Power committed up and down, W.
        rank: How strong the commitment's word is.
        follows: Whether a signal is followed; without, only the measured frequency counts, and
            the base stays what the home makes of it.
        cause: mRID of the event behind it, empty if none.
        asked_by: Whose commitment it is, for the owner.
        soc: Charge that the base brings the battery back to, 0 to 1.
        restore_s: Time in which it makes up for what is missing.
        restore_share: Most power that it takes for that, as a share of the capacity.
        loops: Whether the hub's loop moves the battery, which needs room for that.
        inverter: Droop that the battery's own inverter is to run, where it is to; None else.
        since: Since when that is asked, UTC epoch seconds.
        valid_s: How long one statement lasts unless renewed.
    """

    device: str = ""
    capacity_w: float = 0.0
    rank: Rank = Rank.ECONOMY
    follows: bool = False
    cause: str = ""
    asked_by: str = "the home"
    soc: float = 0.5
    restore_s: float = 3600.0
    restore_share: float = 0.5
    loops: bool = True
    inverter: Droop | None = None
    since: float = 0.0
    valid_s: float = 60.0


def propose(inputs: Inputs, policy: RegulationPolicy) -> tuple[Proposal, ...]:
    """Return the base that leaves room for the swing, where a battery regulates.

    The room is a wish of the owner's rank at most: it never keeps a battery from what the utility
    asks of it. The base that brings the charge back has the commitment's rank.

    Args:
        inputs: The home and what is asked of it.
        policy: What is committed.
    """
    battery = inputs.devices.get(policy.device)
    if battery is None or battery.spec.control is not Control.TARGET:
        return ()
    if not (policy.loops and policy.capacity_w):
        return ()
    spec = battery.spec
    middle_w = (spec.min_w + spec.max_w) / 2
    room = Bounds(
        min(spec.min_w + policy.capacity_w, middle_w), max(spec.max_w - policy.capacity_w, middle_w)
    )
    expires_at, cause = inputs.now + policy.valid_s, policy.cause
    reason = say(
        "{asked_by} has {capacity} of it for regulation",
        asked_by=policy.asked_by,
        capacity=kilowatts(policy.capacity_w),
    )
    rank = max(policy.rank, Rank.OWNER)
    asked = [Proposal(ID, rank, spec.id, room, None, expires_at, cause, reason)]
    told = any(s.kind in _SET_POINTS for s in inputs.signals if s.in_force(inputs.now))
    if policy.follows and not told:
        base_w = room.clamp(restore_w(battery, policy))
        asked.append(
            Proposal(ID, policy.rank, spec.id, Bounds(), base_w, expires_at, cause, reason)
        )
    return tuple(asked)


def propose_support(inputs: Inputs, policy: RegulationPolicy) -> tuple[SupportWish, ...]:
    """Return the droop that the battery's inverter is to run by itself.

    An inverter reckons in shares of its rating, and what was agreed to is less: the same watts for
    the same hertz are a flatter droop.

    Args:
        inputs: The home and what is asked of it.
        policy: Whether it is to.
    """
    battery = inputs.devices.get(policy.device)
    if policy.inverter is None or battery is None or not policy.capacity_w:
        return ()
    flatter = max(-battery.spec.min_w / policy.capacity_w, 1.0)
    droop = replace(
        policy.inverter,
        over_droop=policy.inverter.over_droop * flatter,
        under_droop=policy.inverter.under_droop * flatter,
    )
    reason = say("The battery helps to hold the grid's frequency")
    expires_at = inputs.now + INVERTER_S
    return (
        SupportWish(
            ID,
            policy.rank,
            policy.device,
            droop,
            policy.since,
            expires_at,
            policy.cause,
            reason,
        ),
    )


def restore_w(battery: DeviceState, policy: RegulationPolicy) -> float:
    """Return the power in W that brings the charge back to its aim; 0 where it is not known."""
    reading = battery.reading
    if reading is None or battery.quality is not Quality.GOOD:
        return 0.0
    if reading.soc is None or reading.capacity_wh is None:
        return 0.0
    missing_wh = (policy.soc - reading.soc) * reading.capacity_wh
    most_w = policy.restore_share * policy.capacity_w
    return min(max(missing_wh * 3600.0 / policy.restore_s, -most_w), most_w)


@dataclass(frozen=True, slots=True)
class FadePolicy:
    """What becomes of a signal that stops.

    Attributes:
        stale_s: One not renewed for this long has stopped.
        fade_s: Time in which it then fades out.
    """

    stale_s: float = 10.0
    fade_s: float = 10.0


def faded(value: float, age_s: float, policy: FadePolicy) -> float:
    """Return what a signal counts at an age, a share of the capacity.

    Args:
        value: The last that came, -1 to 1.
        age_s: Since when, s.
        policy: When it counts as stopped.
    """
    over_s = age_s - policy.stale_s
    if over_s <= 0:
        return value
    return value * max(1.0 - over_s / policy.fade_s, 0.0) if policy.fade_s > 0 else 0.0


def signal_w(value: float, capacity_w: float) -> float:
    """Return what a signal asks, W, passive sign.

    A regulation signal counts more generation as positive, as markets do; here is the one place
    where that is turned round.
    """
    return -value * capacity_w + 0.0


def target_w(base_w: float, swing_w: float, span: Bounds) -> float:
    """Return the set-point: base and swing, within the span.

    The base itself is the arbiter's word and always holds: a span that does not reach it, because
    it is older, is stretched to it.

    Args:
        base_w: What the cycle tells the battery.
        swing_w: By how much it is to differ from that.
        span: Where the power may be while all limits hold.
    """
    reach = Bounds(min(span.lower_w, base_w), max(span.upper_w, base_w))
    return reach.clamp(base_w + swing_w)


def slewed(before_w: float, wanted_w: float, most_w: float) -> float:
    """Return the swing nearest to the wanted one that differs by at most `most_w` from before."""
    return min(max(wanted_w, before_w - most_w), before_w + most_w)
