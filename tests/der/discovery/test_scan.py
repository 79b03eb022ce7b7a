"""A scan is bounded, tells how far it is, and loses nothing when one finder fails."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from der.discovery.found import Found, How
from der.discovery.scan import Finder, Progress, Tell, scan
from der.errors import TransientError
from der.model import DeviceKind
from tests.der.discovery.test_found import PLUG, PV, SAID


def finder(name: str, *found: Found, listens_s: float | None = None) -> Finder:
    """Return a finder that yields what is given, and then ends or, if it listens, waits."""

    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        for number, each in enumerate(found, start=1):
            yield each
            tell(number / len(found))
        if listens_s is not None:
            await asyncio.Event().wait()

    return Finder(name, find, listens_s)


async def test_findings_of_all_are_merged() -> None:
    report = await scan(
        [finder("a", PV, PLUG), finder("b", SAID, listens_s=0.1)],
        within_s=5,
        configured={PLUG.key: "freezer"},
    )
    assert [(f.kind, f.configured) for f in report.found] == [
        (DeviceKind.PV, ""),
        (DeviceKind.PLUG, "freezer"),
    ]
    assert report.found[0].how == (How.SWEEP, How.DNS_SD)
    assert report.troubles == ()


async def test_one_that_fails_is_one_line_and_no_more() -> None:
    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        tell(0.5)
        yield PLUG
        raise TransientError("the broker went away")

    report = await scan([finder("sweep", PV), Finder("MQTT", find, 5.0)], within_s=5)
    assert len(report.found) == 2, "what it found before counts"
    assert report.troubles == ("MQTT: the broker went away",)


async def test_it_is_bounded() -> None:
    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        tell(0.1)
        yield PV
        await asyncio.Event().wait()

    report = await scan([Finder("sweep", find)], within_s=0.3)
    assert report.found == (PV,)
    assert report.troubles == ("sweep: not finished within 0.3 s",)


async def test_who_only_listens_ends_without_a_complaint() -> None:
    report = await scan([finder("mDNS", PV, listens_s=60)], within_s=0.3)
    assert (report.found, report.troubles) == ((PV,), ())


async def test_progress_rises_to_the_end() -> None:
    seen: list[Progress] = []
    await scan(
        [finder("a", PV, PLUG), finder("b", listens_s=0.7)], within_s=5, progress=seen.append
    )
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares)
    assert seen[-1] == Progress(1.0, 2, ())
    assert any(0 < progress.share < 1 and progress.busy == ("b",) for progress in seen)


async def test_cancelling_it_ends_all_finders() -> None:
    ended: list[str] = []
    begun = asyncio.Event()

    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        tell(0.0)
        try:
            yield PV
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.append("closed")

    scanning = asyncio.create_task(scan([Finder("a", find, 60.0)], within_s=60))
    await begun.wait()
    scanning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await scanning
    assert ended == ["closed"]


async def test_no_finders_find_nothing() -> None:
    assert (await scan([], within_s=1)).found == ()


async def test_what_a_stranger_names_itself_is_made_fit_for_a_terminal() -> None:
    report = await scan([finder("a", replace(PV, name="\x1b[2Jroof\n"))], within_s=5)
    assert report.found[0].name == "[2Jroof"
