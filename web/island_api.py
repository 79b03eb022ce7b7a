"""The API's handlers for the home's island, and its shape as JSON."""

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from hems.microgrid.surface import IslandSurface
from web.answers import model_answer
from web.models import Answer


class IslandAnswer(Answer):
    """The island; fields as in `hems.microgrid.surface.IslandView`."""

    phase: str
    words: str
    promise: str
    permit: str
    agreement: str
    gives_w: float
    takes_w: float
    energy_wh: float | None
    lasts_s: float | None
    asked_to_leave: bool


class IslandBody(BaseModel):
    """Body of POST /api/island: whether to part from the grid, or to go back to it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    leave: bool


class IslandApi:
    """What can be asked of the island, under /api."""

    def __init__(self, surface: IslandSurface) -> None:
        self._surface = surface

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where it answers."""
        return [web.get("/api/island", self.island), web.post("/api/island", self.ask)]

    async def island(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /api/island: how the home stands to its grid; 204 where it has no tie."""
        found = self._surface.island()
        if found is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        return model_answer(IslandAnswer.model_validate(found))

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/island: the owner's word, `IslandBody` as JSON."""
        body = IslandBody.model_validate_json(await request.read())
        await self._surface.ask_island(leave=body.leave)
        return web.Response(status=HTTPStatus.NO_CONTENT)
