"""What the aggregator keeps in the head-end's database: shares, and what it owes the utility."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hems.headend.db.database import Database
from hems.headend.sharing.fairness import Asked
from hems.headend.sharing.following import Span
from hems.headend.sharing.model import Kind
from hems.headend.upstream.ledger import KEPT_S, RECENT_S, UpstreamLedger
from hems.headend.upstream.shared import Given, Head, Part
from hems.headend.upstream.shelf import Shelf
from hems.sep2.book.ledger import EventRow, LedgerError, ResponseRow
from tests.locked import locked
from tests.postgres import Postgres

pytestmark = pytest.mark.requirement("PRO-2030.5")

T0 = 1_800_000_000.0
HOUR = 3600.0


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = T0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    return tmp_path / "aggregator.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[Database]:
    where: Path | str = path
    if request.param == "postgresql":
        running: Postgres = request.getfixturevalue("postgres")
        where = running.database()
    made = await Database.open(where, busy_timeout_s=0.1)
    yield made
    await made.close()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def ledger(database: Database, clock: Hand) -> UpstreamLedger:
    return UpstreamLedger(database, clock)


def head(mrid: str = "E1", start: float = T0, end: float = T0 + HOUR) -> Head:
    return Head(f"{mrid}.L.shed", "u", "L", mrid, Kind.SHED, 3000, Span(start, end))


def part(of: Head, value_w: int, *homes: str, round_: int = 0, start: float | None = None) -> Part:
    begin = of.span.start if start is None else start
    given = tuple(Given(home, float(value_w), 9000, 1234.5) for home in homes)
    key = f"{of.id}.{round_}.{value_w}"
    return Part(key, value_w, begin, Span(begin, of.span.end), given)


async def test_what_is_shared_is_there_again_after_a_restart(database: Database) -> None:
    shelf, one = Shelf(database), replace(head(), short_w=12.5, shared_at=T0, round=1)
    first = part(one, 1000, "A", "B")
    await shelf.save(one, [first])
    await shelf.dispatched({first.key: "M1"})
    again = part(one, 1500, "B", round_=1, start=T0 + 60)
    one = replace(one, told=frozenset({1, 2}), round=2)
    await shelf.save(one, [again])
    await shelf.save(one, [again])  # written twice is written once
    await shelf.save(replace(head("E2"), closed=True))
    await shelf.save(replace(head("E3"), server="another"))

    (shared,) = (await Shelf(database).load("u")).values()
    assert shared.head == one
    assert [(p.key, p.mrid) for p in shared.parts.values()] == [
        (first.key, "M1"),
        (again.key, None),
    ]
    assert {n: (h.share_w, h.order, h.free_w) for n, h in shared.homes.items()} == {
        "A": (1000, first.key, 9000),
        "B": (1500, again.key, 9000),
    }
    assert shared.homes["A"].baseline_w == 1234.5
    assert await shelf.head("E2.L.shed") == replace(head("E2"), closed=True)
    assert await shelf.head("E9.L.shed") is None


async def test_what_homes_bore_ends_with_the_next_order_and_with_the_event(
    database: Database,
) -> None:
    shelf, one, two = Shelf(database), head(), head("E2", T0 - HOUR, T0 + HOUR)
    await shelf.save(one, [part(one, 1000, "A", "B")])
    await shelf.save(one, [part(one, 1500, "B", round_=1, start=T0 + 600)])
    await shelf.save(two, [part(two, 200, "A")])
    await shelf.ended(two, T0 - 1800)  # taken back after half an hour
    end = T0 + HOUR
    assert await shelf.asked(T0 - 9999, "") == [
        Asked("A", "E1", T0, end, 1000.0),
        Asked("A", "E2", T0 - HOUR, T0 - 1800, 200.0),
        Asked("B", "E1", T0, T0 + 600, 1000.0),
        Asked("B", "E1", T0 + 600, end, 1500.0),
    ]
    assert {a.event for a in await shelf.asked(T0 - 9999, "E1")} == {"E2"}
    assert {a.event for a in await shelf.asked(T0 - 1000, "")} == {"E1"}


async def test_who_left_has_borne_nothing_since(database: Database) -> None:
    shelf, one = Shelf(database), head()
    await shelf.save(one, [part(one, 1000, "A", "B")])
    await shelf.left(one.id, ["A", "C"], T0 + 60)
    assert [a.end for a in await shelf.asked(0, "")] == [T0 + 60, T0 + HOUR]
    (shared,) = (await shelf.load("u")).values()
    assert shared.out == {"A"}
    await shelf.left(one.id, ["A"], None)
    assert [a.end for a in await shelf.asked(0, "")] == [T0 + HOUR, T0 + HOUR]


async def test_what_ended_long_ago_is_forgotten(database: Database) -> None:
    shelf, one, two = Shelf(database), replace(head(), closed=True), head("E2")
    for each in (one, two):
        await shelf.save(each, [part(each, 500, "A")])
    await shelf.forget(T0 + 2 * HOUR)
    assert await shelf.head(one.id) is None
    assert {a.event for a in await shelf.asked(0, "")} == {"E2"}


def event(mrid: str, phase: str = "started", lfdi: str = "L") -> EventRow:
    return EventRow(
        mrid=mrid,
        server="u",
        kind="DERControl",
        program="P",
        program_name="Peak",
        primacy=1,
        mandatory=False,
        body=b"<x/>",
        draw_start_s=1,
        draw_duration_s=2,
        draw_cancel_s=3,
        phase=phase,
        lfdi=lfdi,
        modes="a,b",
        reason="why",
    )


def response(status: int = 1, subject: str = "E1", lfdi: str = "L") -> ResponseRow:
    return ResponseRow(subject, lfdi, status, "", int(T0), "/rsp", "DERControlResponse", server="u")


async def test_a_response_is_owed_once_until_it_is_posted(ledger: UpstreamLedger) -> None:
    await ledger.save([event("E1")], [response(1), response(2)])
    later = replace(response(1), created=int(T0) + 99)
    await ledger.save([replace(event("E1"), phase="completed")], [later, response(3, lfdi="H")])
    assert await ledger.unposted("u") == [response(1), response(2), response(3, lfdi="H")]
    assert await ledger.unposted("another") == []
    await ledger.posted(response(2), "/rsp/7")
    await ledger.save([], [response(2)])
    assert await ledger.unposted("u") == [response(1), response(3, lfdi="H")]
    assert await ledger.events() == [replace(event("E1"), phase="completed")]


async def test_what_was_over_long_ago_is_not_taken_up_and_then_forgotten(
    ledger: UpstreamLedger, clock: Hand
) -> None:
    await ledger.save([event("E1", "completed"), event("E2", "default")], [response(3)])
    clock.at += RECENT_S + 1
    assert [row.mrid for row in await ledger.events()] == ["E2"]
    await ledger.posted(response(3), "/rsp/1")
    clock.at += KEPT_S
    await ledger.save([], [response(8)])
    await ledger.forget_old()
    assert await ledger.unposted("u") == [response(8)], "what is owed is kept"
    await ledger.save([], [response(3)])
    assert len(await ledger.unposted("u")) == 2, "what was posted is forgotten"


async def test_the_clock_and_a_new_certificate(ledger: UpstreamLedger) -> None:
    assert await ledger.server_offset("u") is None
    for offset_s in (1.5, -2.5):
        await ledger.save_server_offset("u", offset_s)
    assert await ledger.server_offset("u") == -2.5
    await ledger.save([event("E1"), event("E2"), event("E2", lfdi="NEW")], [])
    assert await ledger.readdress("u", "L", "NEW") == 1
    assert sorted((r.mrid, r.lfdi) for r in await ledger.events()) == [("E1", "NEW"), ("E2", "NEW")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_locked_database_is_told_as_the_client_expects_and_nothing_is_half_written(
    ledger: UpstreamLedger, path: Path
) -> None:
    await ledger.save([], [])
    async with locked(path):
        with pytest.raises(LedgerError, match="database"):
            await ledger.save([event("E1")], [response()])
    assert await ledger.events() == []
    await ledger.save([event("E1")], [response()])
    assert len(await ledger.unposted("u")) == 1
