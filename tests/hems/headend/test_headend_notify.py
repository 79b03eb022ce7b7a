"""Notifications, delivered to real TLS listeners."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from lxml import etree

from certs.pem import read_certificates
from certs.pki import Pki, init_pki, revoke
from certs.tls import server_context
from hems.headend import postman as postman_module
from hems.headend.destinations import check_destination
from hems.headend.errors import RequestError
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import (
    DERControlList,
    EndDeviceControlList,
    EndDeviceList,
    Notification,
    Subscription,
    SubscriptionList,
)
from hems.sep2.xml import parse
from tests.hems.headend.conftest import Heard, Home, Listen, Operator, schema
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-2030.5")
WAIT_S = 5.0


async def subscriptions(home: Home) -> str:
    link = (await home.get("/edev", EndDeviceList)).end_device[0].subscription_list_link
    assert link is not None
    return link.href


def wish(uri: str, resource: str = "/derp/1/derc", limit: int = 10) -> Subscription:
    return Subscription(
        subscribed_resource=resource,
        encoding=0,
        level="+S1",
        limit=limit,
        notification_uri=uri,
    )


async def next_of(queue: asyncio.Queue[bytes]) -> Notification:
    return parse(await asyncio.wait_for(queue.get(), WAIT_S), Notification)


async def test_a_change_is_told_at_once(
    home: Home, head_end: HeadEnd, operator: Operator, listen: Listen
) -> None:
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        queue.put_nowait(body)
        return 204

    uri = await listen(home.server_tls, hook)
    path = await subscriptions(home)
    answer = await home.ask("POST", path, wish(uri))
    assert answer.status == 201

    event = await operator.event(limit_import_w=1500, minutes=10)
    body = await asyncio.wait_for(queue.get(), WAIT_S)
    told = parse(body, Notification)
    document = etree.fromstring(body)
    validator = schema("csipaus-core.xsd")
    assert validator.validate(document), str(validator.error_log)
    assert told.subscription_uri == head_end.addresses.base_url + answer.location
    assert told.subscribed_resource == "/derp/1/derc"
    assert isinstance(told.resource, DERControlList)
    assert told.resource == await home.get("/derp/1/derc?l=10", DERControlList)
    assert [c.mrid for c in told.resource.der_control] == [event["id"]]

    await operator.ask("POST", f"/events/{event['id']}/cancel")
    cancelled = (await next_of(queue)).resource
    assert isinstance(cancelled, DERControlList)
    assert cancelled.der_control[0].event_status.current_status == 2

    async def told_at() -> float | None:
        _, seen = await operator.ask("GET", f"/events/{event['id']}")
        at: float | None = seen["homes"][0]["notified_at"]
        return None if at is None else at - float(seen["accepted_at"])

    assert 0 <= (await until(told_at, lambda at: at is not None, WAIT_S, "it is noted") or 0) < 1.0
    assert queue.empty()


async def test_a_home_that_hung_up_is_told_over_the_session_that_it_had(
    home: Home, operator: Operator
) -> None:
    told: asyncio.Queue[bytes] = asyncio.Queue()

    async def post(request: web.Request) -> web.Response:
        told.put_nowait(await request.read())
        answer = web.Response(status=204)
        answer.force_close()
        return answer

    app = web.Application()
    app.router.add_post("/notify", post)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=home.server_tls).start()
        uri = f"https://127.0.0.1:{runner.addresses[0][1]}/notify"
        assert (await home.ask("POST", await subscriptions(home), wish(uri))).status == 201
        for number in range(1, 4):
            event = await operator.event(limit_import_w=1000 + number, minutes=10)
            assert event["id"].encode() in await asyncio.wait_for(told.get(), WAIT_S)
            assert home.server_tls.session_stats()["accept_good"] == number
            assert home.server_tls.session_stats()["hits"] == number - 1
    finally:
        await runner.cleanup()


async def test_what_came_between_the_reading_and_the_subscription_is_told(
    home: Home, other: Home, operator: Operator, listen: Listen
) -> None:
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        queue.put_nowait(body)
        return 204

    uri = await listen(home.server_tls, hook)
    theirs = await listen(other.server_tls, lambda _body: 204)
    path = await subscriptions(home)
    await other.ask("POST", await subscriptions(other), wish(theirs))
    assert (await home.get("/derp/1/derc?l=10", DERControlList)).all == 0
    event = await operator.event(limit_import_w=1500, minutes=10)
    answer = await home.ask("POST", path, wish(uri))
    told = await next_of(queue)
    assert told.subscription_uri.endswith(answer.location)
    assert isinstance(told.resource, DERControlList)
    assert [control.mrid for control in told.resource.der_control] == [event["id"]]
    # The next one tells of the next change: nothing was told twice.
    second = await operator.event(limit_export_w=1500, minutes=10)
    assert second["id"].encode() in await asyncio.wait_for(queue.get(), WAIT_S)
    assert queue.empty()


async def test_a_home_revoked_meanwhile_is_told_nothing_over_its_open_connection(
    settings: HeadEndSettings,
    tmp_path: Path,
    listen: Listen,
    listen_log: Callable[[str], Heard],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postman_module, "RETRY_DELAYS_S", (0.0,))
    pki = init_pki(tmp_path / "pki")
    utility, files = pki.identity("utility"), pki.identity("hub")
    changed = settings.model_copy(
        update={
            "certificate": utility.certificate,
            "key": utility.key,
            "roots": pki.trust.roots,
            "crls": pki.trust.crls,
        }
    )
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        queue.put_nowait(body)
        return 204

    async with HeadEnd(changed) as running:
        operator = Operator(running)
        home = Home(files, pki, running.addresses.base_url)
        await operator.enter(home)
        uri = await listen(home.server_tls, hook)
        await home.ask("POST", await subscriptions(home), wish(uri))
        await operator.event(limit_import_w=1, minutes=5)
        await asyncio.wait_for(queue.get(), WAIT_S)
        heard = listen_log("will poll")
        revoke(pki, read_certificates(files.certificate)[0])
        running.watch.refresh()
        await operator.event(limit_import_w=2, minutes=5)
        await asyncio.wait_for(heard.event.wait(), WAIT_S)
        assert queue.empty()
        await home.aclose()
        await operator.aclose()


async def test_each_home_gets_its_own_words_and_limit(
    home: Home, other: Home, operator: Operator, listen: Listen
) -> None:
    queues: dict[str, asyncio.Queue[bytes]] = {}
    for who, limit in ((home, 0), (other, 1)):
        queue = queues[who.lfdi] = asyncio.Queue()

        def hook(body: bytes, queue: asyncio.Queue[bytes] = queue) -> int:
            queue.put_nowait(body)
            return 201

        uri = await listen(who.server_tls, hook)
        resource = "/drp/2/edc"
        await who.ask("POST", await subscriptions(who), wish(uri, resource, limit))
    await operator.event(shed_w=100, minutes=5, program="Grid Emergency")
    bare = (await next_of(queues[home.lfdi])).resource
    assert isinstance(bare, EndDeviceControlList)
    assert (bare.all, bare.results, bare.end_device_control) == (1, 0, ())
    body = await asyncio.wait_for(queues[other.lfdi].get(), WAIT_S)
    validator = schema("sep2_schema_2023.xsd")
    assert validator.validate(etree.fromstring(body)), str(validator.error_log)
    assert b'schemaVer="2.2"' in body
    full = parse(body, Notification)
    assert full.created_date_time is not None
    assert isinstance(full.resource, EndDeviceControlList)
    assert full.resource.results == 1


async def test_states_that_change_with_time_are_told(
    home: Home, operator: Operator, listen: Listen
) -> None:
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    def hook(body: bytes) -> int:
        queue.put_nowait(body)
        return 204

    uri = await listen(home.server_tls, hook)
    await home.ask("POST", await subscriptions(home), wish(uri))
    await operator.event(limit_import_w=1500, seconds=60, start=int(time.time()) + 2)
    for status in (0, 1):
        resource = (await next_of(queue)).resource
        assert isinstance(resource, DERControlList)
        assert resource.der_control[0].event_status.current_status == status


async def test_a_failing_listener_is_tried_again_then_left(
    home: Home, operator: Operator, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman_module, "RETRY_DELAYS_S", (0.0, 0.01))
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    answers = [503, 503, 204, 500, 500, 500, 204]

    def hook(body: bytes) -> int:
        queue.put_nowait(body)
        return answers[queue.qsize() + taken - 1]

    taken = 0
    uri = await listen(home.server_tls, hook)
    await home.ask("POST", await subscriptions(home), wish(uri))
    for attempts in (3, 3, 1):
        event = await operator.event(limit_import_w=attempts, minutes=5)
        bodies = [await asyncio.wait_for(queue.get(), WAIT_S) for _ in range(attempts)]
        taken += attempts
        assert len(set(bodies)) == 1
        assert event["id"].encode() in bodies[0]
    subscribed = await home.get(await subscriptions(home) + "?l=5", SubscriptionList)
    assert subscribed.all == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_a_gone_listener_ends_its_subscription(
    home: Home,
    operator: Operator,
    listen: Listen,
    listen_log: Callable[[str], Heard],
    status: int,
) -> None:
    heard = listen_log("subscription 1 ends")
    uri = await listen(home.server_tls, lambda _body: status)
    await home.ask("POST", await subscriptions(home), wish(uri))
    await operator.event(limit_import_w=1, minutes=5)
    await asyncio.wait_for(heard.event.wait(), WAIT_S)
    assert (await home.get(await subscriptions(home), SubscriptionList)).all == 0


@pytest.fixture
async def impostor(listen: Listen, pki: Pki) -> tuple[str, list[bytes]]:
    """A listener at the home's address with another home's certificate; what it heard."""
    bodies: list[bytes] = []

    def hook(body: bytes) -> int:
        bodies.append(body)
        return 204

    return await listen(server_context(pki.identity("home-b"), pki.trust), hook), bodies


async def test_nothing_is_sent_to_another_device(
    home: Home,
    operator: Operator,
    impostor: tuple[str, list[bytes]],
    listen_log: Callable[[str], Heard],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postman_module, "RETRY_DELAYS_S", ())
    heard = listen_log("will poll")
    uri, bodies = impostor
    await home.ask("POST", await subscriptions(home), wish(uri))
    event = await operator.event(limit_import_w=1, minutes=5)
    await asyncio.wait_for(heard.event.wait(), WAIT_S)
    assert f"is not {home.lfdi}" in heard.text
    assert bodies == []
    _, seen = await operator.ask("GET", f"/events/{event['id']}")
    assert seen["homes"][0]["notified_at"] is None


async def test_one_slow_home_delays_nobody(
    home: Home, other: Home, operator: Operator, listen: Listen
) -> None:
    told, release = asyncio.Event(), asyncio.Event()

    async def slow(_body: bytes) -> int:
        await release.wait()
        return 204

    def quick(_body: bytes) -> int:
        told.set()
        return 204

    for who, uri in (
        (home, await listen(home.server_tls, slow)),
        (other, await listen(other.server_tls, quick)),
    ):
        await who.ask("POST", await subscriptions(who), wish(uri))
    await operator.event(limit_import_w=1, minutes=5)
    await asyncio.wait_for(told.wait(), WAIT_S)
    release.set()


async def test_subscriptions_are_kept_one_a_resource(home: Home, other: Home) -> None:
    path = await subscriptions(home)
    first = await home.ask("POST", path, wish("https://127.0.0.1:5000/n"))
    second = await home.ask("POST", path, wish("https://127.0.0.1:5001/n"))
    assert first.location == second.location
    await home.ask("POST", path, wish("https://127.0.0.1:5001/n", "/drp/3/edc"))
    listed = await home.get(path + "?l=9", SubscriptionList)
    assert [s.notification_uri for s in listed.subscription] == ["https://127.0.0.1:5001/n"] * 2
    kept = await home.get(second.location, Subscription)
    assert kept.subscribed_resource == "/derp/1/derc"
    theirs = await subscriptions(other)
    stolen = second.location.replace(path, theirs)
    assert (await other.ask("GET", stolen)).status == 404
    assert (await other.ask("DELETE", second.location)).status == 403
    assert (await home.ask("DELETE", second.location)).status == 204
    assert (await home.ask("DELETE", second.location)).status == 404
    assert (await home.get(path, SubscriptionList)).all == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subscribed_resource": "/tm"}, "subscribable"),
        ({"subscribed_resource": "/derp/1/derc?l=5"}, "query"),
        ({"subscribed_resource": "https://elsewhere.example/derp/1/derc"}, "served"),
        ({"encoding": 1}, "XML"),
        ({"notification_uri": "http://127.0.0.1:5000/n"}, "https"),
        ({"notification_uri": "https://10.0.0.1/n"}, "10.0.0.1"),
        ({"notification_uri": "https://db.internal/n"}, "db.internal"),
    ],
)
async def test_senseless_subscriptions_are_refused(
    home: Home, change: dict[str, object], said: str
) -> None:
    posted = replace(wish("https://127.0.0.1:5000/n"), **change)  # type: ignore[arg-type]
    answer = await home.ask("POST", await subscriptions(home), posted)
    assert answer.status == 400
    assert said in answer.text


@pytest.mark.parametrize(
    ("uri", "peer", "allowed", "fine"),
    [
        ("https://192.0.2.7:8443/n", "192.0.2.7", (), True),
        ("https://192.0.2.7:8443/n", "192.0.2.8", (), False),
        ("https://192.0.2.7:8443/n", None, (), False),
        ("https://192.0.2.7/n", "192.0.2.8", ("192.0.2.0/24",), True),
        ("https://[2001:db8::1]:8443/n", "2001:db8::1", (), True),
        ("https://192.0.2.7/n", "::ffff:192.0.2.7", (), True),
        ("https://[::ffff:10.0.0.1]/n", "192.0.2.7", (), False),
        ("https://hub.example/n", "192.0.2.7", ("Hub.Example",), True),
        ("https://hub.example.evil/n", "192.0.2.7", ("hub.example",), False),
        ("https://192.0.2.7@10.0.0.1/n", "192.0.2.7", (), False),
        ("https://user@192.0.2.7/n", "192.0.2.7", (), False),
        ("https://192.0.2.7:99999/n", "192.0.2.7", (), False),
        ("https://192.0.2.7:0/n", "192.0.2.7", (), False),
        ("https://0300.0.2.7/n", "192.0.2.7", (), False),
        ("https://192.0.2.7/" + "n" * 300, "192.0.2.7", (), False),
        ("//192.0.2.7/n", "192.0.2.7", (), False),
        ("https://[oops/n", "192.0.2.7", (), False),
    ],
)
def test_where_notifications_may_go(
    uri: str, peer: str | None, allowed: tuple[str, ...], fine: bool
) -> None:
    if fine:
        check_destination(uri, peer, allowed)
    else:
        with pytest.raises(RequestError, match="notificationURI"):
            check_destination(uri, peer, allowed)
