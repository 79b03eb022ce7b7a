"""How each home does in a shared order: what it was asked, what it answered, what meters say; pure.

Nothing is held against a home because of one reading: it must do too little for a while, be silent
for a while, or say itself that it left.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from hems.headend.sharing.model import Ability, Ask, Kind
from hems.sep2.rules.lifecycle import Code


class Part(StrEnum):
    """How a home takes part in an order."""

    WAITING = "waiting"
    """It has not answered yet, and need not have."""
    READY = "ready"
    RUNNING = "running"
    SHORT = "short"
    """It runs, and has done too little for a while."""
    LEFT = "left"
    """Its owner left."""
    REFUSED = "refused"
    """It cannot carry it out, or something else had its place."""
    SILENT = "silent"
    """It has not answered, or nothing has been heard of it for long."""
    DONE = "done"
    """It has said that it completed it."""

    @property
    def counts(self) -> bool:
        """Whether it can be counted on."""
        return self in _COUNTING


_COUNTING: Final = frozenset({Part.WAITING, Part.READY, Part.RUNNING, Part.SHORT, Part.DONE})

_SAYS: Final[Mapping[int, Part]] = {
    Code.RECEIVED: Part.READY,
    Code.STARTED: Part.RUNNING,
    Code.OPT_IN: Part.RUNNING,
    Code.RESUMED: Part.RUNNING,
    Code.COMPLETED: Part.DONE,
    Code.PARTLY_OPT_IN: Part.DONE,
    Code.OPT_OUT: Part.LEFT,
    Code.PARTLY_OPT_OUT: Part.LEFT,
    Code.NO_PARTICIPATION: Part.REFUSED,
    Code.CANCELLED: Part.REFUSED,
    Code.SUPERSEDED: Part.REFUSED,
    Code.SUPERSEDED_BY_SERVER: Part.REFUSED,
    Code.SUPERSEDED_BY_PROGRAM: Part.REFUSED,
    Code.NOT_SUPPORTED: Part.REFUSED,
    Code.NOT_APPLICABLE: Part.REFUSED,
    Code.INVALID: Part.REFUSED,
    Code.EXPIRED: Part.REFUSED,
}
"""What a home's last answer says of it."""


@dataclass(frozen=True, slots=True)
class FollowRules:
    """When a home counts as dropped out, and when that is worth sharing anew.

    Attributes:
        answer_s: It must have answered an order after this.
        silent_s: It counts as lost when nothing was heard of it for this long.
        ramp_s: It has this long to come up to what it is asked.
        short_s: So long it must have done too little.
        enough: Share of what it is asked that is enough.
        floor_w: So much less is nothing to be held against it.
        missing_share: So much of a target may be missing.
        missing_w: So much may be missing in any case.
        again_s: Not more often is anything shared anew.
        retry_s: A target that could not be met is tried again after this.
        end_s: Nothing is shared anew so shortly before its end.
        close_s: Homes have so long after the end to say how it ended.
    """

    answer_s: float = 180.0
    silent_s: float = 600.0
    ramp_s: float = 60.0
    short_s: float = 120.0
    enough: float = 0.8
    floor_w: float = 50.0
    missing_share: float = 0.02
    missing_w: float = 100.0
    again_s: float = 60.0
    retry_s: float = 600.0
    end_s: float = 120.0
    close_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Span:
    """When an order runs, epoch s."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Followed:
    """What is known of a home in an order.

    Attributes:
        home: Its LFDI.
        share_w: What it is counted on for, W; of a limit the limit.
        free_w: Of a limit: what it may use when it obeys none.
        asked_at: When it was asked last, epoch s.
        order: By which order of the aggregator's own; answers to earlier ones do not count.
        code: Its last answer to that.
        begun: Whether it has begun this order or an earlier one for the same event.
        heard_at: When it was heard of last, epoch s; None if never.
        baseline_w: Its net power without the order, W, import positive; None while not known.
        net_w: Its net power, as read last.
        read_at: When that was, epoch s.
        short_since: Since when it does too little; None while it does enough.
    """

    home: str
    share_w: int
    asked_at: float
    order: str = ""
    free_w: int = 0
    code: int | None = None
    begun: bool = False
    heard_at: float | None = None
    baseline_w: float | None = None
    net_w: float | None = None
    read_at: float | None = None
    short_since: float | None = None

    def asked(self, order: str, share_w: int, at: float) -> "Followed":
        """Return it with a new order in place of the one before."""
        return replace(self, order=order, share_w=share_w, asked_at=at, code=None, short_since=None)

    def counted_on(self, share_w: int) -> "Followed":
        """Return it counted on for something else than it is asked, which stays as it is."""
        return replace(self, share_w=share_w, short_since=None)

    def answered(self, order: str, code: int, at: float) -> "Followed":
        """Return it after an answer, which came at `at`; those to earlier orders say little."""
        begun = self.begun or code == Code.STARTED
        heard_at = max(at, self.heard_at or at)
        known = self.code if order != self.order or code not in _SAYS else code
        return replace(self, begun=begun, heard_at=heard_at, code=known)

    def based(self, baseline_w: float) -> "Followed":
        """Return it with what it would use without the order; what is known stays."""
        return self if self.baseline_w is not None else replace(self, baseline_w=baseline_w)

    def heard(self, at: float) -> "Followed":
        """Return it after any sign of life at that time, epoch s."""
        return replace(self, heard_at=max(at, self.heard_at or at))

    def read(
        self, kind: Kind, span: Span, net_w: float, at: float, rules: FollowRules
    ) -> "Followed":
        """Return it after a reading of its net power, W, import positive; older ones are nothing.

        Args:
            kind: What it is asked.
            span: When the order runs.
            net_w: What was read.
            at: When, epoch s.
            rules: See `FollowRules`.
        """
        if self.read_at is not None and at <= self.read_at:
            return self
        after = replace(self, net_w=net_w, read_at=at, heard_at=max(at, self.heard_at or at))
        due = max(span.start, self.asked_at) + rules.ramp_s
        lacking = due <= at < span.end and _lacks(after, kind, rules)
        since = (self.short_since or at) if lacking else None
        return replace(after, short_since=since)

    def delivered_w(self, kind: Kind) -> float | None:
        """Return what it moves, W, the way it is asked to; None where that cannot be told."""
        if kind.limit or self.net_w is None or self.baseline_w is None:
            return None
        moved_w = self.baseline_w - self.net_w
        return -moved_w if kind is Kind.ABSORB else moved_w


_AT_THE_METER: Final = frozenset({Kind.IMPORT, Kind.EXPORT})


def _lacks(home: Followed, kind: Kind, rules: FollowRules) -> bool:
    """Whether its meter says that it does too little, by more than may be."""
    if kind.limit:
        if home.net_w is None or kind not in _AT_THE_METER:
            return False
        used_w = home.net_w if kind is Kind.IMPORT else -home.net_w
        return used_w > home.share_w * (2.0 - rules.enough) + rules.floor_w
    moved_w = home.delivered_w(kind)
    return moved_w is not None and moved_w < home.share_w * rules.enough - rules.floor_w


def part_of(home: Followed, span: Span, now: float, rules: FollowRules) -> Part:
    """Return how a home takes part now."""
    if home.code is None:
        late = now - max(home.asked_at, span.start - rules.answer_s) > rules.answer_s
        return Part.SILENT if late else Part.WAITING
    part = _SAYS[home.code]
    if part not in {Part.READY, Part.RUNNING}:
        return part
    if now - max(home.heard_at or 0.0, home.asked_at) > rules.silent_s:
        return Part.SILENT
    if home.short_since is not None and now - home.short_since >= rules.short_s:
        return Part.SHORT
    return part


def counted_w(home: Followed, part: Part, kind: Kind) -> float:
    """Return what a home is counted on for: what it moves, or of a limit what it may use, W.

    Of a limit, who is silent after having answered goes on obeying it.
    """
    if kind.limit:
        obeys = part.counts or (part is Part.SILENT and home.code is not None)
        if part is Part.SHORT and home.net_w is not None:
            return max(float(home.share_w), abs(home.net_w))
        return float(home.share_w if obeys else home.free_w)
    if part is Part.SHORT:
        return min(max(home.delivered_w(kind) or 0.0, 0.0), float(home.share_w))
    return float(home.share_w) if part.counts else 0.0


def as_found(
    abilities: Iterable[Ability], homes: Mapping[str, Followed], parts: Mapping[str, Part], ask: Ask
) -> list[Ability]:
    """Return what homes can do, given how they do in the order that is shared anew."""
    return [_as_found(ability, homes, parts, ask.kind) for ability in abilities]


def _as_found(
    ability: Ability, homes: Mapping[str, Followed], parts: Mapping[str, Part], kind: Kind
) -> Ability:
    part = parts.get(ability.home)
    if part in {Part.LEFT, Part.REFUSED, Part.DONE}:
        return replace(ability, opted_out=True)
    if part is Part.SILENT:
        # Of a limit that it never took in, it obeys nothing.
        never = kind.limit and homes[ability.home].code is None
        return replace(ability, opted_out=True) if never else replace(ability, reachable=False)
    if part is Part.SHORT:
        found_w = round(counted_w(homes[ability.home], Part.SHORT, kind))
        if kind.limit:
            least_w = min(max(found_w, ability.least_w), ability.most_w)
            return replace(ability, least_w=least_w)
        most_w = min(found_w, ability.most_w)
        return replace(ability, most_w=most_w, least_w=min(ability.least_w, most_w))
    return ability
