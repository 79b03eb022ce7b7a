"""The home as it is now and was, the owner's wishes about it: each operation one call."""

from collections.abc import Sequence

from hems.access.rights import Right, Who
from hems.clock import Clock
from hems.surface import HomeSurface, for_guests
from web.days import day_at, day_bounds, zone_name
from web.models import (
    MAX_POINTS,
    HistoryAnswer,
    HistoryQuery,
    HomeAnswer,
    WishOrder,
    series_answers,
)
from web.operation import Operation
from web.settings import WebSettings


class HomeApi:
    """What the API says of the whole home, and what can be wished of it."""

    def __init__(self, surface: HomeSurface, settings: WebSettings, clock: Clock) -> None:
        self._surface = surface
        self._settings = settings
        self._clock = clock
        self._zone = zone_name(settings.time_zone)

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [
            Operation("GET", "/api/home", cls.home, Right.SEE),
            Operation("GET", "/api/history", cls.history, Right.HISTORY),
            Operation("POST", "/api/events/{event}/opt-out", cls.opt_out, Right.STEER),
            Operation("POST", "/api/events/{event}/opt-in", cls.opt_in, Right.STEER),
            Operation("POST", "/api/messages/{message}/acknowledge", cls.acknowledge, Right.STEER),
            Operation("POST", "/api/devices/{device}/wish", cls.wish, Right.STEER),
            Operation("DELETE", "/api/devices/{device}/wish", cls.end_wish, Right.STEER),
        ]

    async def home(self, who: Who) -> HomeAnswer:
        """Return the whole home at this instant; why a car waits, to who may steer it."""
        home = self._surface.snapshot()
        return HomeAnswer.model_validate(home if who.may(Right.STEER) else for_guests(home))

    async def history(self, query: HistoryQuery) -> HistoryAnswer:
        """Return what was measured on a day, in an interval or else today, in equal steps."""
        today = day_at(self._clock.now(), self._zone)
        if query.start is not None and query.end is not None:
            day, start, end = None, query.start, query.end
        else:
            day = query.day or today
            start, end = day_bounds(day, self._zone)
        # A finer step than the answer may carry is widened, as the surface thins anyway.
        step_s = max(query.step, int(-(-(end - start) // MAX_POINTS)))
        series = await self._surface.history(start, end, step_s)
        return HistoryAnswer(
            start=start,
            end=end,
            step_s=step_s,
            day=day,
            today=today,
            time_zone=self._zone,
            series=series_answers(series),
        )

    async def opt_out(self, event: str) -> None:
        """Leave an event."""
        await self._surface.opt_out(event)

    async def opt_in(self, event: str) -> None:
        """Take part again in an event that was left."""
        await self._surface.opt_in(event)

    async def wish(self, device: str, body: WishOrder) -> None:
        """Wish directly what a device is to do, in place of any wish before."""
        now = self._clock.now()
        until = now + (body.seconds or 0.0) if body.until is None else body.until
        await self._surface.wish(device, body.power_w, until)

    async def end_wish(self, device: str) -> None:
        """End the wish about a device."""
        await self._surface.end_wish(device)

    async def acknowledge(self, message: str) -> None:
        """Note that a message has been read."""
        await self._surface.acknowledge(message)
