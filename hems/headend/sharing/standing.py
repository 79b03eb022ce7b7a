"""How a shared order stands as a whole: whether to share anew, and what the utility is told; pure.

| when | the group's answer |
|---|---|
| it was taken in | 1 received (by the client, at once) |
| it has begun, and a home has | 2 started |
| nobody takes part any more, and owners have left | 4 opted out |
| somebody does again after that | 5 opted in |
| it is over, and nobody ever began | 10 no participation |
| it is over, and the group had left in between | 9 partly opted in |
| it is over, homes had left, and others could not make up for them | 8 partly opted out |
| it is over otherwise | 3 completed |
| the utility took it back, or another took its place | 6, 7, 13, 14 (by the client) |
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.headend.sharing.following import Followed, FollowRules, Part, Span, counted_w, part_of
from hems.headend.sharing.model import Ask
from hems.sep2.rules.lifecycle import Code


@dataclass(frozen=True, slots=True)
class Standing:
    """How a shared order stands.

    Attributes:
        parts: How each home takes part.
        missing_w: How much of the target is not counted on, or by how much the limit is exceeded
            when each uses what it may; negative where there is more than enough.
        delivered_w: What homes move together, as far as their meters tell.
        measured: Of how many homes that can be told.
    """

    parts: Mapping[str, Part]
    missing_w: float
    delivered_w: float
    measured: int

    def count(self, *parts: Part) -> int:
        """Return how many homes take part in one of these ways."""
        return sum(part in parts for part in self.parts.values())


def stand(
    ask: Ask, span: Span, homes: Mapping[str, Followed], now: float, rules: FollowRules
) -> Standing:
    """Return how an order stands.

    Args:
        ask: What the group is asked for.
        span: When.
        homes: All homes that were ever asked, by LFDI.
        now: Epoch s.
        rules: See `FollowRules`.
    """
    ranked = sorted(homes.items())
    parts = {name: part_of(home, span, now, rules) for name, home in ranked}
    counted = sum(counted_w(home, parts[name], ask.kind) for name, home in ranked)
    missing_w = counted - ask.total_w if ask.kind.limit else ask.total_w - counted
    told = [w for _, home in ranked if (w := home.delivered_w(ask.kind)) is not None]
    return Standing(parts, missing_w, sum(told), len(told))


def tolerated_w(ask: Ask, rules: FollowRules) -> float:
    """Return how much may be missing of an order before anything is done about it, W."""
    return max(rules.missing_w, rules.missing_share * ask.total_w)


def is_due(
    ask: Ask,
    span: Span,
    standing: Standing,
    *,
    short_w: float,
    shared_at: float,
    now: float,
    rules: FollowRules,
) -> bool:
    """Return whether an order is to be shared anew.

    Args:
        ask: What the group is asked for.
        span: When.
        standing: How it stands.
        short_w: What was missing when it was shared last, as nobody could do it.
        shared_at: When that was, epoch s.
        now: Epoch s.
        rules: See `FollowRules`.
    """
    if now >= span.end - rules.end_s or now - shared_at < rules.again_s:
        return False
    tolerated = tolerated_w(ask, rules)
    if standing.missing_w - short_w > tolerated:
        return True
    return standing.missing_w > tolerated and now - shared_at >= rules.retry_s


_TAKING_PART: Final = (Part.WAITING, Part.READY, Part.RUNNING, Part.SHORT, Part.DONE)
_ENDED: Final = frozenset(
    {
        Code.COMPLETED,
        Code.PARTLY_OPT_OUT,
        Code.PARTLY_OPT_IN,
        Code.NO_PARTICIPATION,
        Code.CANCELLED,
        Code.SUPERSEDED,
        Code.SUPERSEDED_BY_SERVER,
        Code.SUPERSEDED_BY_PROGRAM,
        Code.NOT_SUPPORTED,
        Code.NOT_APPLICABLE,
        Code.INVALID,
        Code.EXPIRED,
    }
)


def group_codes(
    ask: Ask,
    span: Span,
    homes: Mapping[str, Followed],
    standing: Standing,
    *,
    told: Collection[int],
    short_w: float,
    now: float,
    rules: FollowRules,
) -> Sequence[Code]:
    """Return what the group is to tell the utility next, in order, beyond what it has told.

    Args:
        ask: What the group is asked for.
        span: When.
        homes: All homes that were ever asked.
        standing: How they stand.
        told: Codes that the utility has been told, or is owed.
        short_w: What was missing when it was shared last, as nobody could do it.
        now: Epoch s.
        rules: See `FollowRules`.
    """
    if not _ENDED.isdisjoint(told):
        return ()
    due: list[Code] = []
    begun = any(home.begun for home in homes.values())
    there = standing.count(*_TAKING_PART) > 0
    if now >= span.start and begun:
        due.append(Code.STARTED)
    if now >= span.end:
        open_ = standing.count(Part.RUNNING, Part.SHORT)
        if not open_ or now >= span.end + rules.close_s:
            due.append(_ending(ask, standing, begun=begun, told=told, short_w=short_w, rules=rules))
    elif standing.count(Part.LEFT) and not there:
        due.append(Code.OPT_OUT)
    elif there and Code.OPT_OUT in told:
        due.append(Code.OPT_IN)
    return [code for code in due if code not in told]


def _ending(
    ask: Ask,
    standing: Standing,
    *,
    begun: bool,
    told: Collection[int],
    short_w: float,
    rules: FollowRules,
) -> Code:
    if not begun:
        return Code.NO_PARTICIPATION
    if Code.OPT_IN in told:
        return Code.PARTLY_OPT_IN
    unmet = standing.missing_w - short_w > tolerated_w(ask, rules)
    left = standing.count(Part.LEFT) > 0
    if Code.OPT_OUT in told or (left and (unmet or short_w > tolerated_w(ask, rules))):
        return Code.PARTLY_OPT_OUT
    return Code.COMPLETED


_OWN_DOING: Final = frozenset(
    {
        Code.CANCELLED,
        Code.SUPERSEDED,
        Code.SUPERSEDED_BY_SERVER,
        Code.SUPERSEDED_BY_PROGRAM,
    }
)


def home_code(home: Followed, order: str, code: int) -> Code | None:
    """Return what a home's answer to one of our orders says to the utility; None for nothing.

    That a home dropped an order of ours for a later one of ours is no news to the utility; and
    how an event ended, only its last order says.

    Args:
        home: Whose it is.
        order: Which order it answered.
        code: What it answered.
    """
    try:
        known = Code(code)
    except ValueError:
        return None
    if known in _OWN_DOING:
        return None
    return None if known in _ENDED and order != home.order else known
