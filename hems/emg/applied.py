"""What the home really does of a load control, for the utility's answer (DrResponse)."""

from collections.abc import Mapping, Sequence

from hems.sep2.book.answers import Applied
from programs.signal import Signal, SignalKind


def applied(signals: Sequence[Signal], net_w: float | None, now: float) -> Mapping[str, Applied]:
    """Return what is known of each load control in force, by mRID.

    Args:
        signals: What is asked.
        net_w: Net power at the meter in W, import positive; None while unknown.
        now: UTC epoch seconds.
    """
    done = [(s.event, _done(s, net_w)) for s in signals if s.in_force(now)]
    return {event: what for event, what in done if what is not None}


def _done(signal: Signal, net_w: float | None) -> Applied | None:
    if signal.kind is SignalKind.DUTY_CYCLE:
        return Applied(duty_cycle=signal.value)
    if signal.baseline_w is None:
        return None
    if signal.kind is SignalKind.ENERGY:
        return Applied(reduction=max(signal.delivered_wh, 0.0))
    if signal.kind is SignalKind.SHED and net_w is not None:
        return Applied(reduction=max(signal.baseline_w - net_w, 0.0))
    return None
