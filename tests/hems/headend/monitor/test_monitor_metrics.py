"""Prometheus reads of a running head-end what homes and operators did, and nothing of whom."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest

from hems.headend.errors import BusyError
from hems.headend.monitor.catalogue import CATALOGUE
from hems.headend.server import HeadEnd
from hems.sep2.resources import DERControlList, EndDeviceList, Response, Subscription
from tests.hems.headend.conftest import Home, Listen, MakeHome, Operator
from tests.hems.headend.monitor.conftest import Scraper, Series, value
from tests.locked import locked
from tests.waiting import until

pytestmark = pytest.mark.requirement("L3-MONITOR")
WITHIN_S = 20.0


@pytest.fixture
async def scraper(head_end: HeadEnd) -> Scraper:
    return Scraper(head_end)


async def test_requests_by_template_method_and_status(
    home: Home, stranger: Home, scraper: Scraper
) -> None:
    for _ in range(3):
        assert (await home.ask("GET", "/tm")).status == 200
    device = (await home.get("/edev", EndDeviceList)).end_device[0].href
    assert device is not None
    assert (await home.ask("GET", device)).status == 200
    assert (await home.ask("GET", "/edev/99999")).status == 403
    assert (await home.ask("GET", "/nothing/here")).status == 404
    assert (await home.ask("PROPFIND", "/tm")).status == 405
    assert (await stranger.ask("GET", "/mup")).status == 403
    seen = await scraper.series()
    total = "hems_requests_total"
    assert value(seen, total, door="homes", resource="/tm", method="GET", status="200") == 3
    assert value(seen, total, resource="/edev/{home}", status="200") == 1
    assert value(seen, total, resource="/edev/{home}", status="403") == 1
    assert value(seen, total, door="homes", resource="", status="404") == 1
    assert value(seen, total, method="other", status="405") == 1
    assert value(seen, total, door="operator", resource="/homes", method="POST") == 1
    assert value(seen, "hems_request_seconds_count", resource="/tm", method="GET") == 3
    assert 0 < value(seen, "hems_request_seconds_sum", resource="/tm", method="GET") < 60
    below = value(seen, "hems_request_seconds_bucket", resource="/tm", method="GET", le="+Inf")
    assert below == 3


async def test_whom_it_is_about_is_no_label(
    home: Home, stranger: Home, operator: Operator, scraper: Scraper
) -> None:
    event = await operator.event(limit_import_w=1000, minutes=10)
    await home.ask("GET", f"/derp/1/derc/{event['id']}")
    await stranger.ask("GET", f"/edev/{stranger.lfdi}")
    text = await scraper.text()
    for word in (home.lfdi, stranger.lfdi, event["id"], "127.0.0.1"):
        assert word not in text
        assert word[:8].lower() not in text.lower().replace("127.0.0.1", "")


async def test_handshakes_and_connections(head_end: HeadEnd, home: Home, scraper: Scraper) -> None:
    await home.ask("GET", "/tm")
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(head_end.addresses.base_url + "/tm", ssl=bare)

    async def refused() -> Series:
        return await scraper.series()

    seen = await until(
        refused,
        lambda s: value(s, "hems_tls_handshakes_total", outcome="no-certificate") == 1,
        WITHIN_S,
        "the handshake without a certificate is counted",
    )
    assert value(seen, "hems_tls_handshakes_total", outcome="good") == 1
    assert value(seen, "hems_connections", door="homes") == 1
    assert value(seen, "hems_connections", door="operator") >= 1


async def test_an_event_its_notifications_and_its_answers(
    home: Home, operator: Operator, scraper: Scraper, listen: Listen
) -> None:
    came = asyncio.Event()

    def hook(_body: bytes) -> int:
        came.set()
        return 204

    uri = await listen(home.server_tls, hook)
    link = (await home.get("/edev", EndDeviceList)).end_device[0].subscription_list_link
    assert link is not None
    wish = Subscription(
        subscribed_resource="/derp/1/derc",
        encoding=0,
        level="+S1",
        limit=10,
        notification_uri=uri,
    )
    assert (await home.ask("POST", link.href, wish)).status == 201
    event = await operator.event(limit_import_w=1000, minutes=10)
    async with asyncio.timeout(WITHIN_S):
        await came.wait()
    found = await home.get("/derp/1/derc?l=10", DERControlList)
    answer = Response(end_device_lfdi=home.lfdi, status=1, subject=found.der_control[0].mrid)
    reply = found.der_control[0].reply_to
    assert reply is not None
    assert (await home.ask("POST", reply, answer)).status == 201
    seen = await until(
        scraper.series,
        lambda s: value(s, "hems_notifications_total", outcome="taken") == 1,
        WITHIN_S,
        "the notification is taken",
    )
    assert value(seen, "hems_notification_attempts_total") >= 1
    assert value(seen, "hems_notification_seconds_count") == 1
    assert value(seen, "hems_responses_total", code="1") == 1
    assert value(seen, "hems_events", state="active") == 1
    assert value(seen, "hems_homes") == 1
    assert value(seen, "hems_database_transactions_total", kind="write", outcome="good") >= 3
    assert value(seen, "hems_database_seconds_count", kind="read") >= 1
    assert value(seen, "hems_changes_behind") == 0
    assert value(seen, "process_resident_memory_bytes") > 1e6
    await operator.ask("POST", f"/events/{event['id']}/cancel", {})
    assert value(await scraper.series(), "hems_events", state="cancelled") == 1


async def test_homes_that_were_heard(
    head_end: HeadEnd, home: Home, other: Home, scraper: Scraper
) -> None:
    await home.ask("GET", "/tm")
    await head_end.book.contacts.save()
    seen = await scraper.series()
    assert value(seen, "hems_homes") == 2
    assert value(seen, "hems_homes_heard", within="5m") == 1
    assert value(seen, "hems_homes_heard", within="1h") == 1
    assert other.lfdi != home.lfdi


async def test_a_database_that_is_away_is_counted(
    head_end: HeadEnd, home: Home, scraper: Scraper, file: Path
) -> None:
    await home.ask("GET", "/tm")
    async with locked(file):
        with pytest.raises(BusyError):
            await head_end.book.contacts.save()
    seen = await scraper.series()
    assert value(seen, "hems_database_transactions_total", kind="write", outcome="busy") >= 1


async def test_metrics_are_for_who_may_read(head_end: HeadEnd, make_home: MakeHome) -> None:
    url = head_end.addresses.operator_url
    async with aiohttp.ClientSession() as session:
        for path in ("/metrics", "/signals", "/fleet/health"):
            async with session.get(url + path) as answer:
                assert answer.status == 401
    home = make_home("home-a")
    assert (await home.ask("GET", "/metrics")).status == 404


async def test_every_metric_of_the_catalogue_is_told_and_no_other(
    scraper: Scraper, home: Home
) -> None:
    await home.ask("GET", "/tm")
    text = await scraper.text()
    types = dict(line.split(" ")[2:4] for line in text.splitlines() if line.startswith("# TYPE "))
    ours = {name: kind for name, kind in types.items() if name.startswith("hems_")}
    ours = {n: k for n, k in ours.items() if not n.endswith("_created")}
    assert ours == {each.shown: each.kind.value for each in CATALOGUE}
    assert {"process_cpu_seconds_total", "process_open_fds"} <= types.keys()
