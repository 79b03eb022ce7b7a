"""What the operator's door takes and gives, as JSON."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, StrictInt, model_validator

from certs.identity import lfdi_valid, pin_valid
from hems.headend.dispatch import Order
from hems.headend.modes import Edition, Mode, Value
from hems.headend.operator_asks import AsksIn, Finite, In
from hems.headend.operator_homes import SelfReport
from hems.headend.records import ReadingRecord


class EventIn(AsksIn):
    """An order for an event: what, how long, and if wanted when and in which programme."""

    program: str | None = None
    """Name or mRID; if not given the first that fits: mandatory for a shed, else voluntary."""
    group: str | None = None
    """Id of the group or site that it is for; everybody if not given."""
    minutes: Finite | None = None
    seconds: Finite | None = None
    start: Finite | str | None = None
    """Epoch seconds, or an offset such as "+5m"; now if not given."""
    randomize_start_s: StrictInt = 0
    randomize_duration_s: StrictInt = 0

    @model_validator(mode="after")
    def _one_duration(self) -> Self:
        if (self.minutes is None) == (self.seconds is None):
            raise ValueError("give either minutes or seconds")
        return self

    def order(self) -> Order:
        """Return the order, still to be judged."""
        return Order(
            self.asked,
            self.minutes * 60 if self.minutes is not None else self.seconds or 0.0,
            self.program,
            self.start,
            self.randomize_start_s,
            self.randomize_duration_s,
            self.curves(),
            self.ramp_s,
            self.raw,
        )


class CancelIn(In):
    """How to cancel."""

    randomize: bool = False
    """Whether homes end it at a time drawn from the event's own randomisation ranges."""
    reason: Annotated[str, Field(max_length=500)] = ""
    """For the trail."""


class HomeIn(In):
    """A home to enter."""

    lfdi: str
    pin: str | StrictInt
    edition: Edition | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not lfdi_valid(self.lfdi.upper()):
            raise ValueError("lfdi must be 40 hex digits")
        if not pin_valid(self.pin):
            raise ValueError("pin must be 6 digits, the last one its check digit")
        return self


class ResponseOut(BaseModel):
    """What a home answered."""

    status: int
    meaning: str
    at: int
    received_at: float
    modes: str


class HomeAnswerOut(BaseModel):
    """One home's side of an event; `told` is false where its edition has no word for it."""

    lfdi: str
    told: bool
    notified_at: float | None
    responses: list[ResponseOut]
    status: str


class BarredOut(BaseModel):
    """How many homes an event does not reach for one reason."""

    why: str
    homes: int


class EventOut(BaseModel):
    """An event as it stands."""

    id: str
    program: str
    group: str | None = None
    state: str
    start: int
    duration_s: int
    ends: int
    randomize_start_s: int
    randomize_duration_s: int
    asks: dict[Mode, Value]
    ramp_s: float | None
    accepted_at: float
    cancelled_at: float | None
    reached: int
    """How many homes it reaches."""
    homes: list[HomeAnswerOut]
    """The first thousand of them; `/events/ID/progress` has all."""
    barred: list[BarredOut] = Field(default_factory=list)
    """Those that it is for and does not reach."""


class EventsOut(BaseModel):
    """All remembered events, latest first."""

    events: list[EventOut]


class ReadingOut(BaseModel):
    """A mirrored reading; `uom` 38 W, 72 Wh, 29 V, 33 Hz; `flow` 1 from the grid, 19 to it."""

    lfdi: str
    point: str
    meter: str
    description: str
    uom: int | None
    flow: int | None
    role: str
    start: int
    duration_s: int
    value: float
    least: float | None = None
    """Of a thinned one, the least that it stands for."""
    greatest: float | None = None

    @classmethod
    def of(cls, record: ReadingRecord) -> Self:
        """Take a record over."""
        return cls(
            lfdi=record.lfdi,
            point=record.point,
            meter=record.meter,
            description=record.description,
            uom=record.uom,
            flow=record.flow,
            role=record.role,
            start=record.start,
            duration_s=record.duration_s,
            value=record.value,
            least=record.least,
            greatest=record.greatest,
        )


class ReadingsOut(BaseModel):
    """Readings, latest first."""

    readings: list[ReadingOut]


class HomeOut(SelfReport):
    """A home as the utility knows it."""

    lfdi: str
    sfdi: int
    pin: str
    edition: Edition
    registered_at: float
    in_band: bool
    last_contact: float | None
    subscriptions: list[str]
    readings: list[ReadingOut]


class HomesOut(BaseModel):
    """All homes."""

    homes: list[HomeOut]


class ErrorOut(BaseModel):
    """Why a request was refused."""

    error: str
