"""Alarms past and present: when each began and ended, over restarts, bounded."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.sentence import Sentence, say
from hems.alarm_history import GOES_ON_S, KEPT, AlarmHistory, Episode
from hems.alarms import Alarms
from hems.store.store import Store, deferred_store, open_store
from tests.hems.money.homes import HeldClock

pytestmark = pytest.mark.requirement("ROLE-UI")

T = 1_800_000_000.0


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = await open_store(tmp_path / "hems.db", HeldClock(T))
    yield found
    await found.close()


def told(history: AlarmHistory) -> list[tuple[str, str, float, float | None]]:
    return [
        (e.source, e.text, e.began_at - T, None if e.ended_at is None else e.ended_at - T)
        for e in history.episodes
    ]


async def test_alarms_are_noted_with_their_times(store: Store) -> None:
    clock = HeldClock(T)
    history = AlarmHistory(store.settings, clock)
    alarms = Alarms(clock, lambda: None, history)
    alarms.lasting("history", "the disk is full")
    clock.at += 10
    alarms.passing("a certificate ends soon")
    alarms.passing("a certificate ends soon")  # it is shown for longer, and happened once
    alarms.lasting("history", "the disk is broken")  # the same trouble in other words
    clock.at += 10
    alarms.lasting("history", None)
    alarms.lasting("device pv", "Solar does not answer")
    assert told(history) == [
        ("device pv", "Solar does not answer", 20.0, None),
        ("", "a certificate ends soon", 10.0, 10.0),
        ("history", "the disk is broken", 0.0, 20.0),
    ]


async def test_what_is_still_wrong_after_a_restart_goes_on(store: Store) -> None:
    clock = HeldClock(T)
    before = AlarmHistory(store.settings, clock)
    before.began("device pv", "Solar does not answer")
    before.began("history", "the disk is full")
    await before.flush()
    clock.at += 60
    after = AlarmHistory(store.settings, clock)
    await after.load()
    assert [e.ended_at for e in after.episodes] == [clock.at, clock.at]  # nobody says otherwise
    clock.at += 5
    after.began("device pv", "Solar does not answer")
    assert told(after)[0] == ("device pv", "Solar does not answer", 0.0, None)
    assert len(after.episodes) == 2
    clock.at += GOES_ON_S
    after.began("history", "the disk is full")  # so much later it is another time
    assert len(after.episodes) == 3


async def test_what_was_said_before_the_file_was_read_stands_behind_it(store: Store) -> None:
    clock = HeldClock(T)
    before = AlarmHistory(store.settings, clock)
    before.happened("one")
    await before.flush()
    clock.at += 5
    after = AlarmHistory(store.settings, clock)
    after.happened("two")
    after.began("store", "three")
    await after.load()
    assert [e.text for e in after.episodes] == ["three", "two", "one"]


async def test_a_sentence_can_be_told_in_another_language_after_a_restart(store: Store) -> None:
    clock = HeldClock(T)
    before = AlarmHistory(store.settings, clock)
    before.began("limits", say("Held for {name}", name="the grid"))
    await before.flush()
    after = AlarmHistory(store.settings, clock)
    await after.load()
    (episode,) = after.episodes
    assert isinstance(episode.text, Sentence)
    assert (episode.text.template, episode.text.values) == ("Held for {name}", {"name": "the grid"})


@pytest.mark.parametrize(
    "damaged",
    [
        "no JSON",
        '[{"source": 1}]',
        '[{"source":"","text":"t","began_at":1,"ended_at":1,"template":"{x","values":{}}]',
        '[{"source":"","text":"t","began_at":1,"ended_at":1,"template":"{x}","values":{"y":1}}]',
    ],
)
async def test_what_is_damaged_is_left(store: Store, damaged: str) -> None:
    await store.settings.put("alarms", damaged)
    history = AlarmHistory(store.settings, HeldClock(T))
    await history.load()
    assert [e.text for e in history.episodes] in ([], ["t"])
    history.happened("now")
    await history.flush()
    again = AlarmHistory(store.settings, HeldClock(T))
    await again.load()
    assert again.episodes[0].text == "now"


async def test_a_flood_is_bounded(store: Store) -> None:
    history = AlarmHistory(store.settings, HeldClock(T))
    for number in range(3 * KEPT):
        history.happened(str(number))
    assert len(history.episodes) == KEPT
    await history.flush()
    assert len((await store.settings.all())["alarms"]) < 200 * KEPT


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_as_a_plain_list_has_it(steps: Sequence[tuple[str, bool]]) -> None:
    """However they come and go, each source has one open episode at most, with the last words."""
    clock = HeldClock(T)
    history = AlarmHistory(_store().settings, clock)
    plain: list[Episode] = []
    for number, (source, wrong) in enumerate(steps):
        clock.at += 1
        still = [i for i, e in enumerate(plain) if e.source == source and e.ended_at is None]
        if wrong:
            history.began(source, str(number))
            if still:
                plain[still[0]] = Episode(source, str(number), plain[still[0]].began_at)
            else:
                plain.append(Episode(source, str(number), clock.at))
        else:
            history.ended(source)
            for i in still:
                plain[i] = Episode(source, plain[i].text, plain[i].began_at, clock.at)
    assert sorted(history.episodes, key=lambda e: e.began_at) == plain


def _store() -> Store:
    return deferred_store(Path("/nowhere/hems.db"), HeldClock(T))
