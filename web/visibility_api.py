"""Who may see what the home measures, under /api, and its shapes as JSON."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from der.sentence import say
from hems.access.rights import Right
from hems.visibility.grants import Data, Purpose
from hems.visibility.surface import ImpossibleGrantError, UnknownGrantError, VisibilitySurface
from web.models import Answer, Input
from web.operation import Operation, Refusals

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


class GrantOrder(Input):
    """What the owner grants; fields as in `hems.visibility.grants.Grant`."""

    recipient: str
    name: str
    purpose: Purpose
    data: frozenset[Data]
    until: Annotated[float, Field(allow_inf_nan=False)]


class AccessesQuery(Input):
    """How many accesses are asked for."""

    most: Annotated[int, Field(ge=1, le=_MOST)] = 100


class VisibilityApi:
    """What can be asked of the home's visibility, under /api.

    Args:
        surface: Returns that of the present home.
    """

    def __init__(self, surface: Callable[[], VisibilitySurface]) -> None:
        self._surface = surface

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        impossible: Refusals = {ImpossibleGrantError: HTTPStatus.BAD_REQUEST}
        unknown: Refusals = {UnknownGrantError: HTTPStatus.NOT_FOUND}
        return [
            Operation("GET", "/api/grants", cls.grants, Right.AUDIT),
            Operation(
                "POST",
                "/api/grants",
                cls.grant,
                Right.GRANT,
                HTTPStatus.CREATED,
                impossible,
                proof=True,
            ),
            Operation(
                "DELETE", "/api/grants/{number}", cls.withdraw, Right.GRANT, refusals=unknown
            ),
            Operation("GET", "/api/accesses", cls.accesses, Right.AUDIT),
        ]

    async def grants(self) -> GrantsAnswer:
        """Return who may see what the home measures, grants that hold first."""
        found = [GrantAnswer.model_validate(each) for each in await self._surface().grants()]
        return GrantsAnswer(grants=found)

    async def grant(self, body: GrantOrder) -> GrantAnswer:
        """Let somebody see what the home measures."""
        new = await self._surface().grant(
            body.recipient, body.name, body.purpose, body.data, body.until
        )
        return GrantAnswer.model_validate(new)

    async def withdraw(self, number: str) -> None:
        """Withdraw a grant."""
        if not (number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS):
            raise UnknownGrantError(say("there is no grant {number}", number=number[:_MAX_DIGITS]))
        await self._surface().withdraw(int(number))

    async def accesses(self, query: AccessesQuery) -> AccessesAnswer:
        """Return who has looked or tried to, the newest first."""
        found = [
            AccessAnswer.model_validate(each) for each in await self._surface().accesses(query.most)
        ]
        return AccessesAnswer(accesses=found)
