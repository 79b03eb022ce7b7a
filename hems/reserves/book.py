"""The calls and commitments that are being measured, from one image to the next. No I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from hems.reserves.tally import LONGEST_GAP_S, Call, Watch
from programs.commitment import Commitment
from programs.performance import Performance
from programs.reserve import Recovery, ReservePolicy, asked_w, behind
from programs.signal import Signal

AFTER_S: Final = 3600.0
"""For so long after a call the home keeps under its peak of before, and its rebound is measured."""


class Book:
    """What is measured now, and what it gave.

    Args:
        left: Tells of an event whether the owner has left it.
        record: Takes the record of what is over; a call's once when it ends, and once more, with
            its rebound, when the hour after it is over.
    """

    def __init__(self, left: Callable[[str], bool], record: Callable[[Performance], None]) -> None:
        self._left = left
        self._record = record
        self.calls: dict[str, Call] = {}
        self.watches: dict[str, Watch] = {}
        self.peak_w: float | None = None
        self.peak_day = 0.0

    def given_wh(self, commitment: str) -> float:
        """Return what calls have taken of a commitment so far, never negative."""
        watch = self.watches.get(commitment)
        done_wh = 0.0 if watch is None else watch.given_wh
        running = (self._part_wh(c, commitment) for c in self.calls.values() if not c.over)
        return max(done_wh + sum(running), 0.0)

    def running(self, commitment: str) -> bool:
        """Return whether a call of a commitment is under way."""
        return any(commitment in c.commitments for c in self.calls.values() if not c.over)

    def recovery(self, now: float) -> Recovery | None:
        """Return what the home keeps under after calls; None where nothing is to be made up for."""
        found = [
            Recovery(call.ends_at + AFTER_S, most_w)
            for call in self.calls.values()
            if call.over and now < call.ends_at + AFTER_S
            if (most_w := call.baseline_w if call.before_w is None else call.before_w) is not None
        ]
        return max(found, key=lambda r: r.until, default=None)

    def shift(self, by_s: float) -> None:
        """Move what was measured along when UTC was set."""
        for call in self.calls.values():
            call.shift(by_s)

    def follow(self, commitments: Iterable[Commitment], now: float) -> None:
        """Take in what is committed; what is over, or was taken back, is recorded and let go."""
        present = {c.id: c for c in commitments}
        for name, commitment in present.items():
            if name in self.watches:
                self.watches[name].commitment = commitment
            elif now < commitment.ends_at:
                self.watches[name] = Watch(commitment)
        for name, watch in list(self.watches.items()):
            if self.running(name):
                continue
            if name not in present:
                watch.commitment = _ended(watch.commitment, now)
            elif now < watch.commitment.ends_at:
                continue
            if watch.measured_s > 0:
                self._record(watch.record())
            del self.watches[name]

    def begin(
        self, signals: Sequence[Signal], policy: ReservePolicy, net_w: float | None, now: float
    ) -> bool:
        """Take in which calls are under way; returns whether one has begun.

        Args:
            signals: What is asked.
            policy: What is committed.
            net_w: Net power before that had an effect; None where it is not known.
            now: UTC epoch seconds.
        """
        began = False
        for event, signal in _calling(signals, policy, now).items():
            known = self.calls.get(event)
            if known is None:
                self._begin(signal, behind(signal, policy), net_w)
                began = True
            else:  # its end may have been moved; the owner may have left it and come back
                if known.over:
                    self._charge(known, -1.0)
                known.over, known.ends_at = False, signal.ends_at
        return began

    def end(self, signals: Sequence[Signal], policy: ReservePolicy, now: float) -> bool:
        """Record the calls that are over, and the hour after them; returns whether any is."""
        calling, changed = _calling(signals, policy, now), False
        for event, call in list(self.calls.items()):
            if not call.over and event not in calling:
                self._end(call, now)
                changed = True
            elif call.over and now >= call.ends_at + AFTER_S:
                self._record(call.record())
                del self.calls[event]
                changed = True
        return changed

    def measure(
        self, began: float, ended: float, net_w: float | None, kept: Mapping[str, bool], day: float
    ) -> None:
        """Take in the time between two images.

        Args:
            began: When the one before was complete, UTC epoch seconds.
            ended: When the present one was.
            net_w: Net power; None while the meter is not read.
            kept: By commitment that the batteries were read for, whether all of it was there.
            day: When the present day began.
        """
        if day != self.peak_day:
            self.peak_w, self.peak_day = None, day
        if not 0 < ended - began <= LONGEST_GAP_S:
            return
        for name, watch in self.watches.items():
            if name in kept:
                watch.take(began, ended, kept=kept[name])
        if net_w is None:
            return
        for call in self.calls.values():
            call.take(began, ended, net_w)
        if all(call.over for call in self.calls.values()):
            self.peak_w = net_w if self.peak_w is None else max(self.peak_w, net_w)

    def _begin(self, signal: Signal, called: Sequence[Commitment], net_w: float | None) -> None:
        baseline_w = net_w if signal.baseline_w is None else signal.baseline_w
        self.calls[signal.event] = Call(
            signal.event,
            signal.program,
            tuple(c.id for c in called),
            signal.starts_at,
            signal.ends_at,
            min(c.product.notice_s for c in called),
            asked_w(signal, called, baseline_w),
            baseline_w,
            self.peak_w,
        )
        for each in called:
            if each.id in self.watches:
                self.watches[each.id].calls += 1

    def _end(self, call: Call, now: float) -> None:
        left = self._left(call.event)
        if not left:  # one that the owner has left is owed to its end
            call.ends_at = min(call.ends_at, now)
        self._charge(call, 1.0)
        call.over = True
        self._record(call.record(opted_out=left))

    def _charge(self, call: Call, sign: float) -> None:
        """Put what a call has taken to the account of what it calls, or take it off again."""
        for name in call.commitments:
            watch = self.watches.get(name)
            if watch is not None:
                watch.given_wh += sign * self._part_wh(call, name)

    def _part_wh(self, call: Call, commitment: str) -> float:
        """Return a commitment's part of what a call has taken: by power, among those it calls."""
        known = [self.watches[n].commitment for n in call.commitments if n in self.watches]
        whole_w = sum(c.power_w for c in known)
        own_w = sum(c.power_w for c in known if c.id == commitment)
        return call.delivered_wh * own_w / whole_w if whole_w > 0 else 0.0


def _calling(signals: Sequence[Signal], policy: ReservePolicy, now: float) -> Mapping[str, Signal]:
    """Return the signals that call a commitment now, by event."""
    return {s.event: s for s in signals if s.in_force(now) and behind(s, policy)}


def _ended(commitment: Commitment, now: float) -> Commitment:
    return replace(commitment, ends_at=min(commitment.ends_at, now))
