"""The API's answers and queries as JSON: pydantic at the edge, frozen records behind it.

Powers stay in the house's passive sign (consumption positive); a number that is unknown or
unbounded is null. Sentences for people are told in the language of the request at hand.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from der.sentence import say
from hems.surface import Series
from web.words import Words

MAX_POINTS = 5000
"""Most intervals of one history answer, for each device."""
_LAST_INSTANT = 32_503_680_000.0  # the year 3000: beyond it date arithmetic gives up


class Answer(BaseModel):
    """Base of all answers: read from the surface's records, infinities as null."""

    model_config = ConfigDict(
        from_attributes=True,
        frozen=True,
        ser_json_inf_nan="null",
        json_schema_serialization_defaults_required=True,
        defer_build=True,  # most are never given while a hub runs: each is built at its first use
    )


class Input(BaseModel):
    """Base of what a request brings, its query or its body: a key that is not known is refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,  # as answers are
    )


Open = Annotated[float, WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]})]
"""A number in an answer that may be infinite, and is null then."""


class DeviceAnswer(Answer):
    """A device as shown; fields as in `hems.surface.DeviceView`."""

    id: str
    name: str
    kind: str
    power_w: float | None
    soc: float | None
    temp_c: float | None
    connected: bool | None
    wants_power: bool | None
    quality: str
    age_s: float | None
    setpoint_w: float | None
    reason: Words
    error: Words | None
    ages: Mapping[str, float]
    suspect: Sequence[str]
    safe: Words
    risk: Words
    control: str
    min_w: float
    max_w: float
    owned: bool
    wish_w: float | None
    wish_until: float | None
    functions: Sequence[Words]


class EventAnswer(Answer):
    """A grid event as shown; fields as in `hems.surface.EventView`."""

    id: str
    program: str
    title: Words
    effect: Words
    state: str
    starts_at: Open
    ends_at: Open
    opted_out: bool
    may_opt_out: bool
    note: Words
    consequence: Words


class MessageAnswer(Answer):
    """A message of the utility; fields as in `hems.surface.MessageView`."""

    id: str
    program: str
    text: str
    urgent: bool
    starts_at: float
    ends_at: Open
    acknowledged: bool
    may_acknowledge: bool


class PriceAnswer(Answer):
    """The present price; fields as in `hems.surface.PriceView`."""

    tariff: str
    currency: str
    per_kwh: float
    until: Open
    next_per_kwh: float | None


class UtilityAnswer(Answer):
    """The link to the utility; fields as in `hems.surface.UtilityView`."""

    state: str
    detail: Words
    server: str
    lfdi: str
    last_contact: float | None
    name: str


class HomeAnswer(Answer):
    """The whole home at one instant; fields as in `hems.surface.Snapshot`."""

    at: float
    seq: int
    net_w: float | None
    limit_import_w: float | None
    limit_export_w: float | None
    devices: Sequence[DeviceAnswer]
    events: Sequence[EventAnswer]
    utility: UtilityAnswer
    alarms: Sequence[Words]
    messages: Sequence[MessageAnswer]
    price: PriceAnswer | None
    utilities: Sequence[UtilityAnswer]


class SeriesAnswer(Answer):
    """One device's measurements; fields as in `hems.surface.Series`."""

    device: str
    at: Sequence[float]
    power_w: Sequence[float | None]
    soc: Sequence[float | None]


class HistoryAnswer(Answer):
    """Measurements of all devices in [start, end).

    Attributes:
        start: UTC epoch seconds.
        end: UTC epoch seconds.
        step_s: Length of an interval in s.
        day: The day asked for, ISO 8601, in the home's time zone; None for a free interval.
        today: The present day in that zone.
        time_zone: IANA name of that zone; empty if unknown.
        series: One for each device.
    """

    start: float
    end: float
    step_s: int
    day: date | None
    today: date
    time_zone: str
    series: Sequence[SeriesAnswer]


class HealthAnswer(Answer):
    """Whether the control cycle turns.

    Attributes:
        status: "ok", or "stalled" when the last control cycle is too long ago.
        seq: Number of the newest snapshot.
        age_s: How long ago it was, s; by no clock that can be set.
    """

    status: str
    seq: int
    age_s: float


_Instant = Annotated[float, Field(ge=0, le=_LAST_INSTANT, allow_inf_nan=False)]


class HistoryQuery(Input):
    """What a history request asks: a day, or an interval, or nothing for today.

    Attributes:
        day: ISO 8601, in the home's time zone.
        start: UTC epoch seconds.
        end: UTC epoch seconds, after `start`.
        step: Interval length in s.
    """

    day: Annotated[date, Field(ge=date(1970, 1, 2), le=date(2999, 12, 30))] | None = None
    start: _Instant | None = None
    end: _Instant | None = None
    step: Annotated[int, Field(ge=1, le=86_400)] = 300

    @model_validator(mode="after")
    def _one_way_of_asking(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError(say("start and end go together"))
        if self.day is not None and self.start is not None:
            raise ValueError(say("ask for a day or for start and end, not both"))
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(say("end must be after start"))
        return self


class WishOrder(Input):
    """The owner's direct wish about a device.

    Attributes:
        power_w: Power in W, passive sign.
        until: When it ends, UTC epoch seconds; or else
        seconds: How long it lasts from now, in s.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    power_w: Annotated[float, Field(strict=True)]
    until: _Instant | None = None
    seconds: Annotated[float, Field(gt=0, le=604_800, strict=True)] | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.until is None) is (self.seconds is None):
            raise ValueError(say("say either until or seconds"))
        return self


def series_answers(series: Sequence[Series]) -> list[SeriesAnswer]:
    """Return the surface's series as answers."""
    return [SeriesAnswer.model_validate(each) for each in series]
