"""Customer baseline: what a home would have taken on a day like this, from days like it (BUC-6).

The usual method of the markets that pay for reduced load: of the last so many days of the same kind
without an event those with the highest use in the event's hours are averaged by interval, and the
mean is then moved up or down by as much as the home differed from it before the event, so that a
hot day is not measured against cool ones. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.sentence import say

HIGH_4_OF_5: Final = say("the highest four of the last five like days")
TEN_OF_10: Final = say("the last ten like days")


@dataclass(frozen=True, slots=True)
class Method:
    """How a baseline is found.

    Attributes:
        days: So many of the latest days that count are looked at.
        highest: So many of them, those with the highest mean in the event, are averaged.
        most_adjusted: Bound of the adjustment, as a share of the unadjusted mean; infinite for
            none.
        words: The method, for people.
    """

    days: int = 5
    highest: int = 4
    most_adjusted: float = float("inf")
    words: str = HIGH_4_OF_5


Day = Mapping[int, float]
"""Mean net power in W of a day's intervals, by their number from the day's begin; unknown ones are
missing."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the home would have taken.

    Attributes:
        power_w: Mean net power of each interval of the event, W.
        adjustment_w: By how much it was moved, W.
        days: How many days were averaged.
        words: How it was found, for people.
    """

    power_w: tuple[float, ...]
    adjustment_w: float
    days: int
    words: str

    @property
    def mean_w(self) -> float:
        """Mean over the event, W."""
        return sum(self.power_w) / len(self.power_w)


def baseline(
    past: Sequence[Day],
    today: Day,
    event: Sequence[int],
    before: Sequence[int],
    method: Method = Method(),
) -> Baseline | None:
    """Return a day's baseline over an event; None where too few days are known in full.

    Args:
        past: Days of the same kind without an event, the latest first.
        today: The day of the event.
        event: Numbers of the intervals that the event takes, at least one.
        before: Numbers of the intervals by which the baseline is adjusted; none for no adjustment.
            An event must not have been told of by then.
        method: How it is found.

    Returns:
        A baseline of at least `method.highest` days; without what is needed to adjust it, one that
        is not adjusted and says so.
    """
    whole = [day for day in past if all(n in day for n in event)][: method.days]
    if not event or len(whole) < method.highest:
        return None
    chosen = sorted(whole, key=lambda day: sum(day[n] for n in event), reverse=True)
    chosen = chosen[: method.highest]
    means = [sum(day[n] for day in chosen) / len(chosen) for n in event]
    seen = [n for n in before if n in today and all(n in day for day in chosen)]
    words = method.words
    moved_w = 0.0
    if not before:
        pass
    elif len(seen) < len(before):
        words = say(
            "{days}, not adjusted: the time before the event is not known", days=method.words
        )
    else:
        usual_w = sum(day[n] for n in seen for day in chosen) / (len(seen) * len(chosen))
        moved_w = sum(today[n] for n in seen) / len(seen) - usual_w
        most_w = method.most_adjusted * abs(sum(means) / len(means))
        moved_w = min(max(moved_w, -most_w), most_w)
        words = say("{days}, adjusted by the same day", days=method.words)
    return Baseline(tuple(w + moved_w for w in means), moved_w, len(chosen), words)
