"""The operator's door for files of hubs: begun, told in batches, looked at, run or dropped."""

from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, Field, StrictBool

from hems.headend.fleet.door_models import Text
from hems.headend.fleet.door_words import Who, name_in
from hems.headend.fleet.import_rows import HubLine, Problem, judge
from hems.headend.fleet.imports import Import, Imports
from hems.headend.operator_asks import In
from hems.headend.operator_door import json_answer, read_model

MOST_LINES = 1_000
"""Lines in one request."""
MOST_LINE = 100_000_000
"""Number of a line."""
_MOST_CELL = 1_000
_CONFLICT = 409


class BeginIn(In):
    """A file that is to come."""

    name: Annotated[Text, Field(min_length=1)]


class LineIn(In):
    """A line: its cells by column, or why it is none."""

    line: Annotated[int, Field(ge=1, le=MOST_LINE)]
    cells: dict[str, Annotated[str, Field(max_length=_MOST_CELL)]] = Field(default_factory=dict)
    problem: Annotated[str, Field(max_length=_MOST_CELL)] | None = None
    column: Annotated[str, Field(max_length=_MOST_CELL)] = ""


class LinesIn(In):
    """Lines of a file."""

    lines: Annotated[list[LineIn], Field(min_length=1, max_length=MOST_LINES)]


class RunIn(In):
    """How lines become part of the fleet."""

    only_good: StrictBool = False
    """Whether the good ones shall although there are bad ones."""


class ProblemOut(BaseModel):
    """Why a line cannot be imported; `column` is empty for the line as a whole."""

    line: int
    column: str
    reason: str

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Take a record over."""
        return cls(line=problem.line, column=problem.column, reason=problem.reason)


class ProblemsOut(BaseModel):
    """All that is wrong with the lines of a request."""

    problems: list[ProblemOut]


class ImportOut(BaseModel):
    """How a file stands."""

    id: str
    name: str
    good: int
    known: int
    bad: int
    imported: int
    problems: list[ProblemOut]

    @classmethod
    def of(cls, item: Import) -> Self:
        """Take a record over."""
        return cls(
            id=item.id,
            name=item.name,
            good=item.good,
            known=item.known,
            bad=item.bad,
            imported=item.imported,
            problems=[ProblemOut.of(each) for each in item.problems],
        )


class ImportDoor:
    """Files of hubs.

    Args:
        imports: They.
        who: Who asks.
    """

    def __init__(self, imports: Imports, who: Who) -> None:
        self._imports = imports
        self._who = who

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.post("/fleet/imports", self.post_import),
            web.get("/fleet/imports/{id}", self.get_import),
            web.delete("/fleet/imports/{id}", self.delete_import),
            web.post("/fleet/imports/{id}/lines", self.post_lines),
            web.post("/fleet/imports/{id}/run", self.post_run),
        ]

    async def post_import(self, request: web.Request) -> web.Response:
        """Begin a file."""
        wish = await read_model(request, BeginIn)
        begun = await self._imports.begin(wish.name, self._who(request))
        return json_answer(ImportOut.of(begun), 201, {"Location": f"/fleet/imports/{begun.id}"})

    async def get_import(self, request: web.Request) -> web.Response:
        """Answer how a file stands."""
        return json_answer(ImportOut.of(await self._imports.look(name_in(request))))

    async def delete_import(self, request: web.Request) -> web.Response:
        """Forget a file; what of it is part of the fleet already stays so."""
        stood = await self._imports.look(name_in(request))
        await self._imports.drop(stood.id, self._who(request))
        return json_answer(ImportOut.of(stood))

    async def post_lines(self, request: web.Request) -> web.Response:
        """Take lines of a file, and answer what is wrong with which of them."""
        wish = await read_model(request, LinesIn)
        good: list[HubLine] = []
        problems: list[Problem] = []
        for each in {item.line: item for item in wish.lines}.values():
            if each.problem is not None:
                problems.append(Problem(each.line, each.column, each.problem))
                continue
            line, found = judge(each.line, each.cells)
            problems += found
            if line is not None:
                good.append(line)
        told = await self._imports.add(name_in(request), good, problems, self._who(request))
        return json_answer(ProblemsOut(problems=[ProblemOut.of(each) for each in told]))

    async def post_run(self, request: web.Request) -> web.Response:
        """Have lines become part of the fleet; 409 where bad ones keep all of them from it."""
        wish = await read_model(request, RunIn)
        done = await self._imports.run(
            name_in(request), self._who(request), only_good=wish.only_good
        )
        refused = done.bad and not wish.only_good
        return json_answer(ImportOut.of(done), _CONFLICT if refused else 200)
