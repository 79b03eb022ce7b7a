"""What a run came to: each figure beside its bound; pure."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.endure.gauge import Sample

DAY_S: Final = 86400.0
WARM_S: Final = DAY_S
"""A process grows to what it holds in its first day: all samples are kept for a day."""
_WARM_SHARE: Final = 0.3
"""The same of a shorter one."""
_TOLD: Final = 12.0
"""Most lines of the log for each event and each fault."""
_STILL: Final = 48.0
"""Most lines of the log a day beside these."""

# Bytes of a row with its share of the tree's inner and half-empty pages: an
# estimate, by 5 to 7 for each column, rounded up.
ROW_BYTES: Final = {"samples": 60, "minutes": 60, "quarters": 110, "blocks": 110}
FIXED_BYTES: Final = 2 << 20
"""The schema, the settings, plans, accounts and events."""
LOG_BYTES: Final = 8 << 20
"""SQLite's write-ahead log (`journal_size_limit`)."""
SAMPLES_FOR_S: Final = DAY_S + 6 * 3600
"""Samples are kept for a day and cleared every six hours."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure of a run.

    Attributes:
        key: Its name.
        value: What it came to; None where nothing can be said of so short a run.
        at_most: Its bound; None for none.
        at_least: Its other one: of what must have come about; None for none.
    """

    key: str
    value: float | None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def good(self) -> bool:
        """Whether it is within its bounds."""
        if self.value is None:
            return True
        most, least = self.at_most, self.at_least
        return (most is None or self.value <= most) and (least is None or self.value >= least)


def slope_a_day(samples: Sequence[Sample], lived_s: float) -> float | None:
    """Return by how much memory grows a day, MB: the median of the slopes of all pairs (Theil-Sen).

    What a process takes in until it is warm does not count, nor do single outliers.

    Args:
        samples: Of one process, in order of time.
        lived_s: How long it has lived.

    Returns:
        None for fewer than ten samples.
    """
    if not samples:
        return None
    warm_at = samples[0].at + min(WARM_S, _WARM_SHARE * lived_s)
    warm = [each for each in samples if each.at >= warm_at]
    if len(warm) < 10:
        return None
    slopes = [
        (later.rss_mb - before.rss_mb) / (later.at - before.at) * DAY_S
        for number, before in enumerate(warm)
        for later in warm[number + 1 :]
    ]
    return statistics.median(slopes)


def grown(samples: Sequence[Sample], what: str, lived_s: float) -> float:
    """Return by how much something grew between the warm process and its end.

    The median of each tenth counts: connections come and go.
    """
    first, last = _tenths(samples, lived_s)
    before, after = (
        statistics.median(float(getattr(each, what)) for each in some) for some in (first, last)
    )
    return after - before


def held_more(samples: Sequence[Sample], lived_s: float) -> list[str]:
    """Return of which kinds of files, tasks and threads there are more at the end, a line each."""
    first, last = _tenths(samples, lived_s)
    found = []
    for kind in sorted({kind for each in last for kind in each.held}):
        before, after = (
            statistics.median(each.held.get(kind, 0) for each in some) for some in (first, last)
        )
        if after > before:
            found.append(f"{kind}: {before:g}, then {after:g}")
    return found


def _tenths(samples: Sequence[Sample], lived_s: float) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """Return the first and the last tenth of the samples of a warm process, one at least.

    While the utility is away, what it holds is too: such samples show no leak and hide one.
    """
    warm_at = samples[0].at + min(WARM_S, _WARM_SHARE * lived_s)
    warm = [each for each in samples if each.at >= warm_at and each.whole] or samples[-1:]
    tenth = max(1, len(warm) // 10)
    return warm[:tenth], warm[-tenth:]


def missed(due: Mapping[str, Sequence[int]], answers: Mapping[str, Sequence[int]]) -> list[str]:
    """Return the events that were not answered as they should have been, and how they were.

    Args:
        due: What each event must be answered, in order, by name.
        answers: What each was answered.
    """
    return [
        f"{name}: {list(dict.fromkeys(answers.get(name, ())))}, not {list(codes)}"
        for name, codes in due.items()
        if list(dict.fromkeys(answers.get(name, ()))) != list(codes)
    ]


def doubled(answers: Mapping[str, Sequence[int]]) -> list[str]:
    """Return the events to which an answer was given more than once, and which."""
    return [
        f"{name}: {code} {count} times"
        for name, given in answers.items()
        for code, count in Counter(given).items()
        if count > 1
    ]


def planned_bytes(days: float, *, cycle_s: float, devices: int) -> float:
    """Return how large a store may be after a run, with the log beside it.

    Each device has a row a cycle for a day and up to six hours more, a row a minute for 35 days, a
    row each quarter-hour, and one over twelve of these, for ten years (docs/operate.md, Files).

    Args:
        days: How long the run was; at most 35.
        cycle_s: Period of the control cycle.
        devices: How many there are.
    """
    lasted_s = days * DAY_S
    rows = {
        "samples": min(lasted_s + DAY_S, SAMPLES_FOR_S) / cycle_s,
        "minutes": (lasted_s + DAY_S) / 60,
        "quarters": (lasted_s + DAY_S) / 900,
        "blocks": (lasted_s + DAY_S) / 10800,
    }
    held = sum(count * ROW_BYTES[table] for table, count in rows.items())
    return devices * held + FIXED_BYTES + LOG_BYTES


def lines_allowed(days: float, events: int, troubles: int) -> float:
    """Return how many lines a hub may log in a run."""
    return _STILL * max(days, 1.0) + _TOLD * (events + troubles)
