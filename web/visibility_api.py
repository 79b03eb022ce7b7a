"""The API's handlers for who may see what the home measures, and their shapes as JSON."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from hems.visibility.grants import Data, Purpose
from hems.visibility.surface import ImpossibleGrantError, UnknownGrantError, VisibilitySurface
from web.answers import error_answer, model_answer
from web.models import Answer

_MOST = 1000
_MAX_DIGITS = 18


class GrantAnswer(Answer):
    """A grant; fields as in `hems.visibility.surface.GrantView`."""

    id: int
    recipient: str
    name: str
    purpose: str
    data: Sequence[str]
    granted_at: float
    until: float
    holds: bool


class AccessAnswer(Answer):
    """An access; fields as in `hems.visibility.surface.AccessView`."""

    at: float
    recipient: str
    name: str
    purpose: str
    asked: str
    allowed: bool


class GrantsAnswer(Answer):
    """All grants, those that hold first."""

    grants: Sequence[GrantAnswer]


class AccessesAnswer(Answer):
    """The last accesses, the newest first."""

    accesses: Sequence[AccessAnswer]


class GrantOrder(BaseModel):
    """What the owner grants; fields as in `hems.visibility.grants.Grant`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipient: str
    name: str
    purpose: Purpose
    data: frozenset[Data]
    until: Annotated[float, Field(allow_inf_nan=False)]


class AccessesQuery(BaseModel):
    """How many accesses are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most: Annotated[int, Field(ge=1, le=_MOST)] = 100


class VisibilityApi:
    """What can be asked of the home's visibility, under /api.

    Args:
        surface: Returns that of the present home.
    """

    def __init__(self, surface: Callable[[], VisibilitySurface]) -> None:
        self._surface = surface

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where it answers."""
        return [
            web.get("/api/grants", self.grants),
            web.post("/api/grants", self.grant),
            web.delete("/api/grants/{id}", self.withdraw),
            web.get("/api/accesses", self.accesses),
        ]

    async def grants(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /api/grants."""
        del request
        found = [GrantAnswer.model_validate(each) for each in await self._surface().grants()]
        return model_answer(GrantsAnswer(grants=found))

    async def grant(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/grants."""
        order = GrantOrder.model_validate_json(await request.read())
        try:
            new = await self._surface().grant(
                order.recipient, order.name, order.purpose, order.data, order.until
            )
        except ImpossibleGrantError as error:
            return error_answer(HTTPStatus.BAD_REQUEST, str(error))
        return model_answer(GrantAnswer.model_validate(new), HTTPStatus.CREATED)

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """Answer DELETE /api/grants/ID."""
        number = request.match_info["id"]
        if not (number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS):
            return error_answer(HTTPStatus.NOT_FOUND, f"there is no grant {number[:_MAX_DIGITS]}")
        try:
            await self._surface().withdraw(int(number))
        except UnknownGrantError as error:
            return error_answer(HTTPStatus.NOT_FOUND, str(error))
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def accesses(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /api/accesses, ?most= of them."""
        query = AccessesQuery.model_validate(dict(request.query))
        found = [
            AccessAnswer.model_validate(each) for each in await self._surface().accesses(query.most)
        ]
        return model_answer(AccessesAnswer(accesses=found))
