"""The API's handlers: each turns one request into one call of the surface."""

from http import HTTPStatus

from aiohttp import web

from hems.clock import Clock
from hems.surface import HomeSurface
from web.answers import model_answer
from web.days import day_at, day_bounds, zone_name
from web.models import (
    MAX_POINTS,
    HealthAnswer,
    HistoryAnswer,
    HistoryQuery,
    HomeAnswer,
    WishOrder,
    series_answers,
)
from web.settings import WebSettings


class Api:
    """The home's API under /api."""

    def __init__(self, surface: HomeSurface, settings: WebSettings, clock: Clock) -> None:
        self._surface = surface
        self._settings = settings
        self._clock = clock
        self._zone = zone_name(settings.time_zone)

    async def home(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /api/home: the present snapshot."""
        return model_answer(HomeAnswer.model_validate(self._surface.snapshot()))

    async def health(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /api/health: 200 while the control cycle turns, else 503."""
        snapshot = self._surface.snapshot()
        age_s = self._clock.now() - snapshot.at
        stalled = age_s > self._settings.stall_s
        answer = HealthAnswer(
            status="stalled" if stalled else "ok", seq=snapshot.seq, age_s=round(age_s, 3)
        )
        return model_answer(answer, HTTPStatus.SERVICE_UNAVAILABLE if stalled else HTTPStatus.OK)

    async def history(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /api/history: ?day=, or ?start=&end=, or today; thinned to ?step= seconds."""
        query = HistoryQuery.model_validate(dict(request.query))
        today = day_at(self._clock.now(), self._zone)
        if query.start is not None and query.end is not None:
            day, start, end = None, query.start, query.end
        else:
            day = query.day or today
            start, end = day_bounds(day, self._zone)
        # A finer step than the answer may carry is widened, as the surface thins anyway.
        step_s = max(query.step, int(-(-(end - start) // MAX_POINTS)))
        series = await self._surface.history(start, end, step_s)
        return model_answer(
            HistoryAnswer(
                start=start,
                end=end,
                step_s=step_s,
                day=day,
                today=today,
                time_zone=self._zone,
                series=series_answers(series),
            )
        )

    async def opt_out(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/events/{id}/opt-out: the home leaves the event."""
        await self._surface.opt_out(request.match_info["id"])
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def opt_in(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/events/{id}/opt-in: the home takes part again."""
        await self._surface.opt_in(request.match_info["id"])
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def wish(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/devices/{id}/wish: the owner's direct wish, `WishOrder` as JSON."""
        order = WishOrder.model_validate_json(await request.read())
        now = self._clock.now()
        until = now + (order.seconds or 0.0) if order.until is None else order.until
        await self._surface.wish(request.match_info["id"], order.power_w, until)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def end_wish(self, request: web.Request) -> web.StreamResponse:
        """Answer DELETE /api/devices/{id}/wish: the wish ends."""
        await self._surface.end_wish(request.match_info["id"])
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def acknowledge(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/messages/{id}/acknowledge: the owner has read it."""
        await self._surface.acknowledge(request.match_info["id"])
        return web.Response(status=HTTPStatus.NO_CONTENT)
