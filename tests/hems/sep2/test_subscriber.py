"""The subscriber alone, at a server that refuses, fails and forgets."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from hems.sep2 import resources as res
from hems.sep2.errors import BusyError
from hems.sep2.transport.troubles import Troubles
from hems.sep2.walk.notices import Notices
from hems.sep2.walk.subscribe import Subscriber
from hems.sep2.xml import MEDIA_TYPE, parse, serialize
from tests.hems.sep2.serving import talking_to
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-2030.5")

URI = "https://home.example/notify"


@dataclass
class Subscriptions:
    """A server's list of subscriptions.

    Attributes:
        refuse: With which status it answers a POST for a resource.
        held: What stands, by its path.
        asked: For what resources it was asked, in order.
        deleted: What was deleted, in order.
        named: Whether it says where a new one is.
        spoilt: Whether the first of them is given illegibly.
    """

    refuse: dict[str, int] = field(default_factory=dict)
    held: dict[str, res.Subscription] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    named: bool = True
    spoilt: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            items = tuple(self.held.values())
            listed = res.SubscriptionList(all=len(items), results=len(items), subscription=items)
            body = serialize(listed)
            if self.spoilt:
                body = body.replace(b"<encoding>0<", b"<encoding>often<", 1)
            return web.Response(body=body, content_type=MEDIA_TYPE)
        if request.method == "DELETE":
            self.deleted.append(request.path)
            return web.Response(status=204 if self.held.pop(request.path, None) else 404)
        wish = parse(await request.read(), res.Subscription)
        self.asked.append(wish.subscribed_resource)
        status = self.refuse.get(wish.subscribed_resource)
        if status is not None:
            return web.Response(status=status)
        self.hold(f"/sub/{len(self.asked)}", wish.subscribed_resource)
        headers = {"Location": f"/sub/{len(self.asked)}"} if self.named else {}
        return web.Response(status=201, headers=headers)

    def hold(self, place: str, resource: str, uri: str = URI) -> None:
        self.held[place] = res.Subscription(
            href=place,
            subscribed_resource=resource,
            encoding=0,
            level="+S1",
            limit=1,
            notification_uri=uri,
        )


@asynccontextmanager
async def subscribing(
    server: Subscriptions, *wanted: str, notices: Notices | None = None, refused_s: float = 9e9
) -> AsyncIterator[tuple[Subscriber, list[str], list[str]]]:
    """Give a subscriber at the server, what it said stands, and its alarms."""
    standing: list[str] = []
    alarms: list[str] = []

    async with talking_to(server.answer) as transport:
        subscriber = Subscriber(
            transport,
            lambda: wanted,
            URI,
            random.Random(1),  # noqa: S311 - jitter
            Troubles(),
            notices=notices,
            alarm=alarms.append,
            on_standing=standing.append,
            refused_s=refused_s,
        )
        subscriber.use("/sub")
        yield subscriber, standing, alarms


async def test_one_that_fails_keeps_no_other_from_being_made() -> None:
    server = Subscriptions(refuse={"/a": 503, "/b": 403})
    async with subscribing(server, "/a", "/b", "/c") as (subscriber, standing, _):
        for _ in range(2):
            with pytest.raises(BusyError, match="503"):
                await subscriber.sync()
        assert standing == ["/c"]
        assert server.asked == ["/a", "/b", "/c", "/a"], "what is refused is left alone"
        server.refuse.clear()
        await subscriber.sync()
    assert standing == ["/c", "/a"]


async def test_one_that_was_refused_is_asked_for_again_later() -> None:
    server = Subscriptions(refuse={"/a": 400})
    async with subscribing(server, "/a", refused_s=0.0) as (subscriber, standing, _):
        await subscriber.sync()
        server.refuse.clear()
        await subscriber.sync()
    assert (server.asked, standing) == (["/a", "/a"], ["/a"])


@pytest.mark.parametrize("named", [True, False])
async def test_one_that_is_gone_from_the_list_is_made_again(named: bool) -> None:
    server = Subscriptions(named=named)
    async with subscribing(server, "/a") as (subscriber, standing, _):
        for _ in range(3):
            await subscriber.sync()
        assert len(server.asked) == 1
        server.held.clear()
        await subscriber.sync()
        await subscriber.sync()
    assert server.asked == ["/a", "/a"]
    assert set(standing) == {"/a"}


async def test_what_serves_nobody_is_deleted_and_a_second_one_too() -> None:
    server = Subscriptions()
    server.hold("/sub/x", "/a", "https://home.example:1/notify")
    server.hold("/sub/y", "/a")
    server.hold("/sub/z", "/a")
    server.hold("/sub/o", "/other", "https://someone.example/notify")
    async with subscribing(server, "/a") as (subscriber, standing, _):
        await subscriber.sync()
    assert server.deleted == ["/sub/x", "/sub/z"]
    assert (server.asked, standing) == ([], ["/a"])


async def test_one_that_brings_nothing_is_made_anew_and_told_once() -> None:
    notices, server = Notices(grace_s=0.0), Subscriptions()
    async with subscribing(server, "/a", "/b", notices=notices) as (subscriber, standing, alarms):
        await subscriber.sync()
        now = asyncio.get_running_loop().time()
        for _ in range(2):
            assert notices.found("/a", now)
            await subscriber.sync()
        assert len(alarms) == 1
        assert "/a: it changed and no notification told" in alarms[0]
        assert server.deleted == ["/sub/1", "/sub/3"]
        held = res.Notification(
            subscribed_resource="/a", subscription_uri="/sub/4", status=0, resource=None
        )
        assert subscriber.knows(held)
        subscriber.came(held)
        assert notices.found("/a", now)
        await subscriber.sync()
    assert len(alarms) == 2, "it had come again since"
    assert standing == ["/a", "/b", "/a", "/a", "/a"]


async def test_a_device_without_a_list_subscribes_to_nothing() -> None:
    server = Subscriptions()
    async with subscribing(server, "/a") as (subscriber, _, _):
        await subscriber.sync()
        assert subscriber.standing == {"/sub/1"}
        subscriber.use(None)
        await subscriber.sync()
        assert subscriber.standing == frozenset()
        assert subscriber.synced
    assert server.asked == ["/a"]


async def test_one_that_the_server_ends_again_and_again_is_asked_for_ever_later() -> None:
    server = Subscriptions()
    async with subscribing(server, "/a") as (subscriber, _, _):
        for _ in range(40):
            await subscriber.sync()
            subscriber.ended(
                res.Notification(
                    subscribed_resource="/a",
                    subscription_uri=f"/sub/{len(server.asked)}",
                    status=1,
                    resource=None,
                )
            )
            server.held.clear()
    assert 1 <= len(server.asked) <= 3


async def test_one_that_the_server_ended_is_made_again_without_being_woken() -> None:
    server = Subscriptions()
    async with subscribing(server, "/a") as (subscriber, standing, _):

        async def stands() -> list[str]:
            return list(standing)

        running = asyncio.create_task(subscriber.run())
        await until(stands, lambda told: told == ["/a"], 8, "made")
        server.held.clear()
        subscriber.ended(
            res.Notification(
                subscribed_resource="/a", subscription_uri="/sub/1", status=1, resource=None
            )
        )
        subscriber.wake()
        await until(stands, lambda told: told == ["/a", "/a"], 8, "made again")
        running.cancel()
    assert server.asked == ["/a", "/a"]


async def test_one_that_is_illegible_stops_no_other() -> None:
    server = Subscriptions()
    server.hold("/sub/o", "/other", "https://someone.example/notify")
    server.spoilt = True
    async with subscribing(server, "/a") as (subscriber, standing, _):
        for _ in range(2):
            await subscriber.sync()
        assert subscriber.synced
    assert (server.asked, standing) == (["/a"], ["/a"])


async def test_nothing_is_kept_of_what_is_renamed_again_and_again() -> None:
    server = Subscriptions(refuse={f"/a{n}": 403 for n in range(20)})
    names: list[str] = []

    class Told(Troubles):
        def over(self, source: str) -> None:
            ended.append(source)
            super().over(source)

    ended: list[str] = []
    async with talking_to(server.answer) as transport:
        troubles = Told()
        rng = random.Random(1)  # noqa: S311 - jitter
        subscriber = Subscriber(transport, lambda: names, URI, rng, troubles)
        subscriber.use("/sub")
        for n in range(20):
            names[:] = [f"/a{n}"]
            await subscriber.sync()
    assert len(server.asked) == 20
    assert ended == [f"subscriptions /a{n}" for n in range(19)]
