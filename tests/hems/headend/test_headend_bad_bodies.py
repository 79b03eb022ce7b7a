"""Bodies and headers that are not what they say they are: each has its status, and no trace."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest

from certs.pki import Pki
from hems.headend.mirror_posts import MeterPost, Sample
from hems.headend.mirror_store import MirrorStore, PointPost
from hems.headend.server import HeadEnd
from hems.headend.settle.power import At
from hems.headend.settle.power_store import Window, latest_power, read_powers
from hems.sep2.resources import (
    DateTimeInterval,
    DERStatus,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)
from hems.sep2.xml import MAX_BODY, serialize
from tests.hems.headend.bad_input import differing, dump
from tests.hems.headend.conftest import Heard, Home, Operator
from tests.hems.headend.test_headend_bad_connections import BODY, LONG, PUT, octets, status_of

pytestmark = pytest.mark.requirement("PRO-2030.5")

PLACE: Final = "/edev/1/der/1/ders"
WAIT_S: Final = 30.0


@pytest.fixture
async def untouched(head_end: HeadEnd, home: Home) -> AsyncIterator[Home]:
    """A home of a utility; what it says must leave no trace."""
    before = await dump(head_end)
    yield home
    assert differing(before, await dump(head_end)) == {}
    assert (await home.ask("GET", "/edev/1")).status == 200


CODED: Final = {
    "no gzip at all": (b"no gzip" * 20, "gzip", 400),
    "half of a gzip": (gzip.compress(BODY * 500)[:-40], "gzip", 400),
    "no deflate": (b"\xff\xff", "deflate", 400),
    "plain, and called gzip": (BODY, "gzip", 400),
    "gzip of far too much": (gzip.compress(b" " * 20 * MAX_BODY), "gzip", 413),
    "a coding nobody knows": (BODY, "sandwich", 415),
    "one coding upon another": (gzip.compress(zlib.compress(BODY)), "deflate, gzip", 415),
}


@pytest.mark.parametrize("what", CODED)
async def test_a_body_that_cannot_be_unpacked(untouched: Home, what: str) -> None:
    body, coding, status = CODED[what]
    answer = await untouched.ask("PUT", PLACE, body, **{"Content-Encoding": coding})
    assert answer.status == status, answer.text
    assert answer.text.strip()


async def test_a_body_that_can_be_unpacked_is_taken(home: Home) -> None:
    body = gzip.compress(serialize(DERStatus(reading_time=1_800_000_000)))
    answer = await home.ask("PUT", PLACE, body, **{"Content-Encoding": "gzip"})
    assert answer.status == 204, answer.text
    assert (await home.get(PLACE, DERStatus)).reading_time == 1_800_000_000


async def test_who_goes_away_within_a_body_is_no_fault_of_the_server(
    untouched: Home, head_end: HeadEnd, pki: Pki, listen_log: Callable[[str], Heard]
) -> None:
    heard = listen_log("the connection ended within the body")
    await octets(head_end, pki, PUT + b"Content-Length: " + LONG + b"\r\n\r\n", BODY[:9], end=True)
    async with asyncio.timeout(WAIT_S):
        await heard.event.wait()
    assert (await untouched.ask("GET", "/tm")).status == 200


async def test_what_headers_hold_need_not_be_text(
    untouched: Home, head_end: HeadEnd, pki: Pki
) -> None:
    assert (await untouched.ask("GET", "/tm")).status == 200
    answer = await octets(
        head_end,
        pki,
        b"GET /tm HTTP/1.1\r\nHost: u\r\nConnection: close\r\nAccept: \xff\xfe\r\n\r\n",
    )
    assert status_of(answer) == 406
    assert answer.partition(b"\r\n\r\n")[2].strip()


@pytest.mark.parametrize("weight", ["q=0", "q=0.0", "q=0.00", "q=0.000", "Q=0", "q=0."])
async def test_a_media_type_of_no_weight_is_not_wanted(untouched: Home, weight: str) -> None:
    answer = await untouched.ask("GET", "/tm", Accept=f"application/sep+xml; {weight}")
    assert answer.status == 406, answer.text
    answer = await untouched.ask("GET", "/tm", Accept=f"*/*;q=0.001, text/html;{weight}")
    assert answer.status == 200, answer.text


@pytest.mark.parametrize("part", ["s", "l", "a"])
async def test_a_number_of_thousands_of_digits(untouched: Home, part: str) -> None:
    for path in ("/edev", "/derp/1/derc", "/mup", "/edev/1/lel"):
        answer = await untouched.ask("GET", f"{path}?{part}={'1' * 5000}")
        assert answer.status == 400, answer.text
        assert "whole number" in answer.text
        answer = await untouched.ask("GET", f"{path}?{part}={'0' * 20}1")
        assert answer.status == 200, answer.text


async def test_the_operator_hears_of_a_broken_body(
    head_end: HeadEnd, caplog: pytest.LogCaptureFixture
) -> None:
    before = await dump(head_end)
    for method, path in (("PUT", "/prices"), ("POST", "/events")):
        person = Operator(head_end)  # the connection ends with the answer
        coded = {"Content-Encoding": "gzip"}
        status, answer = await person.ask(method, path, b"no gzip" * 20, **coded)
        await person.aclose()
        assert status == 400, answer
    assert differing(before, await dump(head_end)) == {}
    assert "Traceback" not in caplog.text


async def test_many_usage_points_at_once_are_no_more_than_one_home_may_have(
    home: Home, monkeypatch: pytest.MonkeyPatch, head_end: HeadEnd
) -> None:
    monkeypatch.setattr("hems.headend.mirror_store.MAX_POINTS", 3)
    points = [
        MirrorUsagePoint(
            mrid=f"{number:032X}", role_flags=3, service_category_kind=0, status=1,
            device_lfdi=home.lfdi,
        )
        for number in range(12)
    ]  # fmt: skip
    answers = await asyncio.gather(*(home.ask("POST", "/mup", each) for each in points))
    kept = await MirrorStore(head_end.store).count(home.lfdi)
    assert sorted(each.status for each in answers) == [201] * kept + [403] * (12 - kept)
    assert kept == 3


GREATEST: Final = 2**63 - 1


@pytest.mark.parametrize("start", [GREATEST, -GREATEST - 1])
async def test_a_reading_of_the_end_of_time_spoils_no_other_homes_power(
    head_end: HeadEnd, home: Home, start: int
) -> None:
    """Added up with its length it would be more than a database can count."""
    place = (
        await home.ask(
            "POST",
            "/mup",
            MirrorUsagePoint(
                mrid="AB" * 16, role_flags=3, service_category_kind=0, status=1,
                device_lfdi=home.lfdi,
            ),
        )
    ).location  # fmt: skip
    reading = MirrorMeterReading(
        mrid="CD" * 16,
        reading_type=ReadingType(uom=38, flow_direction=1, data_qualifier=2),
        reading=Reading(value=7, time_period=DateTimeInterval(start=start, duration=900)),
    )
    assert (await home.ask("POST", place, reading)).status == 201
    other, at = "B2" * 20, 1_900_000_000
    samples = [Sample(at, 900, "", 500)]
    meter = MeterPost("01" * 16, "", 38, 1, 0, samples, qualifier=2)
    await MirrorStore(head_end.store).save_point(PointPost(other, "EF" * 16, "0003", b""), [meter])
    both = [home.lfdi, other]
    found = await head_end.store.inquire(lambda c: latest_power(c, both, at))
    assert found[other] == (at + 900, 500.0)
    window = Window(at, at + 900)
    powers = await head_end.store.inquire(lambda c: read_powers(c, both, At.SITE, window, 900))
    assert powers.keys() == {other}
