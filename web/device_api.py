"""The API's handlers for single devices: each turns one request into one call of the surface."""

from collections.abc import Sequence

from aiohttp import web

from hems.device_surface import DeviceSurface
from web.answers import model_answer
from web.device_models import (
    CallerAnswer,
    CallersAnswer,
    DeviceDetailAnswer,
    MoveOutcomeAnswer,
    MoveQuery,
)


class DeviceApi:
    """What can be asked of single devices, under /api."""

    def __init__(self, surface: DeviceSurface) -> None:
        self._surface = surface

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where it answers."""
        return [
            web.get("/api/devices/{id}", self.device),
            web.post("/api/devices/{id}/test", self.test),
            web.get("/api/callers", self.callers),
        ]

    async def device(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /api/devices/{id}: all that is known of a device."""
        detail = await self._surface.device(request.match_info["id"])
        return model_answer(DeviceDetailAnswer.model_validate(detail))

    async def test(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/devices/{id}/test: what a test move has shown, when it is over."""
        query = MoveQuery.model_validate(dict(request.query))
        outcome = await self._surface.test(request.match_info["id"], query.move_s)
        return model_answer(MoveOutcomeAnswer.model_validate(outcome))

    async def callers(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /api/callers: the chargers that have called in of late."""
        callers = self._surface.callers()
        answers = [CallerAnswer.model_validate(each) for each in callers or ()]
        return model_answer(CallersAnswer(listening=callers is not None, callers=answers))
