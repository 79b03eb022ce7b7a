"""Whether the hub is well, in a word: for who starts it again, and for who waits until it is up."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from der.sentence import say
from hems.access.rights import Right
from hems.clock import Clock
from hems.knocks import Knocks
from hems.surface import HomeSurface, Snapshot
from web.answers import error_answer, model_answer
from web.models import Answer, HealthAnswer
from web.operation import Operation

FIRST_S: Final = 120.0
"""So long the first cycle may take: devices are found, opened and asked what they can do."""


class StateAnswer(Answer):
    """One word, and nothing of the home.

    Attributes:
        status: "ok"; "starting" before the first control cycle is done; "stalled" where the
            control cycle stands still.
    """

    status: str


class HealthApi:
    """Tells whether the control cycle turns.

    Args:
        surface: The home.
        clock: Where the time comes from.
        stall_s: How long ago the last cycle may be before it stands still, s.
    """

    def __init__(self, surface: HomeSurface, clock: Clock, stall_s: float) -> None:
        self._surface = surface
        self._clock = clock
        self._stall_s = stall_s
        self._knocks = Knocks()

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [
            Operation("GET", "/api/health", cls.health, Right.ANYBODY),
            Operation("GET", "/health/live", cls.live, Right.ANYBODY),
            Operation("GET", "/health/ready", cls.ready, Right.ANYBODY),
        ]

    async def health(self) -> HealthAnswer | web.Response:
        """Tell whether the control cycle turns; with status 503 where it stands still."""
        snapshot, idle_s = self._surface.snapshot(), self._surface.idle_s()
        stalled = self._stalled(snapshot, idle_s)
        answer = HealthAnswer(
            status="stalled" if stalled else "ok", seq=snapshot.seq, age_s=round(idle_s, 3)
        )
        return model_answer(answer, HTTPStatus.SERVICE_UNAVAILABLE) if stalled else answer

    async def live(self, request: web.Request) -> StateAnswer | web.Response:
        """Tell whether the hub works; with status 503 where only a new start will help."""
        return self._told(request, ready=True)

    async def ready(self, request: web.Request) -> StateAnswer | web.Response:
        """Tell whether the hub controls the home; with status 503 until it does."""
        return self._told(request, ready=self._surface.snapshot().seq > 0)

    def _told(self, request: web.Request, *, ready: bool) -> StateAnswer | web.Response:
        if self._knocks.too_many(request.remote or "", self._clock.monotonic()):
            return error_answer(
                HTTPStatus.TOO_MANY_REQUESTS, say("This was asked too often within a second.")
            )
        stalled = self._stalled(self._surface.snapshot(), self._surface.idle_s())
        answer = StateAnswer(status="stalled" if stalled else "ok" if ready else "starting")
        fit = ready and not stalled
        return answer if fit else model_answer(answer, HTTPStatus.SERVICE_UNAVAILABLE)

    def _stalled(self, snapshot: Snapshot, idle_s: float) -> bool:
        return idle_s > (self._stall_s if snapshot.seq else max(self._stall_s, FIRST_S))
