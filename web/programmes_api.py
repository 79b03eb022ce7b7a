"""The API's handlers for the programmes: what they are, taking part, records, settlement."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hems.clock import Clock
from hems.programme_surface import (
    CannotLeaveError,
    ConsentError,
    Decision,
    Form,
    ProgrammeSurface,
    UnknownProgrammeError,
)
from web.answers import error_answer, model_answer
from web.models import Answer

_DAY_S = 86_400.0
_MONTH = 30
_MOST_DAYS = 3660
_LAST_INSTANT = 32_503_680_000.0  # the year 3000
_Instant = Annotated[float, Field(ge=0, le=_LAST_INSTANT, allow_inf_nan=False)]
_TYPES = {Form.CSV: "text/csv", Form.JSON_LINES: "application/jsonl"}


class AboutAnswer(Answer):
    """A use case in words; fields as in `programs.about.About`."""

    use_cases: Sequence[str]
    title: str
    triggered_by: str
    asks: str
    ends: str
    carried_by: Sequence[str]
    clause: str
    latency: str
    leaving: str


class StandingAnswer(Answer):
    """How it stands; fields as in `programs.about.Standing`, its id left out."""

    active: bool
    down_w: float
    up_w: float
    energy_wh: float | None
    for_s: float | None
    promise: str
    words: str


class ProgrammeAnswer(Answer):
    """A programme; fields as in `hems.programme_surface.ProgrammeView`."""

    id: str
    about: AboutAnswer
    standing: StandingAnswer
    manner: str
    joined: bool
    bound: str
    decided_by: str
    decided_at: float | None
    until: float | None
    version: str
    consequence: Sequence[str]


class ProgrammesAnswer(Answer):
    """All programmes."""

    programmes: Sequence[ProgrammeAnswer]


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
    note: str


class RecordsAnswer(Answer):
    """The records of a time."""

    records: Sequence[RecordAnswer]


class DecisionOrder(BaseModel):
    """What the owner decides; fields as in `hems.programme_surface.Decision`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    by: Annotated[str, Field(min_length=1, max_length=100)]
    version: Annotated[str, Field(min_length=1, max_length=64)]
    until: Annotated[float, Field(ge=0, le=_LAST_INSTANT, strict=True)] | None = None


class PeriodQuery(BaseModel):
    """Of what time: an interval, or a number of days until now; a month where nothing is said.

    Attributes:
        start: UTC epoch seconds.
        end: UTC epoch seconds, after `start`.
        days: The last days.
        programme: Of this programme alone; empty for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: _Instant | None = None
    end: _Instant | None = None
    days: Annotated[int, Field(ge=1, le=_MOST_DAYS)] | None = None
    programme: str = ""

    @model_validator(mode="after")
    def _one_way_of_asking(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("start and end go together")
        if self.days is not None and self.start is not None:
            raise ValueError("ask for days, or for start and end, not both")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("end must be after start")
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
    """

    def __init__(self, surface: Callable[[], ProgrammeSurface], clock: Clock) -> None:
        self._surface = surface
        self._clock = clock

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where it answers."""
        return [
            web.get("/api/programmes", self.programmes),
            web.get("/api/programmes/records", self.records),
            web.post("/api/programmes/{id}/join", self.join),
            web.post("/api/programmes/{id}/leave", self.leave),
            web.get("/api/settlement.csv", self.settlement_csv),
            web.get("/api/settlement.jsonl", self.settlement_lines),
        ]

    async def programmes(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /api/programmes: all of them, with what leaving would mean."""
        found = await self._surface().programmes()
        told = [ProgrammeAnswer.model_validate(each) for each in found]
        return model_answer(ProgrammesAnswer(programmes=told))

    async def join(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/programmes/ID/join."""
        return await self._decide(request, joined=True)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/programmes/ID/leave."""
        return await self._decide(request, joined=False)

    async def records(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /api/programmes/records: ?start=&end=, or ?days=, and &programme=."""
        query = PeriodQuery.model_validate(dict(request.query))
        start, end = query.period(self._clock.now())

        async def answer() -> web.StreamResponse:
            found = await self._surface().records(start, end, query.programme)
            told = [RecordAnswer.model_validate(each) for each in found]
            return model_answer(RecordsAnswer(records=told))

        return await _refused_in_words(answer)

    async def settlement_csv(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /api/settlement.csv, asked like the records."""
        return await self._settlement(request, Form.CSV)

    async def settlement_lines(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /api/settlement.jsonl, likewise."""
        return await self._settlement(request, Form.JSON_LINES)

    async def _decide(self, request: web.Request, *, joined: bool) -> web.StreamResponse:
        order = DecisionOrder.model_validate_json(await request.read())
        decision = Decision(joined, order.by, order.version, order.until)

        async def answer() -> web.StreamResponse:
            await self._surface().decide(request.match_info["id"], decision)
            return web.Response(status=HTTPStatus.NO_CONTENT)

        return await _refused_in_words(answer)

    async def _settlement(self, request: web.Request, form: Form) -> web.StreamResponse:
        query = PeriodQuery.model_validate(dict(request.query))
        start, end = query.period(self._clock.now())

        async def answer() -> web.StreamResponse:
            text = await self._surface().settlement(start, end, query.programme, form)
            name = f'attachment; filename="settlement.{form.value}"'
            return web.Response(
                body=text.encode(),
                headers={
                    "Content-Type": f"{_TYPES[form]}; charset=utf-8",
                    "Content-Disposition": name,
                },
            )

        return await _refused_in_words(answer)


async def _refused_in_words(
    answer: Callable[[], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    try:
        return await answer()
    except UnknownProgrammeError as error:
        return error_answer(HTTPStatus.NOT_FOUND, str(error))
    except CannotLeaveError as error:
        return error_answer(HTTPStatus.CONFLICT, str(error))
    except ConsentError as error:
        return error_answer(HTTPStatus.BAD_REQUEST, str(error))
