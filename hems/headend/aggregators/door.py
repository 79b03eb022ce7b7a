"""The operator's door for aggregators and the homes that they speak for."""

from aiohttp import web

from hems.headend.aggregators.desk import Aggregators
from hems.headend.aggregators.door_models import (
    AggregatorIn,
    AggregatorOut,
    AggregatorsOut,
    ManagedHomesIn,
    ManagedHomesOut,
    ManagedOut,
    RightsIn,
)
from hems.headend.aggregators.records import Aggregator
from hems.headend.book import Book
from hems.headend.fleet.door_words import limit_of, part_of, wanted
from hems.headend.modes import Edition
from hems.headend.operator_door import json_answer, read_model


class AggregatorDoor:
    """Aggregators.

    Args:
        desk: They.
        book: Homes.
        edition: What an aggregator speaks of which nobody says it.
    """

    def __init__(self, desk: Aggregators, book: Book, edition: Edition) -> None:
        self._desk = desk
        self._book = book
        self._edition = edition

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        one = "/aggregators/{lfdi}"
        return [
            web.get("/aggregators", self.get_all),
            web.post("/aggregators", self.post),
            web.get(one, self.get),
            web.put(one, self.put),
            web.delete(one, self.delete),
            web.get(f"{one}/homes", self.get_homes),
            web.post(f"{one}/homes", self.post_homes),
            web.delete(f"{one}/homes/{{home}}", self.delete_home),
        ]

    async def get_all(self, _request: web.Request) -> web.Response:
        """Answer all aggregators."""
        return json_answer(AggregatorsOut(aggregators=[self._out(each) for each in self._desk.all]))

    async def post(self, request: web.Request) -> web.Response:
        """Enter an aggregator; a certificate of this LFDI may connect."""
        wish = await read_model(request, AggregatorIn)
        item = wish.record(wish.lfdi)
        await self._desk.enter(item, int(wish.pin), wish.edition or self._edition)
        return json_answer(self._out(item), 201, {"Location": f"/aggregators/{item.lfdi}"})

    async def get(self, request: web.Request) -> web.Response:
        """Answer an aggregator."""
        return json_answer(self._out(self._desk.of(_lfdi(request))))

    async def put(self, request: web.Request) -> web.Response:
        """Change what an aggregator may do."""
        item = (await read_model(request, RightsIn)).record(_lfdi(request))
        await self._desk.change(item)
        return json_answer(self._out(item))

    async def delete(self, request: web.Request) -> web.Response:
        """Have an aggregator be a home like any other."""
        item = self._desk.of(_lfdi(request))
        await self._desk.drop(item.lfdi)
        return json_answer(self._out(item))

    async def get_homes(self, request: web.Request) -> web.Response:
        """Answer the homes that an aggregator speaks for, by LFDI."""
        item, limit = self._desk.of(_lfdi(request)), limit_of(request)
        after = wanted(request, "after") or ""
        managed = self._book.rolls.managed(item.lfdi)
        rest = sorted((home for home in managed if home.lfdi > after), key=lambda h: h.lfdi)
        shown, more = part_of(rest[: limit + 1], limit)
        homes = [ManagedOut.of(home) for home in shown]
        return json_answer(ManagedHomesOut(homes=homes, next=shown[-1].lfdi if more else None))

    async def post_homes(self, request: web.Request) -> web.Response:
        """Have an aggregator speak for homes, all or none; new ones are entered."""
        item = self._desk.of(_lfdi(request))
        wish = await read_model(request, ManagedHomesIn)
        await self._desk.give(item.lfdi, [each.record() for each in wish.homes])
        return json_answer(self._out(item), 201)

    async def delete_home(self, request: web.Request) -> web.Response:
        """Have a home speak for itself again."""
        item = self._desk.of(_lfdi(request))
        await self._desk.release(item.lfdi, request.match_info["home"].upper())
        return json_answer(self._out(item))

    def _out(self, item: Aggregator) -> AggregatorOut:
        return AggregatorOut(
            lfdi=item.lfdi,
            may_register=item.may_register,
            most=item.most,
            homes=len(self._book.rolls.managed(item.lfdi)),
        )


def _lfdi(request: web.Request) -> str:
    return request.match_info["lfdi"].upper()
