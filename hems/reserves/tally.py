"""What is measured of calls and of holding ready, and the record made of it.

A call is measured at the meter against the net power when it began. Holding ready is measured by
whether the batteries could have given all that was committed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from der.sentence import Template, say
from programs.capability import S_PER_H
from programs.commitment import Commitment, Product
from programs.performance import Performance
from programs.reserve import ID

LONGEST_GAP_S: Final = 10.0
"""Images further apart than this say nothing about what was between them."""
_ONE_W: Final = 1.0
_HELD: Final[Mapping[Product, Template]] = {
    Product.SPINNING: Template("Held ready as spinning reserve, {times}"),
    Product.DAY_AHEAD: Template("Held ready as day-ahead reserve, {times}"),
}
"""What a meter rounds to."""


@dataclass(slots=True)
class Call:
    """One call and what came of it so far; it grows with each image.

    Attributes:
        event: mRID of its event.
        program: The programme's name.
        commitments: Ids of what it calls.
        starts_at: UTC epoch seconds.
        ends_at: When it is to end, or has.
        notice_s: Time in which all of it must be there.
        asked_w: By how much net power is to fall.
        baseline_w: Net power when it began; None where that is not known.
        before_w: Greatest net power of the day before it; None where that is not known.
        delivered_wh: Taken less than the baseline so far.
        inside_s: Seconds with all of it there, since it first was.
        settled_s: Seconds from its start until all was there; None so far.
        after_settled_s: Measured seconds since then.
        measured_s: Seconds for which the meter was read.
        squares: Of what was missing after settling, W² s.
        after_w: Greatest net power since it ended; None so far.
        over: Whether it has ended.
    """

    event: str
    program: str
    commitments: tuple[str, ...]
    starts_at: float
    ends_at: float
    notice_s: float
    asked_w: float
    baseline_w: float | None = None
    before_w: float | None = None
    delivered_wh: float = 0.0
    inside_s: float = 0.0
    settled_s: float | None = None
    after_settled_s: float = 0.0
    measured_s: float = 0.0
    squares: float = 0.0
    after_w: float | None = None
    over: bool = False

    def take(self, began: float, ended: float, net_w: float) -> None:
        """Take in the net power between two images; what is outside of the call is left out."""
        if self.over:
            self.after_w = net_w if self.after_w is None else max(self.after_w, net_w)
            return
        long_s = min(ended, self.ends_at) - max(began, self.starts_at)
        if long_s <= 0:
            return
        self.measured_s += long_s
        if self.baseline_w is None:
            return
        given_w = self.baseline_w - net_w
        self.delivered_wh += given_w * long_s / S_PER_H
        missing_w = max(self.asked_w - given_w, 0.0)
        if self.settled_s is None and missing_w <= _ONE_W:
            self.settled_s = max(ended - self.starts_at, 0.0)
        elif self.settled_s is not None:
            self.after_settled_s += long_s
            self.squares += missing_w**2 * long_s
            if missing_w <= _ONE_W:
                self.inside_s += long_s

    def shift(self, by_s: float) -> None:
        """Move its times, after UTC was set."""
        self.starts_at += by_s
        self.ends_at += by_s

    @property
    def promised_wh(self) -> float:
        """What is to be delivered over all of it."""
        return self.asked_w * max(self.ends_at - self.starts_at, 0.0) / S_PER_H

    @property
    def rebound_w(self) -> float | None:
        """By how much net power was higher after it than ever on the day before; None so far."""
        if self.after_w is None or self.before_w is None:
            return None
        return max(self.after_w - self.before_w, 0.0)

    def record(self, *, opted_out: bool = False) -> Performance:
        """Return the record of it."""
        long_s = max(self.ends_at - self.starts_at, 0.0)
        after_s, known = self.after_settled_s, self.baseline_w is not None
        return Performance(
            ID,
            self.event,
            self.program,
            self.starts_at,
            self.ends_at,
            self.asked_w,
            "W",
            baseline_w=self.baseline_w,
            baseline_by=say("the meter just before the call") if known else "",
            promised_wh=self.promised_wh,
            delivered_wh=self.delivered_wh if known else None,
            settled_s=self.settled_s,
            inside_share=self.inside_s / after_s if after_s > 0 else None,
            deviation=math.sqrt(self.squares / after_s) if after_s > 0 else None,
            rebound_w=self.rebound_w,
            measured_share=min(self.measured_s / long_s, 1.0) if long_s > 0 else 0.0,
            opted_out=opted_out,
            note=self._note(),
        )

    def _note(self) -> str:
        if self.baseline_w is None:
            return say(
                "The power before the call is not known, so nobody can tell what was delivered"
            )
        minutes = self.notice_s / 60
        if self.settled_s is None:
            return say(
                "It was never there in full, of {minutes:.0f} minutes allowed", minutes=minutes
            )
        return say(
            "It was there in full after {settled:.0f} s of {minutes:.0f} minutes allowed",
            settled=self.settled_s,
            minutes=minutes,
        )


@dataclass(slots=True)
class Watch:
    """How a commitment was held ready so far.

    Attributes:
        commitment: As it was committed; its energy is what was committed at first.
        given_wh: What calls have taken of it.
        held_s: Seconds of its interval in which all of it could have been given.
        measured_s: Seconds of its interval in which the batteries were read.
        calls: How often it was called.
    """

    commitment: Commitment
    given_wh: float = 0.0
    held_s: float = 0.0
    measured_s: float = 0.0
    calls: int = 0

    def take(self, began: float, ended: float, *, kept: bool) -> None:
        """Take in whether all of it could have been given between two images."""
        of = self.commitment
        long_s = min(ended, of.ends_at) - max(began, of.starts_at)
        if long_s > 0:
            self.measured_s += long_s
            self.held_s += long_s if kept else 0.0

    def record(self) -> Performance:
        """Return the record of having held it ready."""
        of, measured_s = self.commitment, self.measured_s
        long_s = of.ends_at - of.starts_at
        times = say("not called")
        if self.calls:  # each call has a record of its own, which says what was delivered
            times = say(
                "{times}; {given:.3g} kWh of {energy:.3g} given",
                times=say("called once | called {calls} times", calls=self.calls),
                given=self.given_wh / 1000.0,
                energy=of.energy_wh / 1000.0,
            )
        return Performance(
            ID,
            of.id,
            of.utility,
            of.starts_at,
            of.ends_at,
            of.power_w,
            "W",
            inside_share=self.held_s / measured_s if measured_s > 0 else None,
            measured_share=min(measured_s / long_s, 1.0) if long_s > 0 else 0.0,
            note=_HELD[of.product](times=times),
        )
