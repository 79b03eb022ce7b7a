"""What the programmes share: which signals count now, and how strong their word is."""

from collections.abc import Mapping, Sequence

from der.model import Control, DeviceState
from der.sentence import Quantity
from programs.ownership import reached
from programs.proposal import GENERATION, Bounds, Proposal, Rank
from programs.signal import Signal, SignalKind

PRODUCING = frozenset({Control.FLOOR, Control.TARGET})
"""Controls through which a device's production can be held back."""

SHEDDABLE = frozenset({Control.CEILING, Control.SWITCH})
"""Controls through which a device's consumption can be taken away."""


def in_force(signals: Sequence[Signal], kind: SignalKind, now: float) -> tuple[Signal, ...]:
    """Return the signals of one kind that count at `now`, UTC epoch seconds."""
    return tuple(s for s in signals if s.kind is kind and s.in_force(now))


def about(
    signal: Signal, devices: Mapping[str, DeviceState], rank: Rank | None = None
) -> Sequence[DeviceState]:
    """Return the devices that a signal is about: all of them, or those that it names.

    Without those whose owner it does not reach, so that nobody counts on them.

    Args:
        signal: What is asked.
        devices: The home's devices, by id.
        rank: How strong its word is; None for what `rank_of` says.
    """
    rank = rank_of(signal) if rank is None else rank
    return [
        device
        for name, device in devices.items()
        if (not signal.devices or name in signal.devices) and reached(device.spec, rank)
    ]


def rank_of(signal: Signal) -> Rank:
    """Return how strong a signal's word is: emergency, binding, or accepted by the owner."""
    if signal.emergency:
        return Rank.EMERGENCY
    return Rank.BINDING if signal.binding else Rank.ACCEPTED


def wish(
    source: str, signal: Signal, rank: Rank, target: str, bounds: Bounds, *, reason: str
) -> Proposal:
    """Return the proposal that a signal gives rise to; it is void when the signal ends."""
    return Proposal(source, rank, target, bounds, None, signal.ends_at, signal.event, reason)


def generation_floor(
    source: str,
    signal: Signal,
    most_w: float,
    devices: Mapping[str, DeviceState],
    reason: str,
) -> Sequence[Proposal]:
    """Let all that produces, or those devices that a signal names, give at most `most_w`.

    The home as a whole is one sum, which the allocator shares out. Devices of a signal's own share
    by their rating.
    """
    if not signal.devices:
        bounds = Bounds(lower_w=-most_w)
        return (wish(source, signal, rank_of(signal), GENERATION, bounds, reason=reason),)
    makers = [d for d in about(signal, devices) if d.spec.control in PRODUCING and d.spec.min_w < 0]
    whole_w = sum(d.spec.min_w for d in makers)
    return [
        wish(
            source,
            signal,
            rank_of(signal),
            maker.spec.id,
            Bounds(lower_w=-most_w * maker.spec.min_w / whole_w),
            reason=reason,
        )
        for maker in makers
    ]


def withhold(
    source: str, signal: Signal, rank: Rank, devices: Mapping[str, DeviceState], reason: str
) -> tuple[Proposal, ...]:
    """Ask every sheddable device to stop and every battery not to charge.

    For signals measured against a baseline that nobody knows (the meter was lost when the event
    began): what cannot be measured is answered with all that can be given up.
    """
    stop = Bounds(upper_w=0.0)
    return tuple(
        wish(source, signal, rank, state.spec.id, stop, reason=reason)
        for state in about(signal, devices, rank)
        if state.spec.control in SHEDDABLE or state.spec.control is Control.TARGET
    )


def kilowatts(power_w: float) -> Quantity:
    """Return a power for the owner to read: "1.5 kW"."""
    return Quantity(f"{power_w / 1000:.3g}", "kW")
