"""Reserve (BUC-8 and BUC-9): power held back for the grid, and given in full when it is called.

| time | what is asked of the home |
|---|---|
| before a committed interval | batteries charge in time for what they must then have |
| within it, until called | each keeps its part: the power free, and the energy for the whole time |
| called | net power is lower by what was committed than when the call began, and stays so |
| after the call | no import above the greatest of the day until the batteries are filled again |

Spinning reserve must be there in full within 10 minutes of the call, day-ahead scheduling reserve
within 30; this home needs seconds, so the two differ in when they are committed alone.

What is held back counts as much as the agreement binds, and so do the calls: it comes before the
owner's wishes and what pays, and after safety, emergencies and the owner's own reserve of charge.
Beside a limit at the connection point of the same rank the loads give way first, and the battery
then only as far as nothing else helps; what is then missing is said (`hems.reserves`).

The utility offers nothing here: the home offers by a FlowReservationRequest whose power and energy
are negative, which means to give; a FlowReservationResponse commits. The call is an event of the
programme that the agreement names, of any mode that lowers net power, which begins in the interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der.sentence import say
from programs.about import About, Latency
from programs.capability import S_PER_H, Store, StoreFacts, split, stores
from programs.commitment import ALMOST, Commitment, held
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.rules import in_force, kilowatts, rank_of, wish, withhold
from programs.signal import Signal, SignalKind

ID: Final = "reserve"

ABOUT: Final = About(
    use_cases=("BUC-8", "BUC-9"),
    title="Reserve",
    triggered_by="The utility: it commits what the home has offered, and calls it when it must",
    asks="Batteries keep what is committed; when called, the home takes so much less, at once and "
    "for the whole time.",
    ends="With the committed interval, or when the utility takes it back; a call with its event.",
    carried_by=(
        "FlowReservationRequest (the offer)",
        "FlowReservationResponse (the commitment)",
        "EndDeviceControl TargetReduction, or a DERControl, of the programme named (the call)",
    ),
    clause="IEEE 2030.5, flow reservation, DRLC and DER function sets",
    latency=Latency.SECONDS,
    leaving="What is not delivered is not paid, and the utility may ask less of this home later.",
)

_EASY: Final = 0.5
"""What is missing is charged in time at this share of a battery's power, so that some is left."""
_SOON_S: Final = 600.0
"""What is missing within the interval is charged over this time."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """The time after a call.

    Attributes:
        until: UTC epoch seconds.
        most_w: Net power that the home keeps under until then: the day's greatest before the call.
    """

    until: float
    most_w: float


@dataclass(frozen=True, slots=True)
class ReservePolicy:
    """What is committed, and how it is kept.

    Attributes:
        commitments: Those that are not over.
        programs: Names of the programmes whose events are calls.
        facts: Of batteries, by id.
        reserve_soc: The owner's own reserve, which is never promised.
        recovery: Set for a while after a call.
        valid_s: How long one statement lasts unless renewed, in s.
    """

    commitments: tuple[Commitment, ...] = ()
    programs: frozenset[str] = frozenset()
    facts: Mapping[str, StoreFacts] = field(default_factory=dict)
    reserve_soc: float = 0.1
    recovery: Recovery | None = None
    valid_s: float = 60.0


def behind(signal: Signal, policy: ReservePolicy) -> tuple[Commitment, ...]:
    """Return the commitments that an event calls: those in whose interval it begins.

    None where its programme is not the reserve's, or it asks the home for nothing less.
    """
    if signal.program not in policy.programs or signal.kind not in _CALLING:
        return ()
    begins = signal.starts_at
    return tuple(c for c in policy.commitments if c.starts_at - _APART_S <= begins < c.ends_at)


_APART_S: Final = 0.5
"""So far apart the same second of the utility's clock may lie, as two parts of the home reckon it
while that clock is being followed."""
_CALLING: Final = frozenset(
    {
        SignalKind.SHED,
        SignalKind.RESERVE,
        SignalKind.STORAGE_POWER,
        SignalKind.DER_POWER,
        SignalKind.IMPORT_LIMIT,
    }
)
"""What a call may ask: less than before, or a power that is lower."""


def recognised(signals: Sequence[Signal], policy: ReservePolicy) -> tuple[Signal, ...]:
    """Return the signals with those that call a reserve told from emergencies.

    A reduction that calls a reserve asks for no more than is committed, and empties nobody's own
    reserve. Calls of other modes are set-points and limits like any other.
    """
    if not policy.commitments or not policy.programs:
        return tuple(signals)
    return tuple(_recognised(signal, policy) for signal in signals)


def _recognised(signal: Signal, policy: ReservePolicy) -> Signal:
    called = behind(signal, policy)
    if signal.kind is not SignalKind.SHED or not called:
        return signal
    value = min(signal.value, sum(c.power_w for c in called))
    return replace(signal, kind=SignalKind.RESERVE, value=value, emergency=False)


def asked_w(signal: Signal, called: Iterable[Commitment], baseline_w: float | None) -> float:
    """Return by how much net power is to fall for a call, never more than is committed.

    Args:
        signal: The call.
        called: What it calls.
        baseline_w: Net power when it began; None where that is not known.
    """
    committed_w = sum(c.power_w for c in called)
    if signal.kind is SignalKind.IMPORT_LIMIT:
        lower_w = committed_w if baseline_w is None else baseline_w - signal.value
    elif signal.kind in {SignalKind.STORAGE_POWER, SignalKind.DER_POWER}:
        lower_w = -signal.value
    else:
        lower_w = signal.value
    return min(lower_w, committed_w) if lower_w > 0 else 0.0  # nor for what is no number


def propose(inputs: Inputs, policy: ReservePolicy) -> tuple[Proposal, ...]:
    """Return what calls ask for, what batteries hold back, and what keeps a rebound away.

    Args:
        inputs: The home and what is asked of it.
        policy: What is committed.
    """
    proposals: list[Proposal] = []
    for signal in in_force(inputs.signals, SignalKind.RESERVE, inputs.now):
        proposals += _delivered(signal, inputs, policy)
    proposals += _held(inputs, policy)
    recovery = policy.recovery
    if recovery is not None and inputs.now < recovery.until:
        reason = say(
            "After a call of the reserve the home takes at most {most}",
            most=kilowatts(recovery.most_w),
        )
        bounds = Bounds(upper_w=max(recovery.most_w, 0.0))
        proposals.append(
            Proposal(ID, Rank.ECONOMY, HOME, bounds, None, recovery.until, reason=reason)
        )
    return tuple(proposals)


def _delivered(signal: Signal, inputs: Inputs, policy: ReservePolicy) -> list[Proposal]:
    """Return what a call asks: that much less than when it began, and no less than that.

    More is not given, lest the battery be empty before the time is over.
    """
    rank = rank_of(signal)
    words = say(
        "{program} calls its reserve: {power} less",
        program=signal.program,
        power=kilowatts(signal.value),
    )
    if signal.baseline_w is None:
        reason = say("{called}; the power before it is not known", called=words)
        proposals = list(withhold(ID, signal, rank, inputs.devices, reason))
        found = stores(inputs.devices.values(), policy.facts, policy.reserve_soc)
        shares = split(found, signal.ends_at - inputs.now)
        return proposals + [
            replace(
                wish(ID, signal, rank, store.device, Bounds(), reason=reason),
                preferred_w=max(-signal.value * shares.get(store.device, 0.0), store.least_w),
            )
            for store in found
        ]
    limit_w = signal.baseline_w - signal.value
    bounds = Bounds(upper_w=limit_w)
    return [
        replace(
            wish(
                ID,
                signal,
                rank,
                HOME,
                bounds,
                reason=say("{called} than when it began", called=words),
            ),
            preferred_w=limit_w,
        )
    ]


def called(signals: Sequence[Signal], policy: ReservePolicy, now: float) -> frozenset[str]:
    """Return the ids of the commitments that are being called now."""
    running = (s for s in signals if s.in_force(now))
    return frozenset(c.id for signal in running for c in behind(signal, policy))


def _held(inputs: Inputs, policy: ReservePolicy) -> list[Proposal]:
    """Return what batteries must keep, or take in, for what is committed and not being called."""
    now = inputs.now
    busy = called(inputs.signals, policy, now)
    free = [c for c in policy.commitments if c.id not in busy and now < c.ends_at]
    found = stores(inputs.devices.values(), policy.facts, policy.reserve_soc)
    proposals: list[Proposal] = []
    for store in found:
        present = [c for c in free if c.starts_at <= now]
        if present:
            proposals += _kept(store, present, found, now, policy)
        for each in free:
            if each.starts_at > now:
                overlapping = [c for c in free if c.starts_at <= each.starts_at < c.ends_at]
                proposals += _readied(store, overlapping, found, now, policy)
    return proposals


def _kept(
    store: Store,
    present: Sequence[Commitment],
    found: Sequence[Store],
    now: float,
    policy: ReservePolicy,
) -> list[Proposal]:
    """Return what a battery keeps in the interval, and what it charges where it has too little."""
    part = held(present, store, found, now)
    if part.power_w <= 0:
        return []
    first = min(present, key=lambda c: c.rank)
    promised = kilowatts(sum(c.power_w for c in present))
    least_w, reason = (
        part.least_w(store),
        say(
            "Keeps the reserve of {promised} for {utility}",
            promised=promised,
            utility=first.utility,
        ),
    )
    missing_wh = part.missing_wh(store)
    if missing_wh > ALMOST * part.energy_wh / store.given:
        least_w = min(missing_wh / store.taken * S_PER_H / _SOON_S, store.most_w)
        reason = say(
            "Charges: the reserve for {utility} lacks {missing:.1f} kWh",
            utility=first.utility,
            missing=missing_wh / 1000,
        )
    return [_asked(store, first, least_w, reason, now + policy.valid_s)]


def _readied(
    store: Store,
    coming: Sequence[Commitment],
    found: Sequence[Store],
    now: float,
    policy: ReservePolicy,
) -> list[Proposal]:
    """Return charging that begins in time for what a battery must have when all of it holds."""
    starts_at = max(c.starts_at for c in coming)
    missing_wh = held(coming, store, found, starts_at).missing_wh(store)
    if missing_wh <= 0 or store.most_w <= 0:
        return []
    needed_w = missing_wh * (1.0 + ALMOST) / store.taken * S_PER_H / max(starts_at - now, 1.0)
    if needed_w < _EASY * store.most_w:
        return []
    first = min(coming, key=lambda c: c.rank)
    reason = say("Charges for the reserve that {utility} may call soon", utility=first.utility)
    return [_asked(store, first, min(needed_w, store.most_w), reason, now + policy.valid_s)]


def _asked(
    store: Store, commitment: Commitment, least_w: float, reason: str, expires_at: float
) -> Proposal:
    return Proposal(
        ID,
        commitment.rank,
        store.device,
        Bounds(lower_w=least_w),
        None,
        expires_at,
        commitment.id,
        reason,
    )
