"""Events, responses and offsets on a real file: exactly once, and kept as long as promised."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.clock import SystemClock
from hems.sep2.book.ledger import EventRow, Ledger, ResponseRow
from hems.store.ledger import DAY_S
from hems.store.store import Store, open_store

pytestmark = pytest.mark.requirement("PRO-2030.5")

EVENT = EventRow(
    mrid="0A" * 16,
    server="utility.example",
    kind="DERControl",
    program="0B" * 16,
    program_name="Peak days",
    primacy=1,
    mandatory=False,
    body=b"<DERControl/>",
    draw_start_s=-17,
    draw_duration_s=4,
    draw_cancel_s=0,
    phase="received",
    lfdi="3E" * 20,
)
RESPONSE = ResponseRow(
    subject=EVENT.mrid,
    lfdi="3E" * 20,
    status=1,
    modes="",
    created=1_800_000_000,
    reply_to="/rsp/1",
    kind="DERControlResponse",
    server=EVENT.server,
)


class Held(Protocol):
    """The clock of the tests, which they move."""

    at: float

    def now(self) -> float: ...

    def monotonic(self) -> float: ...


@pytest.mark.requirement("TIME-SERVER")
async def test_what_is_saved_is_there_after_reopening(path: Path, clock: Held) -> None:
    other = replace(
        EVENT,
        mrid="0C" * 16,
        opted_out=True,
        baseline_w=-1234.5,
        body=b"\0\xff",
        rejoined=True,
        override_since=17.25,
        overridden_s=300.5,
        applied=b"<DrResponse/>",
        acknowledged=True,
        modes="opModImpLimW,opModVoltVar",
        reason="curve /c/1 goes back",
    )
    first = await open_store(path, clock)
    await first.ledger.save([EVENT, other], [RESPONSE])
    await first.ledger.save_server_offset("utility.example", -2.5)
    await first.close()
    again = await open_store(path, clock)
    port: Ledger = again.ledger  # the type checker holds it to the port
    assert list(await port.events()) == [EVENT, other]
    assert list(await port.unposted(EVENT.server)) == [RESPONSE]
    assert await port.server_offset("utility.example") == -2.5
    assert await port.server_offset("elsewhere.example") is None
    await again.close()


@pytest.mark.parametrize("other", [{"server": "other.example"}, {"lfdi": "3F" * 20}])
async def test_an_event_is_replaced_and_the_same_mrid_of_another_is_not(
    store: Store, other: dict[str, str]
) -> None:
    theirs = replace(EVENT, server=other.get("server", EVENT.server), lfdi=other.get("lfdi", ""))
    await store.ledger.save([EVENT, theirs], [])
    started = replace(EVENT, phase="started", baseline_w=6000.0)
    await store.ledger.save([started], [])
    assert set(await store.ledger.events()) == {started, theirs}


async def test_each_server_is_owed_its_own(store: Store) -> None:
    theirs = replace(RESPONSE, server="other.example", detail=b"<DrResponse/>")
    await store.ledger.save([], [RESPONSE, theirs])
    assert list(await store.ledger.unposted("other.example")) == [theirs]
    await store.ledger.posted(theirs, "/rsp/1/7")
    assert list(await store.ledger.unposted("other.example")) == []
    assert list(await store.ledger.unposted(EVENT.server)) == [RESPONSE]


async def test_a_response_is_owed_once(store: Store) -> None:
    await store.ledger.save([], [RESPONSE, RESPONSE])
    later = replace(RESPONSE, created=RESPONSE.created + 60, reply_to="/rsp/2")
    await store.ledger.save([], [later])
    assert list(await store.ledger.unposted(EVENT.server)) == [RESPONSE]
    await store.ledger.posted(RESPONSE, "/rsp/1/7")
    await store.ledger.save([], [RESPONSE, later])
    assert list(await store.ledger.unposted(EVENT.server)) == []


@pytest.mark.parametrize(
    "other",
    [
        replace(RESPONSE, subject="0D" * 16),
        replace(RESPONSE, lfdi="3F" * 20),
        replace(RESPONSE, status=2),
        replace(RESPONSE, modes="opModImpLimW"),
    ],
)
async def test_each_part_of_the_key_makes_another_response(
    store: Store, other: ResponseRow
) -> None:
    await store.ledger.save([], [RESPONSE, other])
    await store.ledger.posted(RESPONSE, "/rsp/1/7")
    assert list(await store.ledger.unposted(EVENT.server)) == [other]


async def test_responses_are_owed_oldest_first(store: Store) -> None:
    rows = [replace(RESPONSE, status=s, created=c) for s, c in ((3, 30), (1, 10), (2, 10))]
    await store.ledger.save([], rows)
    assert [row.status for row in await store.ledger.unposted(EVENT.server)] == [1, 2, 3]


@pytest.mark.requirement("TIME-SERVER")
async def test_offsets_are_replaced(store: Store) -> None:
    await store.ledger.save_server_offset("u", 1.0)
    await store.ledger.save_server_offset("u", 0.25)
    assert await store.ledger.server_offset("u") == 0.25


async def test_what_is_over_and_answered_is_forgotten_after_the_retention(
    store: Store, clock: Held
) -> None:
    over = replace(EVENT, mrid="01" * 16, phase="completed")
    owing = replace(EVENT, mrid="02" * 16, phase="cancelled")
    running = replace(EVENT, mrid="03" * 16, phase="started")
    answered = replace(RESPONSE, subject=over.mrid)
    owed = replace(RESPONSE, subject=owing.mrid)
    await store.ledger.save([over, owing, running], [answered, owed])
    await store.ledger.posted(answered, "/rsp/1/1")
    clock.at += 400 * DAY_S
    assert list(await store.ledger.events()) == [owing, running]
    assert await store.ledger.purge(clock.now()) == 0
    clock.at += 1
    assert list(await store.ledger.events()) == [running]
    assert await store.ledger.purge(clock.now()) == 1
    assert list(await store.ledger.unposted(EVENT.server)) == [owed]
    await store.ledger.save([], [answered])  # long forgotten: it would be owed anew
    assert list(await store.ledger.unposted(EVENT.server)) == [owed, answered]


async def test_a_year_of_past_events_does_not_hold_up_a_start(store: Store, clock: Held) -> None:
    names = ("completed", "cancelled", "superseded", "rejected", "started")
    rows = [replace(EVENT, mrid=f"{i:032X}", phase=name) for i, name in enumerate(names)]
    await store.ledger.save(rows, [replace(RESPONSE, subject=rows[0].mrid)])
    clock.at += DAY_S
    assert {row.phase for row in await store.ledger.events()} == set(names)
    clock.at += 2 * DAY_S
    assert {row.phase for row in await store.ledger.events()} == set(names) - {"completed"}
    (owed,) = await store.ledger.unposted(EVENT.server)
    await store.ledger.posted(owed, "/rsp/1/1")
    await store.ledger.save(rows[:1], [owed])  # told by its server once more, and not owed anew
    assert not await store.ledger.unposted(EVENT.server)


async def test_a_save_with_a_bad_row_leaves_nothing_of_the_call(store: Store) -> None:
    bad = replace(RESPONSE, reply_to=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        await store.ledger.save([EVENT], [RESPONSE, bad])
    assert list(await store.ledger.events()) == []
    assert list(await store.ledger.unposted(EVENT.server)) == []


async def test_events_go_over_to_the_lfdi_of_a_renewed_certificate(store: Store) -> None:
    new, other = "4F" * 20, replace(EVENT, server="other.example")
    there_already = replace(EVENT, lfdi=new, phase="completed")
    await store.ledger.save([EVENT, other, there_already], [RESPONSE])
    assert await store.ledger.readdress(EVENT.server, EVENT.lfdi, new) == 1
    assert await store.ledger.readdress(EVENT.server, EVENT.lfdi, new) == 0
    kept = {(row.server, row.lfdi): row for row in await store.ledger.events()}
    assert set(kept) == {(EVENT.server, new), (other.server, EVENT.lfdi)}
    assert kept[EVENT.server, new] == replace(EVENT, lfdi=new)
    assert list(await store.ledger.unposted(EVENT.server)) == [RESPONSE], "said as it was"


RESPONSES = st.builds(
    ResponseRow,
    subject=st.sampled_from(["A", "B"]),
    lfdi=st.sampled_from(["L", "M"]),
    status=st.integers(1, 3),
    modes=st.sampled_from(["", "opModImpLimW"]),
    created=st.integers(0, 5),
    reply_to=st.text(max_size=3),
    kind=st.just("DrResponse"),
    server=st.sampled_from([EVENT.server, "other.example"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(RESPONSES, max_size=5), max_size=6))
async def test_any_repetition_owes_each_key_once_as_first_said(
    calls: list[list[ResponseRow]],
) -> None:
    expected: dict[tuple[str, str, str, int, str], ResponseRow] = {}
    with TemporaryDirectory() as folder:
        store = await open_store(Path(folder) / "hems.db", SystemClock())
        for call in calls:
            await store.ledger.save([], call)
            for row in call:
                key = (row.server, row.subject, row.lfdi, row.status, row.modes)
                expected.setdefault(key, row)
        owed = [
            row
            for server in (EVENT.server, "other.example")
            for row in await store.ledger.unposted(server)
        ]
        await store.close()
    assert sorted(owed, key=repr) == sorted(expected.values(), key=repr)
