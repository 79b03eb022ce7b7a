"""What is kept of a scenario as it is played, for the checks, the report and the plots."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hems.scenarios.amounts import Course
from programs.performance import Performance

IMPORT_LIMIT: Final = "import_limit"
EXPORT_LIMIT: Final = "export_limit"
"""Names of the courses of what was asked of net power, W; NaN while nothing was."""


class Courses:
    """The recorded courses, one value a second (or whatever the step is).

    Attributes:
        times: UTC epoch seconds, rising.
    """

    def __init__(self) -> None:
        self.times = array("d")
        names = (*(course.value for course in Course), IMPORT_LIMIT, EXPORT_LIMIT)
        self._columns = {name: array("d") for name in names}

    def add(self, at: float, values: dict[str, float]) -> None:
        """Add what there was at a time; what is not named is not known."""
        self.times.append(at)
        for name, column in self._columns.items():
            column.append(values.get(name, math.nan))

    def of(self, name: str) -> Sequence[float]:
        """Return a whole course.

        Raises:
            KeyError: No such course.
        """
        return self._columns[name]

    def between(self, name: str, begins: float, ends: float) -> Sequence[float]:
        """Return a course from `begins` on, before `ends`, UTC epoch seconds."""
        first, last = bisect_left(self.times, begins), bisect_left(self.times, ends)
        return self._columns[name][first:last]

    def at(self, name: str, moment: float) -> float:
        """Return a course's last value at a moment; NaN before the first."""
        index = bisect_left(self.times, moment + 1e-6) - 1
        return self._columns[name][index] if index >= 0 else math.nan


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that the utility has received.

    Attributes:
        at: When it came, UTC epoch seconds.
        status: Its code.
        modes: What it is about, as the home said.
    """

    at: float
    status: int
    modes: str = ""


@dataclass(slots=True)
class Told:
    """An event as dispatched, and what became of it.

    Attributes:
        name: As in the scenario.
        mrid: As dispatched.
        asks: In words.
        starts_at: As dispatched, UTC epoch seconds.
        ends_at: The same.
        cancelled_at: None if it was not.
        answers: In the order in which they came.
        states: What the home said of it: since when, its state, its note.
    """

    name: str
    mrid: str
    asks: str
    starts_at: float
    ends_at: float
    cancelled_at: float | None = None
    answers: tuple[Answer, ...] = ()
    states: list[tuple[float, str, str]] = field(default_factory=list)

    def state_at(self, moment: float) -> tuple[str, str]:
        """Return how the home said that it stood at a moment, and its note."""
        found = [(state, note) for at, state, note in self.states if at <= moment]
        return found[-1] if found else ("unknown", "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A sentence that the owner was shown.

    Attributes:
        text: What.
        begins: When it was first seen, UTC epoch seconds.
        ends: When it was last seen.
    """

    text: str
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Reported:
    """A mean power at the connection point, as the utility has received it.

    Attributes:
        begins: Of its interval, UTC epoch seconds.
        ends: The same.
        power_w: Import positive.
    """

    begins: float
    ends: float
    power_w: float


@dataclass(frozen=True, slots=True)
class Band:
    """Something that happened, for the plots."""

    what: str
    begins: float
    ends: float


@dataclass(slots=True)
class Played:
    """A scenario as it was played.

    Attributes:
        courses: What was measured, truly.
        events: By the name in the scenario.
        shown: What the owner was told.
        reported: What the utility was told of the meter.
        bands: Faults and turns of weather.
        records: What the home wrote down of its events, to be settled on.
        refusals: When and why the home refused what its owner asked.
        writes: How often each device was told something, by id.
        took_s: Real time that it took.
    """

    courses: Courses = field(default_factory=Courses)
    events: dict[str, Told] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    reported: tuple[Reported, ...] = ()
    bands: list[Band] = field(default_factory=list)
    records: tuple[Performance, ...] = ()
    refusals: list[tuple[float, str]] = field(default_factory=list)
    writes: dict[str, int] = field(default_factory=dict)
    took_s: float = 0.0
