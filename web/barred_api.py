"""Addresses that are kept out for a while, under /api: who, why and for how long; let in again."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field

from der.sentence import say
from hems.access.rights import Right
from hems.clock import Clock
from hems.emg.threats.barrier import Barrier
from hems.surface import SurfaceError
from web.models import Answer, Input
from web.operation import Operation, Refusals
from web.words import Words


class NotBarredError(SurfaceError):
    """An address is not kept out."""


_REFUSALS: Final[Refusals] = {NotBarredError: HTTPStatus.NOT_FOUND}


class BarredAddressAnswer(Answer):
    """An address that is kept out.

    Attributes:
        source: The address, or a network of IPv6.
        left_s: For how long still, s.
        why: What was found, in one sentence.
    """

    source: str
    left_s: float
    why: Words


class BarredAnswer(Answer):
    """All addresses that are kept out."""

    barred: Sequence[BarredAddressAnswer]


class LetInOrder(Input):
    """Whom to keep out no longer, as `BarredAddressAnswer.source` has it."""

    source: Annotated[str, Field(min_length=1, max_length=64)]


class BarredApi:
    """What can be asked of who is kept out.

    Args:
        barrier: Who it is.
        clock: Where the time comes from.
    """

    def __init__(self, barrier: Barrier, clock: Clock) -> None:
        self._barrier = barrier
        self._clock = clock

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        path = "/api/security/barred"
        return [
            Operation("GET", path, cls.barred, Right.AUDIT),
            Operation(
                "POST",
                f"{path}/let-in",
                cls.let_in,
                Right.SET_UP,
                refusals=_REFUSALS,
                proof=True,
            ),
        ]

    async def barred(self) -> BarredAnswer:
        """Tell who is kept out because of what was found."""
        found = self._barrier.barred(self._clock.monotonic())
        return BarredAnswer(barred=[BarredAddressAnswer.model_validate(each) for each in found])

    async def let_in(self, body: LetInOrder) -> None:
        """Keep an address out no longer; what it tries counts anew.

        Raises:
            NotBarredError: It is not kept out.
        """
        if not self._barrier.lift(body.source):
            raise NotBarredError(say("This address is not kept out: {source}.", source=body.source))
