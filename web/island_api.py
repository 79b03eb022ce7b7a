"""The home's island under /api, and its shape as JSON."""

from collections.abc import Sequence

from pydantic import ConfigDict

from hems.access.rights import Right
from hems.microgrid.surface import IslandSurface
from web.models import Answer, Input
from web.operation import Operation
from web.words import Words


class IslandAnswer(Answer):
    """The island; fields as in `hems.microgrid.surface.IslandView`."""

    phase: str
    words: Words
    promise: Words
    permit: str
    agreement: str
    gives_w: float
    takes_w: float
    energy_wh: float | None
    lasts_s: float | None
    asked_to_leave: bool


class IslandBody(Input):
    """Body of POST /api/island: whether to part from the grid, or to go back to it."""

    model_config = ConfigDict(strict=True)

    leave: bool


class IslandApi:
    """What can be asked of the island, under /api."""

    def __init__(self, surface: IslandSurface) -> None:
        self._surface = surface

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [
            Operation("GET", "/api/island", cls.island, Right.SEE),
            Operation("POST", "/api/island", cls.ask, Right.STEER),
        ]

    async def island(self) -> IslandAnswer | None:
        """Return how the home stands to its grid; nothing where it has no tie."""
        found = self._surface.island()
        if found is None:
            return None
        return IslandAnswer.model_validate(found)

    async def ask(self, body: IslandBody) -> None:
        """Part from the grid, or go back to it."""
        await self._surface.ask_island(leave=body.leave)
