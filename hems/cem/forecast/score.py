"""How good the forecasts of the last week were, beside two that anybody could make.

The others are "as at the same hour yesterday" and "as a week ago". Where one of them has clearly
been better, the forecast leans on it, by what each has lost; as it is judged anew every day, from
what had been forecast before it came, that corrects itself.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from hems.cem.forecast.days import resampled
from hems.cem.forecast.past import Floats, Past, Quantiles
from hems.cem.slots import Slots

OWN: Final = "own"
YESTERDAY: Final = "yesterday"
LAST_WEEK: Final = "last week"
_DAY_S: Final = 86400.0
_KEPT_S: Final = 7 * _DAY_S
_EVERY_S: Final = 3600.0
"""One forecast an hour is judged; 24 of them wait for what comes, and a week's losses are kept."""
_LEAST_JUDGED: Final = 48
_KNOWN: Final = 0.5
"""A day of which less is known judges nobody."""
_EQUAL: Final = 0.95
"""Up to this ratio of losses another forecast is no better."""
_MUCH_BETTER: Final = 0.65
"""From here it is leaned on by all that its loss gives it."""


@dataclass(frozen=True, slots=True)
class Issue:
    """What was forecast for one day.

    Attributes:
        slots: That day's.
        given: What was told to the planner.
        others: Medians by name in W: the forecaster's own before it leaned on another, and those
            that anybody could make; NaN where they knew nothing.
    """

    slots: Slots
    given: Quantiles
    others: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Losses:
    """What one day's forecasts were worth.

    Attributes:
        until: End of the day, UTC epoch seconds.
        given_w: Mean absolute error of the median.
        pinball_w: Mean loss over the quantiles.
        others_w: Mean absolute errors by name; without those that knew too little.
    """

    until: float
    given_w: float
    pinball_w: float
    others_w: Mapping[str, float]


@dataclass(slots=True)
class Score:
    """Judges the forecasts of one quantity."""

    _waiting: deque[Issue] = field(default_factory=deque)
    _judged: deque[Losses] = field(default_factory=deque)

    def issue(self, issue: Issue) -> None:
        """Note a forecast; more than one an hour are not."""
        if self._waiting and abs(issue.slots.start - self._waiting[-1].slots.start) < _EVERY_S:
            return
        day = max(int(_DAY_S / issue.slots.step_s), 1)
        count = min(issue.slots.count, day)
        given = replace(issue.given, values=issue.given.values[:, :count])
        others = {name: values[:count] for name, values in issue.others.items()}
        slots = Slots(issue.slots.start, issue.slots.step_s, count)
        self._waiting.append(Issue(slots, given, others))

    def judge(self, seen: Floats, slots: Slots) -> None:
        """Judge what has been forecast by what came.

        Args:
            seen: By slot, NaN where nothing was measured.
            slots: Of the past, up to now. What was forecast for later than a day from then on was
                so by a clock that has been set back since, and is forgotten.
        """
        kept: deque[Issue] = deque()
        for issue in self._waiting:
            if issue.slots.end <= slots.end:
                found = losses(issue, resampled(seen, slots, issue.slots))
                if found is not None:
                    self._judged.append(found)
            elif issue.slots.start <= slots.end + _EVERY_S:
                kept.append(issue)
        self._waiting = kept
        recent = (one for one in self._judged if slots.end - _KEPT_S < one.until <= slots.end)
        self._judged = deque(recent)

    def errors_w(self) -> tuple[float, float] | None:
        """Return the mean absolute error of a week, and that of yesterday's same hour; W."""
        both = [one for one in self._judged if YESTERDAY in one.others_w]
        if not both:
            return None
        ours, theirs = zip(*((one.given_w, one.others_w[YESTERDAY]) for one in both), strict=True)
        return float(np.mean(ours)), float(np.mean(theirs))

    def pinball_w(self) -> float | None:
        """Return the mean loss over the quantiles of a week, W."""
        return float(np.mean([one.pinball_w for one in self._judged])) if self._judged else None

    def leaning(self) -> tuple[str, float]:
        """Return the better of the others and how far to lean on it, 0 to 1."""
        best, most = YESTERDAY, 0.0
        for name in (YESTERDAY, LAST_WEEK):
            pairs = [
                (one.others_w[name], one.others_w[OWN])
                for one in self._judged
                if name in one.others_w and OWN in one.others_w
            ]
            if len(pairs) < _LEAST_JUDGED:
                continue
            theirs, own = np.mean(np.array(pairs), axis=0)
            share = lean(float(theirs / own)) if own > 0 else 0.0
            if share > most:
                best, most = name, share
        return best, most


def lean(ratio: float) -> float:
    """Return how far to lean on another forecast: as inverse squares of losses have it.

    Args:
        ratio: Of its loss to ours; nothing is leaned on one that is not clearly better.
    """
    clearly = min(max((_EQUAL - ratio) / (_EQUAL - _MUCH_BETTER), 0.0), 1.0)
    return clearly / (1.0 + ratio * ratio)


def losses(issue: Issue, seen: Floats) -> Losses | None:
    """Return what the forecasts of a day lost; None if too little of it is known.

    All are judged by the same slots: those that each of them knew.
    """
    others = {n: v for n, v in issue.others.items() if np.isfinite(v).mean() >= _KNOWN}
    known = np.isfinite(seen)
    for values in others.values():
        known &= np.isfinite(values)
    if not issue.slots.count or known.mean() < _KNOWN:
        return None
    came = seen[known]
    over = came[None, :] - issue.given.values[:, known]
    shares = np.array(issue.given.shares)[:, None]
    return Losses(
        issue.slots.end,
        float(np.abs(came - issue.given.median[known]).mean()),
        float(np.maximum(shares * over, (shares - 1.0) * over).mean()),
        {name: float(np.abs(came - values[known]).mean()) for name, values in others.items()},
    )


def anybodys(values: Floats, past: Past, slots: Slots) -> Mapping[str, Floats]:
    """Return forecasts that anybody could make.

    Args:
        values: What was, by slot of the past.
        past: Whose slots these are.
        slots: The coming ones; beyond a day yesterday is gone through again.
    """
    day = max(round(_DAY_S / slots.step_s), 1)
    yesterday = resampled(values, past.slots, Slots(slots.start - _DAY_S, slots.step_s, day))
    week = Slots(slots.start - 7 * _DAY_S, slots.step_s, slots.count)
    return {
        YESTERDAY: np.resize(yesterday, slots.count),
        LAST_WEEK: resampled(values, past.slots, week),
    }
