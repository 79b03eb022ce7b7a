"""Every refusal a client can earn, each with its status, and that others' things stay hidden."""

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from yarl import URL

from certs.explain import explain
from certs.pem import read_certificates
from certs.pki import Pki, init_pki, issue_device, revoke
from hems.headend import mirror_store, store, views_events
from hems.headend.exchange import SMALL_BODY
from hems.headend.paging import Query
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import (
    DERControlList,
    DERStatus,
    DeviceInformation,
    EndDevice,
    EndDeviceList,
    LogEvent,
    LogEventList,
    MirrorUsagePoint,
    Response,
    ResponseList,
)
from hems.sep2.xml import MEDIA_TYPE, serialize
from tests.hems.headend.conftest import Heard, Home, Operator
from tests.locked import locked

pytestmark = pytest.mark.requirement("PRO-2030.5")

DOCTYPE = (
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
    b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"><readingTime>&b;</readingTime></DERStatus>'
)
STATUS = DERStatus(reading_time=1_800_000_000)


async def own(home: Home) -> str:
    """The home's EndDevice href."""
    href = (await home.get("/edev", EndDeviceList)).end_device[0].href
    assert href is not None
    return href


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"<DERStatus", "not well-formed"),
        (b'<DERStatus xmlns="urn:other"><readingTime>1</readingTime></DERStatus>', "namespace"),
        (b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"/>', "readingTime"),
        (b'<Time xmlns="urn:ieee:std:2030.5:ns"/>', "DERStatus"),
        (
            DOCTYPE,
            "DOCTYPE",
        ),
        (
            b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"><readingTime>x</readingTime></DERStatus>',
            "readingTime",
        ),
    ],
)
async def test_malformed_bodies_are_400_with_the_reason(home: Home, body: bytes, said: str) -> None:
    answer = await home.ask("PUT", await own(home) + "/der/1/ders", body)
    assert answer.status == 400
    assert said in answer.text


async def test_oversized_bodies_are_413(home: Home) -> None:
    path = await own(home) + "/der/1/ders"
    assert (await home.ask("PUT", path, b" " * (2**20 + 1))).status == 413
    assert (await home.ask("PUT", path, STATUS)).status == 204


async def test_media_types(home: Home) -> None:
    path = await own(home) + "/der/1/ders"
    answer = await home.ask("PUT", path, STATUS, **{"Content-Type": "application/json"})
    assert answer.status == 415
    typed = {"Content-Type": f"{MEDIA_TYPE}; level=-S1"}
    assert (await home.ask("PUT", path, STATUS, **typed)).status == 204
    assert (await home.ask("GET", "/tm", Accept="application/sep-exi")).status == 406
    assert (await home.ask("GET", "/tm", Accept=f"{MEDIA_TYPE};q=0")).status == 406
    for fine in (f"{MEDIA_TYPE}; level=+S1", "*/*", "text/html, application/*;q=0.5"):
        assert (await home.ask("GET", "/tm", Accept=fine)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/dcap", "GET,HEAD"),
        ("POST", "/tm", "GET,HEAD"),
        ("PUT", "/derp/1/derc", "GET,HEAD"),
        ("PUT", "/rsps/1/r", "GET,HEAD,POST"),
    ],
)
async def test_other_methods_are_405_with_those_allowed(
    home: Home, method: str, path: str, allowed: str
) -> None:
    answer = await home.ask(method, path)
    assert answer.status == 405
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/derp/9",
        "/derp/x/derc",
        "/derp/2/derc",
        "/drp/1",
        "/drp/2/edc/00",
        "/mup/7",
        "/rsps/1/r/7",
        "/derp/99999999999999999999",
    ],
)
async def test_what_is_not_there_is_404(home: Home, path: str) -> None:
    assert (await home.ask("GET", path)).status == 404


@pytest.mark.parametrize("query", ["l=-1", "s=x", "a=1.5", "l=99999999999", "l=%D9%A3"])
async def test_senseless_queries_are_400(home: Home, query: str) -> None:
    answer = await home.ask("GET", f"/derp/1/derc?{query}")
    assert answer.status == 400
    assert query[0] in answer.text


async def test_a_home_sees_its_own_only(home: Home, other: Home, operator: Operator) -> None:
    mine, theirs = await own(home), await own(other)
    assert mine != theirs
    event = await operator.event(limit_import_w=1500, minutes=10)
    point = MirrorUsagePoint(
        mrid="AB" * 16, role_flags=3, service_category_kind=0, status=1, device_lfdi=other.lfdi
    )
    location = (await other.ask("POST", "/mup", point)).location
    answered = Response(end_device_lfdi=other.lfdi, status=1, subject=event["id"])
    response = (await other.ask("POST", "/rsps/1/r", answered)).location

    for part in ("", "/rg", "/fsa", "/der", "/der/1/ders", "/sub", "/lel", "/di"):
        assert (await home.ask("GET", theirs + part)).status == 403, part
    assert (await home.ask("GET", "/edev/4711")).status == 403
    assert (await home.ask("PUT", theirs + "/der/1/ders", STATUS)).status == 403
    assert (await home.ask("GET", location)).status == 404
    assert (await home.ask("DELETE", location)).status == 404
    assert (await home.ask("GET", response)).status == 404
    # In another's name
    assert (await home.ask("POST", "/mup", point)).status == 403
    assert (await home.ask("POST", "/rsps/1/r", answered)).status == 403
    info = DeviceInformation(
        lfdi=other.lfdi, mf_date=0, mf_hw_ver="1", mf_id=1, mf_model="m", mf_ser_num="s",
        primary_power=1, secondary_power=0, sw_act_time=0, sw_ver="1",
    )  # fmt: skip
    assert (await home.ask("PUT", mine + "/di", info)).status == 403
    assert (await other.ask("PUT", theirs + "/di", info)).status == 204


async def test_connections_without_a_trusted_certificate_are_refused(
    head_end: HeadEnd, pki: Pki
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.load_verify_locations(pki.trust.roots)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(head_end.addresses.dcap_url, ssl=tls)


async def test_logs_come_back_latest_first(home: Home) -> None:
    path = await own(home) + "/lel"
    for at in (100, 300, 200):
        log = LogEvent(
            created_date_time=at, function_set=11, log_event_code=1, log_event_id=at,
            log_event_pen=40732, profile_id=2,
        )  # fmt: skip
        answer = await home.ask("POST", path, log)
        assert answer.status == 201
    assert (await home.get(answer.location, LogEvent)).log_event_id == 200
    logs = await home.get(path + "?l=10", LogEventList)
    assert [log.created_date_time for log in logs.log_event] == [300, 200, 100]
    later = await home.get(path + "?l=10&a=150", LogEventList)
    assert [log.created_date_time for log in later.log_event] == [300, 200]


def log_event(number: int, extension: str = "") -> bytes:
    text = serialize(
        LogEvent(
            created_date_time=number, function_set=11, log_event_code=1, log_event_id=number,
            log_event_pen=40732, profile_id=2,
        )
    ).decode()  # fmt: skip
    return text.replace("</LogEvent>", f"{extension}</LogEvent>").encode()


async def test_logs_and_responses_are_small_and_without_what_we_do_not_know(
    home: Home, head_end: HeadEnd, operator: Operator
) -> None:
    path = await own(home) + "/lel"
    large = await home.ask("POST", path, log_event(1, f"<x>{'a' * SMALL_BODY}</x>"))
    assert large.status == 413
    assert f"{SMALL_BODY} octets" in large.text
    kept = await home.ask("POST", path, log_event(1, f"<x>{'a' * 10_000}</x>"))
    assert kept.status == 201
    assert len((await home.ask("GET", kept.location)).body) < 1000

    event = await operator.event(shed_w=1, minutes=1)
    answered = serialize(Response(end_device_lfdi=home.lfdi, status=1, subject=event["id"]))
    for octets, status in ((SMALL_BODY, 413), (10_000, 201)):
        filled = answered.replace(b"</Response>", b"<x>%b</x></Response>" % (b"a" * octets))
        posted = await home.ask("POST", "/rsps/1/r", filled)
        assert posted.status == status
    assert len((await home.ask("GET", posted.location)).body) < 1000
    (stored,) = await head_end.store.responses()
    assert len(stored.body) < 1000

    status_path = await own(home) + "/der/1/ders"
    filled = serialize(STATUS).replace(b"</DERStatus>", b"<x>%b</x></DERStatus>" % (b"a" * 10_000))
    assert (await home.ask("PUT", status_path, filled)).status == 204
    assert len((await home.ask("GET", status_path)).body) < 1000


async def test_only_the_part_of_a_list_that_is_asked_for_is_read(
    home: Home, head_end: HeadEnd, operator: Operator
) -> None:
    path = await own(home) + "/lel"
    for number in range(1, 6):
        assert (await home.ask("POST", path, log_event(number))).status == 201
    part = await head_end.store.logs(home.lfdi, Query(start=1, limit=2))
    assert (len(part.items), part.all) == (2, 5)
    listed = await home.get(path + "?s=1&l=2", LogEventList)
    assert (listed.all, listed.results) == (5, 2)
    assert [log.log_event_id for log in listed.log_event] == [4, 3]
    assert (await home.get(path + "?s=9&l=2", LogEventList)).log_event == ()
    late = await home.get(path + "?l=9&a=3", LogEventList)
    assert [log.log_event_id for log in late.log_event] == [5, 4]
    assert (await home.ask("GET", path + "/99")).status == 404

    event = await operator.event(shed_w=1, minutes=1)
    for at in range(1, 5):
        answered = Response(
            created_date_time=at, end_device_lfdi=home.lfdi, status=1, subject=event["id"]
        )
        assert (await home.ask("POST", "/rsps/1/r", answered)).status == 201
    own_part = await head_end.store.responses_of(home.lfdi, Query(start=1, limit=2))
    assert ([item.created for item in own_part.items], own_part.all) == ([2, 3], 4)
    answers = await home.get("/rsps/1/r?l=9&a=2", ResponseList)
    assert [item.created_date_time for item in answers.response] == [3, 4]


async def test_a_path_forges_no_line_in_the_log(
    home: Home, listen_log: Callable[[str], Heard]
) -> None:
    heard = listen_log("403")
    forged = URL(home.base_url + "/edev/%0a2026-11-21%20CRITICAL%20forged", encoded=True)
    assert (await home.ask("GET", str(forged.raw_path))).status == 403
    await heard.event.wait()
    assert "'/edev/%0A2026-11-21%20CRITICAL%20forged'" in heard.text.replace("%0a", "%0A")
    assert "\n2026" not in heard.text


async def test_a_locked_database_is_503_and_recovers(
    home: Home, operator: Operator, file: Path
) -> None:
    path = await own(home) + "/der/1/ders"
    async with locked(file):
        answer = await home.ask("PUT", path, STATUS)
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        status, refused = await operator.ask("POST", "/events", {"limit_import_w": 1, "minutes": 1})
        assert status == 503
        assert "locked" in refused["error"]
        assert (await home.get("/derp/1/derc", DERControlList)).all == 0
    assert (await home.ask("PUT", path, STATUS)).status == 204
    await operator.event(limit_import_w=1, minutes=1)
    assert (await home.get("/derp/1/derc", DERControlList)).all == 1


@pytest.mark.usefixtures("file")
async def test_a_full_database_is_503_and_recovers(home: Home, head_end: HeadEnd) -> None:
    path = await own(home) + "/lel"
    async with head_end.store.reading() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()

    def full(connection: DBAPIConnection, _entry: object) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count={pages}")

    engine = head_end.store._engine
    event.listen(engine.sync_engine, "connect", full)
    await engine.dispose()
    statuses = [(await home.ask("POST", path, log_event(n))).status for n in range(40)]
    assert statuses[0] == 201
    assert statuses[-1] == 503
    assert set(statuses) == {201, 503}
    event.remove(engine.sync_engine, "connect", full)
    await engine.dispose()
    assert (await home.ask("POST", path, log_event(41))).status == 201


async def test_a_newcomer_may_register_where_that_is_allowed(
    settings: HeadEndSettings, pki: Pki
) -> None:
    opened = settings.model_copy(update={"allow_registration": True, "edition": Edition.Y2023})
    async with HeadEnd(opened) as running:
        newcomer = Home(pki.identity("home-c"), pki, running.addresses.base_url)
        device = EndDevice(lfdi=newcomer.lfdi, sfdi=newcomer.sfdi, changed_time=0)
        answer = await newcomer.ask("POST", "/edev", device)
        assert answer.status == 201
        assert (await newcomer.get(answer.location, EndDevice)).lfdi == newcomer.lfdi
        assert running.book.homes[0].in_band
        await newcomer.aclose()


async def test_what_was_said_survives_a_restart(settings: HeadEndSettings, pki: Pki) -> None:
    async with HeadEnd(settings) as running:
        operator = Operator(running)
        home = Home(pki.identity("home-a"), pki, running.addresses.base_url)
        await operator.enter(home)
        event = await operator.event(limit_import_w=1500, minutes=10)
        await home.ask("PUT", await own(home) + "/der/1/ders", STATUS)
        await home.aclose()
        await operator.aclose()
    async with HeadEnd(settings) as running:
        operator = Operator(running)
        home = Home(pki.identity("home-a"), pki, running.addresses.base_url)
        (control,) = (await home.get("/derp/1/derc", DERControlList)).der_control
        assert control.mrid == event["id"]
        await home.get(await own(home) + "/der/1/ders", DERStatus)
        _, answer = await operator.ask("GET", "/homes")
        assert answer["homes"][0]["last_contact"] is not None
        await home.aclose()
        await operator.aclose()


async def test_a_home_revoked_meanwhile_is_refused_on_its_open_connection(
    settings: HeadEndSettings, tmp_path: Path
) -> None:
    own_pki = init_pki(tmp_path / "pki")
    identity = issue_device(own_pki, "revoked")
    utility = own_pki.identity("utility")
    changed = settings.model_copy(
        update={
            "certificate": utility.certificate,
            "key": utility.key,
            "roots": own_pki.trust.roots,
            "crls": own_pki.trust.crls,
        }
    )
    async with HeadEnd(changed) as running:
        home = Home(identity, own_pki, running.addresses.base_url)
        async with contextlib.aclosing(home):
            assert (await home.ask("GET", "/tm")).status == 200
            running.watch.refresh()
            assert (await home.ask("GET", "/tm")).status == 200
            revoke(own_pki, read_certificates(identity.certificate)[0])
            running.watch.refresh()
            # The open connection ends, and so does the session taken up again in its place, which
            # TLS gives no way to say why. At the next full handshake the home is told.
            with pytest.raises(aiohttp.ClientError):
                await home.ask("GET", "/tm")
            for _ in range(2):
                with pytest.raises(aiohttp.ClientError) as refusal:
                    await home.ask("GET", "/tm")
                why = explain(refusal.value)
                assert why == "the peer says that our certificate has been revoked"
                own_pki.trust.crls.write_text("garbage")
                running.watch.refresh()


async def test_one_home_cannot_fill_the_database(
    home: Home, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_LOGS", 3)
    monkeypatch.setattr(mirror_store, "MAX_POINTS", 2)
    monkeypatch.setattr(views_events, "MAX_RESPONSES", 2)
    path = await own(home) + "/lel"
    event = await operator.event(shed_w=1, minutes=1)
    kept: list[list[int]] = []
    for number in range(1, 6):
        log = LogEvent(
            created_date_time=number, function_set=11, log_event_code=1, log_event_id=number,
            log_event_pen=40732, profile_id=2,
        )  # fmt: skip
        assert (await home.ask("POST", path, log)).status == 201
        logs = await home.get(path + "?l=9", LogEventList)
        kept.append([item.log_event_id for item in logs.log_event])
    assert kept[-1] == [5, 4, 3]
    points = [
        MirrorUsagePoint(
            mrid=f"{number:032X}", role_flags=3, service_category_kind=0, status=1,
            device_lfdi=home.lfdi,
        )
        for number in range(3)
    ]  # fmt: skip
    assert [(await home.ask("POST", "/mup", p)).status for p in points] == [201, 201, 403]
    assert (await home.ask("POST", "/mup", points[0])).status == 204
    answers = [
        Response(created_date_time=at, end_device_lfdi=home.lfdi, status=1, subject=event["id"])
        for at in range(3)
    ]
    said = [await home.ask("POST", "/rsps/1/r", a) for a in answers]
    assert [each.status for each in said] == [201, 201, 403]
    # Those that are there may be said again: the home may not have heard that they were kept.
    again = [await home.ask("POST", "/rsps/1/r", a) for a in answers]
    assert [each.status for each in again] == [201, 201, 403]
    assert [each.location for each in again[:2]] == [each.location for each in said[:2]]
