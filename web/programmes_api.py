"""The programmes under /api: what they are, taking part, records, settlement."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from der.sentence import say
from hems.access.rights import HERE, Right, Who
from hems.clock import Clock
from hems.programme_surface import (
    CannotLeaveError,
    ConsentError,
    Decision,
    Form,
    ProgrammeSurface,
    UnknownProgrammeError,
)
from web.models import Answer, Input
from web.operation import Download, Operation, Refusals
from web.words import Words

_DAY_S = 86_400.0
_MONTH = 30
_MOST_DAYS = 3660
_LAST_INSTANT = 32_503_680_000.0  # the year 3000
_Instant = Annotated[float, Field(ge=0, le=_LAST_INSTANT, allow_inf_nan=False)]
_TYPES = {Form.CSV: "text/csv", Form.JSON_LINES: "application/jsonl"}
_REFUSALS: Refusals = {
    UnknownProgrammeError: HTTPStatus.NOT_FOUND,
    CannotLeaveError: HTTPStatus.CONFLICT,
    ConsentError: HTTPStatus.BAD_REQUEST,
}


class AboutAnswer(Answer):
    """A use case in words; fields as in `programs.about.About`."""

    use_cases: Sequence[str]
    title: Words
    triggered_by: Words
    asks: Words
    ends: Words
    carried_by: Sequence[str]
    clause: str
    latency: str
    leaving: Words


class StandingAnswer(Answer):
    """How it stands; fields as in `programs.about.Standing`, its id left out."""

    active: bool
    down_w: float
    up_w: float
    energy_wh: float | None
    for_s: float | None
    promise: Words
    words: Words


class PayAnswer(Answer):
    """What a programme pays; fields as in `hems.programme_surface.PayView`."""

    per_kwh: float
    currency: str


class DecisionAnswer(Answer):
    """A decision that was made; fields as in `hems.programme_surface.DecisionView`."""

    joined: bool
    by: str
    at: float
    until: float | None
    version: str


class ProgrammeAnswer(Answer):
    """A programme; fields as in `hems.programme_surface.ProgrammeView`."""

    id: str
    about: AboutAnswer
    standing: StandingAnswer
    manner: str
    joined: bool
    bound: Words
    decided_by: str
    decided_at: float | None
    until: float | None
    version: str
    consequence: Sequence[Words]
    changed: bool
    pays: PayAnswer | None
    decisions: Sequence[DecisionAnswer]
    missing: Words


class ProgrammesAnswer(Answer):
    """All programmes.

    Attributes:
        programmes: In the registry's order.
        time_zone: IANA name of the home's time zone, in which months begin.
    """

    programmes: Sequence[ProgrammeAnswer]
    time_zone: str


class RecordAnswer(Answer):
    """A record; fields as in `programs.performance.Performance`."""

    programme: str
    event: str
    kind: str
    asked_by: str
    lfdi: str
    starts_at: float
    ends_at: float
    asked: float
    unit: str
    baseline_w: float | None
    baseline_by: str
    promised_wh: float | None
    delivered_wh: float | None
    settled_s: float | None
    inside_share: float | None
    deviation: float | None
    rebound_w: float | None
    comfort_minutes: float
    measured_share: float
    score: float | None
    opted_out: bool
    note: Words


class RecordsAnswer(Answer):
    """The records of a time."""

    records: Sequence[RecordAnswer]


class DecisionOrder(Input):
    """What the owner decides; fields as in `hems.programme_surface.Decision`.

    `by` counts only from this machine while the home has no accounts; else it is who asks.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    by: Annotated[str, Field(max_length=100)] = ""
    version: Annotated[str, Field(min_length=1, max_length=64)]
    until: Annotated[float, Field(ge=0, le=_LAST_INSTANT, strict=True)] | None = None


class PeriodQuery(Input):
    """Of what time: an interval, or a number of days until now; a month where nothing is said.

    Attributes:
        start: UTC epoch seconds.
        end: UTC epoch seconds, after `start`.
        days: The last days.
        programme: Of this programme alone; empty for all.
    """

    start: _Instant | None = None
    end: _Instant | None = None
    days: Annotated[int, Field(ge=1, le=_MOST_DAYS)] | None = None
    programme: str = ""

    @model_validator(mode="after")
    def _one_way_of_asking(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError(say("start and end go together"))
        if self.days is not None and self.start is not None:
            raise ValueError(say("ask for days, or for start and end, not both"))
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(say("end must be after start"))
        return self

    def period(self, now: float) -> tuple[float, float]:
        """Return from when to when, UTC epoch seconds."""
        if self.start is not None and self.end is not None:
            return self.start, self.end
        # An event that runs now ends later; what ends is what is asked for.
        return now - (self.days or _MONTH) * _DAY_S, now + _DAY_S


class ProgrammesApi:
    """What can be asked of the programmes, under /api.

    Args:
        surface: Returns those of the present home.
        clock: Where "the last days" take the time from.
        time_zone: IANA name of the home's; empty where nobody knows.
    """

    def __init__(
        self, surface: Callable[[], ProgrammeSurface], clock: Clock, time_zone: str = ""
    ) -> None:
        self._surface = surface
        self._clock = clock
        self._time_zone = time_zone

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        join, leave = "/api/programmes/{programme}/join", "/api/programmes/{programme}/leave"
        csv, lines = "/api/settlement.csv", "/api/settlement.jsonl"
        return [
            Operation("GET", "/api/programmes", cls.programmes, Right.SEE),
            Operation(
                "GET", "/api/programmes/records", cls.records, Right.HISTORY, refusals=_REFUSALS
            ),
            Operation("POST", join, cls.join, Right.AGREE, refusals=_REFUSALS),
            Operation("POST", leave, cls.leave, Right.AGREE, refusals=_REFUSALS),
            Operation(
                "GET",
                csv,
                cls.settlement_csv,
                Right.HISTORY,
                refusals=_REFUSALS,
                media_type=_TYPES[Form.CSV],
            ),
            Operation(
                "GET",
                lines,
                cls.settlement_lines,
                Right.HISTORY,
                refusals=_REFUSALS,
                media_type=_TYPES[Form.JSON_LINES],
            ),
        ]

    async def programmes(self) -> ProgrammesAnswer:
        """Return all programmes, with what leaving each would mean."""
        found = await self._surface().programmes()
        told = [ProgrammeAnswer.model_validate(each) for each in found]
        return ProgrammesAnswer(programmes=told, time_zone=self._time_zone)

    async def join(self, programme: str, body: DecisionOrder, who: Who) -> None:
        """Join a programme, having read the text of that version."""
        await self._surface().decide(programme, _decision(body, who, joined=True))

    async def leave(self, programme: str, body: DecisionOrder, who: Who) -> None:
        """Leave a programme."""
        await self._surface().decide(programme, _decision(body, who, joined=False))

    async def records(self, query: PeriodQuery) -> RecordsAnswer:
        """Return what the home has delivered in a time, event by event."""
        start, end = query.period(self._clock.now())
        found = await self._surface().records(start, end, query.programme)
        return RecordsAnswer(records=[RecordAnswer.model_validate(each) for each in found])

    async def settlement_csv(self, query: PeriodQuery) -> Download:
        """Return the records of a time for settlement, as CSV."""
        return await self._settlement(query, Form.CSV)

    async def settlement_lines(self, query: PeriodQuery) -> Download:
        """Return the records of a time for settlement, a JSON object a line."""
        return await self._settlement(query, Form.JSON_LINES)

    async def _settlement(self, query: PeriodQuery, form: Form) -> Download:
        start, end = query.period(self._clock.now())
        text = await self._surface().settlement(start, end, query.programme, form)
        kind = f"{_TYPES[form]}; charset=utf-8"
        return Download(text.encode(), kind, f"settlement.{form.value}")


def _decision(order: DecisionOrder, who: Who, *, joined: bool) -> Decision:
    """Return what was decided, by the name that the home knows who asks by."""
    by = (order.by.strip() or who.name) if who == HERE else who.name
    return Decision(joined, by, order.version, order.until)
