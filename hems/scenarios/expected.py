"""What a scenario expects, as written in its file: one table a check."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hems.scenarios.amounts import Amount, Course
from hems.scenarios.moments import Span, When
from hems.settings.section import Section, Text


class _Check(Section):
    """What all checks have."""

    says: str = ""
    """Why, for the report."""


class _Window(_Check):
    """A check of a stretch of time: from `begins` on, before `ends`."""

    of: Course
    begins: When
    ends: When
    at_most: Amount | None = None
    at_least: Amount | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError("needs at_most, at_least or both")
        if (self.ends.day, self.ends.second, self.ends.again) <= (
            self.begins.day,
            self.begins.second,
            self.begins.again,
        ):
            raise ValueError("ends is not after begins")
        return self


class Bound(_Window):
    """A course keeps within bounds for a share of the seconds."""

    check: Literal["bound"]
    share: Annotated[Amount, Field(gt=0, le=1)] = 1.0


class Mean(_Window):
    """The mean of a course is within bounds."""

    check: Literal["mean"]


class Energy(_Window):
    """The integral of a course over the time is within bounds, Wh."""

    check: Literal["energy"]


class Slope(_Window):
    """A course changes by at most so much a minute, over every stretch of `over` seconds."""

    check: Literal["slope"]
    over: Span = 60.0
    share: Annotated[Amount, Field(gt=0, le=1)] = 1.0


class Value(_Check):
    """A course is within bounds at one moment."""

    check: Literal["value"]
    of: Course
    at: When
    at_most: Amount | None = None
    at_least: Amount | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError("needs at_most, at_least or both")
        return self


class Less(_Check):
    """The mean of a course is less by so much than it was over a time before."""

    check: Literal["less"]
    of: Course = Course.NET
    begins: When
    ends: When
    than_from: When
    than_to: When
    by_at_least: Amount


class Rebound(_Check):
    """After an event no quarter of an hour takes more than the greatest one outside of it."""

    check: Literal["rebound"]
    event: Text
    within: Span = 3600.0
    """How long after the event it is looked at."""
    at_most: Amount = 0.0
    """By how much it may."""


class Responses(_Check):
    """The utility was answered exactly this about an event, in this order."""

    check: Literal["responses"]
    event: Text
    codes: tuple[int, ...]


class Alarm(_Check):
    """The owner was told something, or was not."""

    check: Literal["alarm"]
    contains: Text
    told: bool = True
    begins: When | None = None
    ends: When | None = None


class State(_Check):
    """How an event ended for the home: completed, cancelled, superseded, rejected, left."""

    check: Literal["state"]
    event: Text
    at: When
    state: Text
    note_contains: str = ""


class Starts(_Check):
    """A device is switched on at most so often."""

    check: Literal["starts"]
    of: Course
    begins: When
    ends: When
    at_most: Annotated[int, Field(ge=0)]


class Refused(_Check):
    """The home refused something that its owner asked."""

    check: Literal["refused"]
    contains: Text


class Reported(_Check):
    """Every mean power at the meter that the utility has received is within bounds, and some is.

    Of intervals that lie in the time; import is positive.
    """

    check: Literal["reading"]
    begins: When
    ends: When
    at_most: Amount | None = None
    at_least: Amount | None = None


class Record(_Check):
    """What the home wrote down of an event for its utility to settle on is within bounds."""

    check: Literal["record"]
    event: Text | None = None
    programme: Text | None = None
    """Its id: where no event is behind the record, or where an event has several."""
    delivered: Annotated[Amount, Field(gt=0)] | None = None
    """At least this share of the energy that was promised."""
    inside: Annotated[Amount, Field(gt=0, le=1)] | None = None
    """At least this share of the seconds after settling inside what was asked."""
    settled: Span | None = None
    """Inside what was asked at the latest so long after the start."""
    note_contains: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.event is None and self.programme is None:
            raise ValueError("needs an event or a programme")
        figures = (self.delivered, self.inside, self.settled)
        if not self.note_contains and all(figure is None for figure in figures):
            raise ValueError("needs delivered, inside, settled or note_contains")
        return self


OfCourse = Bound | Mean | Energy | Slope | Value | Less | Starts
"""Checks of what was measured."""

Expected = Annotated[
    OfCourse | Rebound | Responses | Alarm | State | Refused | Reported | Record,
    Field(discriminator="check"),
]
"""Any check, told apart by `check`."""
