"""The log: what a row says, which are folded, and that nothing of it can be changed in silence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from certs.keys.store import KeyStore
from der.sentence import Quantity, Sentence, say
from hems.emg.threats.assembly import head_file
from hems.emg.threats.entry import LONGEST, Entry, Words, told
from hems.emg.threats.folding import FOLD_S, MOST_OF_KIND, MOST_OF_SOURCE, Draft, Folder
from hems.emg.threats.head import HeadFile, head_path, key_path
from hems.emg.threats.log import MOST_WAITING, SecurityLog
from hems.emg.threats.severity import Severity
from hems.security_event import EventKind, SecurityEvent
from hems.store.chain import KEPT_S
from hems.store.errors import StoreError
from hems.store.store import Store, deferred_store
from tests.hems.emg.threats.conftest import HeldClock

pytestmark = [pytest.mark.requirement("LC-AUDIT"), pytest.mark.requirement("L1-EVENTS")]


def event(about: str = "", source: str = "", said: str = "It was.") -> SecurityEvent:
    return SecurityEvent(EventKind.LOGIN_FAILED, said, about, source)


def draft(at: float, about: str = "") -> Draft:
    return Draft(at, Entry.of(event(about), Severity.NOTICE))


# What a row says.


def test_a_sentence_is_kept_with_what_it_was_made_of() -> None:
    sentence = say(
        "Held at {power} by {who} until {time}",
        power=Quantity("1.5", "kW"),
        who=say("the utility {name}", name="North"),
        time="07:00",
    )
    entry = Entry.of(event(said=sentence), Severity.NOTICE)
    kept = told(Entry.model_validate_json(entry.model_dump_json()).text)
    assert kept == str(sentence)
    assert isinstance(kept, Sentence)
    assert kept.template == sentence.template
    assert isinstance(kept.values["power"], Quantity)
    assert isinstance(kept.values["who"], Sentence)


def test_what_others_have_a_say_in_is_bounded_and_printable() -> None:
    entry = Entry.of(event("a\x1b[31m\u202e" * 1000, "b\n"), Severity.NOTICE)
    assert len(entry.about) == LONGEST
    assert entry.about.isprintable()
    assert entry.source == "b?"


def test_a_sentence_whose_template_was_damaged_is_shown_as_it_is() -> None:
    assert Words(template="{nobody} {0}").text() == "{nobody} {0}"


# Which are folded.


def test_the_same_again_is_counted_and_told_once_its_time_is_over() -> None:
    folder = Folder()
    (first,) = folder.take(event(), 100.0, 0.0)
    assert first.entry.times == 1
    for n in range(50):
        assert folder.take(event(), 101.0 + n, 1.0 + n) == []
    assert folder.due(700.0, FOLD_S - 1) == []
    (counted,) = folder.due(701.0, FOLD_S)
    assert (counted.entry.times, counted.entry.since, counted.at) == (50, 101.0, 701.0)
    assert folder.due(9999.0, 9999.0) == []
    assert folder.rest(9999.0) == []


def test_a_flood_of_different_things_is_bounded_and_counted() -> None:
    folder = Folder()
    rows = sum(len(folder.take(event(f"{n}", f"{n % 50}"), 0.0, n / 1000)) for n in range(10_000))
    assert rows == MOST_OF_KIND
    assert len(folder.take(event("x", "y"), 0.0, 4000.0)) == 1  # an hour later there is room
    told_later = folder.due(4000.0, 4000.0)
    assert sum(each.entry.times for each in told_later) == 10_000 - MOST_OF_KIND


def test_one_source_does_not_use_up_the_room_of_others() -> None:
    folder = Folder()
    rows = [len(folder.take(event(f"{n}", "10.0.0.7"), 0.0, 0.0)) for n in range(1000)]
    assert sum(rows) == MOST_OF_SOURCE
    assert len(folder.take(event("x", "10.0.0.8"), 0.0, 0.0)) == 1


@given(
    st.lists(
        st.tuples(st.floats(0.0, 300.0), st.sampled_from("abc"), st.sampled_from(["", "s", "t"])),
        max_size=200,
    )
)
def test_every_event_stands_in_some_row(happened: list[tuple[float, str, str]]) -> None:
    folder, now, stands = Folder(), 0.0, 0
    for pause, about, source in happened:
        now += pause
        told_now = [*folder.due(now, now), *folder.take(event(about, source), now, now)]
        stands += sum(each.entry.times for each in told_now)
    stands += sum(each.entry.times for each in folder.rest(now))
    assert stands == len(happened)


# On the disk.


async def test_rows_are_numbered_chained_and_read_back(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    log = SecurityLog(store.security_log, head, clock)
    assert await log.wrong() is None
    await log.seal()
    assert await log.write([draft(1.0, "a"), draft(2.0, "b")]) == [1, 2]
    assert await log.write([draft(3.0, "c")]) == [3]
    await log.seal()
    again = SecurityLog(store.security_log, head, clock)
    assert await again.wrong() is None
    assert await again.write([draft(4.0, "d")]) == [4]
    rows = await again.newest(10)
    assert [(row.seq, row.entry.about) for row in rows if row.entry] == [
        (4, "d"),
        (3, "c"),
        (2, "b"),
        (1, "a"),
    ]
    verdict = await again.verify(log.link)
    assert (verdict.rows, verdict.broken_at, verdict.known) == (4, None, True)


async def filled(store: Store, head: HeadFile, clock: HeldClock) -> SecurityLog:
    log = SecurityLog(store.security_log, head, clock)
    assert await log.wrong() is None
    await log.seal()
    await log.write([draft(clock.now() + n, f"{n}") for n in range(20)])
    await log.seal()
    return log


async def tamper(store: Store, *statements: str) -> None:
    """Do what somebody does who has the disk, the key and SQLite's own tools."""
    async with store.security_log._database.ledger() as connection:
        for statement in statements:
            await connection.execute(text(statement))


FREED = ("DROP TRIGGER security_log_stays", "DROP TRIGGER security_log_whole")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE security_log SET at = 0 WHERE seq = 7",
        "UPDATE security_log SET body = '{}' WHERE seq = 7",
        "UPDATE security_log SET link = x'00' WHERE seq = 7",
        "DELETE FROM security_log WHERE seq = 7",
        "DELETE FROM security_log",
    ],
)
async def test_sqlite_itself_refuses_to_change_rows(
    store: Store, head: HeadFile, clock: HeldClock, statement: str
) -> None:
    await filled(store, head, clock)
    with pytest.raises(StoreError, match="rows of the security log"):
        await tamper(store, statement)


@pytest.mark.requirement("L1-TAMPER")
@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DELETE FROM security_log WHERE seq = 7"], "Row 7 "),
        (["UPDATE security_log SET body = '{}' WHERE seq = 7"], "Row 7 "),
        (["UPDATE security_log SET at = at - 1 WHERE seq = 7"], "Row 7 "),
        (["UPDATE security_log SET body = NULL WHERE seq = 7"], "Row 7 "),
        (["DELETE FROM security_log WHERE seq > 15"], "sealed at row 20 and now has 15 rows"),
        (["DELETE FROM security_log"], "sealed at row 20 and now has 0 rows"),
    ],
)
async def test_what_was_changed_is_named(
    store: Store, head: HeadFile, clock: HeldClock, statements: list[str], words: str
) -> None:
    await filled(store, head, clock)
    await tamper(store, *FREED, *statements)
    wrong = await SecurityLog(store.security_log, head, clock).wrong()
    assert wrong is not None
    assert words in wrong


@pytest.mark.requirement("L1-TAMPER")
async def test_a_cut_end_with_other_rows_in_its_place_is_noticed(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    await filled(store, head, clock)
    await tamper(store, *FREED, "DELETE FROM security_log WHERE seq > 15")
    forger = SecurityLog(store.security_log, None, clock)
    await forger.write([draft(clock.now(), f"forged {n}") for n in range(10)])
    wrong = await SecurityLog(store.security_log, head, clock).wrong()
    assert wrong is not None
    assert "sealed at row 20 and now has 25 rows" in wrong


@pytest.mark.parametrize("how", ["removed", "damaged", "other numbers", "another key"])
async def test_a_seal_that_is_gone_or_forged_is_noticed(
    store: Store, head: HeadFile, clock: HeldClock, path: Path, how: str
) -> None:
    await filled(store, head, clock)
    file = head_path(path)
    if how == "removed":
        file.unlink()
    elif how == "damaged":
        file.write_text("{", encoding="utf-8")
    elif how == "other numbers":
        kept = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**kept, "seq": 15}), encoding="utf-8")
    else:
        key_path(path).unlink()
        KeyStore().make(key_path(path))
    wrong = await SecurityLog(store.security_log, head, clock).wrong()
    assert wrong is not None
    assert "seal" in wrong


async def test_a_restored_backup_may_end_before_the_seal(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    await filled(store, head, clock)
    await tamper(store, *FREED, "DELETE FROM security_log WHERE seq > 15")
    log = SecurityLog(store.security_log, head, clock)
    assert await log.wrong(restored=True) is None
    await log.seal()
    assert await SecurityLog(store.security_log, head, clock).wrong() is None


async def test_old_rows_fade_and_the_chain_holds(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    log = await filled(store, head, clock)
    clock.at += KEPT_S + 10.0
    await log.fade()
    rows = await log.newest(20)
    assert [row.seq for row in rows if row.entry is None] == list(range(10, 0, -1))
    assert await SecurityLog(store.security_log, head, clock).wrong() is None


async def test_grave_rows_are_found_among_many(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    log = SecurityLog(store.security_log, head, clock)
    for n in range(600):
        grave = Severity.ALARM if n % 100 == 0 else Severity.INFO
        await log.write([Draft(float(n), Entry.of(event(f"{n}"), grave))])
    page = await log.page(3, None, Severity.WARNING)
    assert [row.seq for row in page.rows] == [501, 401, 301]
    more = await log.page(10, page.before, Severity.WARNING)
    assert [row.seq for row in more.rows] == [201, 101, 1]
    assert more.before is None


async def test_rows_wait_for_a_store_that_takes_none(tmp_path: Path, clock: HeldClock) -> None:
    path = tmp_path / "away" / "hems.db"
    path.parent.touch()  # a file in the place of its folder
    store = deferred_store(path, clock)
    log = SecurityLog(store.security_log, head_file(tmp_path / "x.db", KeyStore()), clock)
    assert await log.write([draft(1.0, "first")]) == [0]
    await log.write([draft(2.0)] * (MOST_WAITING + 5))
    path.parent.unlink()
    path.parent.mkdir()
    await log.write([draft(3.0)])
    rows = await log.newest(2)
    assert rows[0].entry is not None
    assert rows[0].entry.times == 7
    assert rows[0].seq == MOST_WAITING + 1
    assert (await log.verify()).broken_at is None
    await store.close()
