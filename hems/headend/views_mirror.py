"""Views of mirrored metering: homes post what they measure (metering mirror function set)."""

from collections.abc import Iterator
from dataclasses import replace

from aiohttp import web

from hems.clock import Clock
from hems.headend import hrefs
from hems.headend.errors import RequestError, UnknownItemError
from hems.headend.exchange import answer, body_of, caller, changed, created, number_of, read
from hems.headend.fleet.access import Access
from hems.headend.keeping import kept_form
from hems.headend.mirror_posts import MeterPost, ReadingsPost, Sample
from hems.headend.mirror_store import MirrorStore, Point, PointPost
from hems.headend.paging import parse_query
from hems.headend.polling import Rates
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import (
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorUsagePoint,
    MirrorUsagePointList,
    Reading,
)
from hems.sep2.xml import parse, parse_any


class MirrorViews:
    """Mirror usage points of the caller.

    Args:
        mirrors: Where readings are kept.
        settings: Rates.
        clock: The utility's time.
    """

    def __init__(self, mirrors: MirrorStore, settings: HeadEndSettings, clock: Clock) -> None:
        self._mirrors = mirrors
        self._settings = settings
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.get(hrefs.POINTS, self.get_points),
            web.post(hrefs.POINTS, self.post_point),
            web.get(f"{hrefs.POINTS}/{{point}}", self.get_point),
            web.post(f"{hrefs.POINTS}/{{point}}", self.post_readings),
            web.delete(f"{hrefs.POINTS}/{{point}}", self.delete_point),
        ]

    async def get_points(self, request: web.Request) -> web.Response:
        """Answer the caller's usage points; their readings are not given back."""
        who, query = caller(request), parse_query(request.query)
        part = await self._mirrors.listed(who.registered().lfdi, who.agent, query)
        rates = self._settings.rates(who.edition)
        items = MirrorUsagePointList(
            href=hrefs.POINTS,
            all=part.all,
            results=len(part.items),
            poll_rate=rates.list_poll_s,
            mirror_usage_point=tuple(self._point(item, rates) for item in part.items),
        )
        return answer(request, items)

    async def post_point(self, request: web.Request) -> web.Response:
        """Make a usage point (201); one whose mRID the caller posted before is updated (204)."""
        who = caller(request)
        posted = await read(request, MirrorUsagePoint)
        home = who.named(posted.device_lfdi, Access.REPORTS)
        meters = [self._meter(item) for item in posted.mirror_meter_reading]
        role = f"{posted.role_flags:04X}"
        body = kept_form(replace(posted, mirror_meter_reading=()))
        wanted = PointPost(home.lfdi, posted.mrid, role, body, who.behind.agent_of(home))
        point, new = await self._mirrors.save_point(wanted, meters)
        href = hrefs.point(point.id)
        return created(href) if new else changed(href)

    async def get_point(self, request: web.Request) -> web.Response:
        """Answer one usage point of the caller."""
        rates = self._settings.rates(caller(request).edition)
        return answer(request, self._point(await self._own(request, Access.OWN), rates))

    async def post_readings(self, request: web.Request) -> web.Response:
        """Keep the readings of a MirrorMeterReading or a list of them."""
        who, point = caller(request), number_of(request, "point")
        lfdi = who.registered().lfdi
        if who.agent is not None:
            lfdi = (await self._own(request, Access.REPORTS)).lfdi
        posted = parse_any(await body_of(request))
        if isinstance(posted, MirrorMeterReading):
            items: tuple[MirrorMeterReading, ...] = (posted,)
        elif isinstance(posted, MirrorMeterReadingList):
            items = posted.mirror_meter_reading
        else:
            raise RequestError(
                f"{type(posted).__name__}: a MirrorMeterReading or a list of them is taken here"
            )
        meters = [self._meter(item) for item in items]
        done = await self._mirrors.save_meters(ReadingsPost(lfdi, point, meters))
        if len(done) == 1:
            number, new = done[0]
            href = f"{hrefs.point(point)}/mr/{number}"
            return created(href) if new else changed(href)
        return changed(hrefs.point(point))

    async def delete_point(self, request: web.Request) -> web.Response:
        """Forget a usage point of the caller and its readings."""
        await self._mirrors.delete_point(await self._own(request, Access.REPORTS))
        return changed()

    async def _own(self, request: web.Request, need: Access) -> Point:
        who = caller(request)
        home = who.registered()
        point = await self._mirrors.point(number_of(request, "point"))
        if point is not None and point.lfdi != home.lfdi:
            other = who.behind.named(home.lfdi, point.lfdi, need)
            point = None if other is None else point
        if point is None:
            raise UnknownItemError(f"device {home.lfdi} has no usage point at {request.path}")
        return point

    def _point(self, point: Point, rates: Rates) -> MirrorUsagePoint:
        return replace(
            parse(point.body, MirrorUsagePoint),
            href=hrefs.point(point.id),
            subscribable=None,
            mirror_meter_reading=(),
            post_rate=rates.post_rate_s,
        )

    def _meter(self, posted: MirrorMeterReading) -> MeterPost:
        kind = posted.reading_type
        samples = [
            Sample(
                int(self._clock.now())
                if reading.time_period is None
                else reading.time_period.start,
                0 if reading.time_period is None else reading.time_period.duration,
                "" if reading.local_id is None else f"{reading.local_id:04X}",
                reading.value,
            )
            for reading in _readings(posted)
            if reading.value is not None
        ]
        return MeterPost(
            posted.mrid,
            posted.description,
            None if kind is None else kind.uom,
            None if kind is None else kind.flow_direction,
            None if kind is None else kind.power_of_ten_multiplier,
            samples,
            None if kind is None else kind.phase,
            None if kind is None else kind.data_qualifier,
        )


def _readings(posted: MirrorMeterReading) -> Iterator[Reading]:
    """Yield the readings of all sets; one without a period of its own has its set's."""
    if posted.reading is not None:
        yield posted.reading
    for group in posted.mirror_reading_set:
        for reading in group.reading:
            if reading.time_period is None:
                yield replace(reading, time_period=group.time_period)
            else:
                yield reading
