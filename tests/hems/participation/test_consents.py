"""Consents: what counts now, asked many times a cycle, and a text that has changed since."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.participation.consent import Consent, text_version, turns_at
from hems.participation.consents import Consents, changed_since
from hems.programme_surface import Decision
from hems.store.store import deferred_store, open_store
from programs.registry import ALL, BY_ID
from tests.hems.money.homes import HeldClock
from tests.hems.participation.play import Play, T

pytestmark = pytest.mark.requirement("L1-OWNER")

PEAK = BY_ID["peak-shaving"]
VERSION = text_version(PEAK)


def test_a_consent_to_another_text_is_told_and_still_counts() -> None:
    agreed = Consent(joined=True, by="Ada", at=T, until=None, version=VERSION)
    assert not changed_since(PEAK, None)
    assert not changed_since(PEAK, agreed)
    assert changed_since(PEAK, replace(agreed, version="0" * 12))
    assert not changed_since(PEAK, replace(agreed, version="0" * 12, joined=False))


async def test_it_is_asked_again_until_somebody_reads_the_new_text(tmp_path: Path) -> None:
    clock = HeldClock(T)
    store = await open_store(tmp_path / "hems.db", clock)
    old = '[{"joined":true,"by":"Ada","at":1.0,"until":null,"version":"0123456789ab"}]'
    await store.settings.put("consents peak-shaving", old)
    play = Play(store, clock)
    await play.part.load()

    async def view() -> tuple[bool, bool, int]:
        found = next(p for p in await play.part.programmes() if p.id == PEAK.id)
        return found.joined, found.changed, len(found.decisions)

    assert await view() == (True, True, 1)
    await play.part.decide(PEAK.id, Decision(joined=True, by="Ada", version=VERSION))
    assert await view() == (True, False, 2)
    await store.close()


_TIMES = st.floats(T - 100, T + 1000)
_CONSENTS = st.builds(
    Consent,
    joined=st.booleans(),
    by=st.just("Ada"),
    at=_TIMES,
    until=st.none() | _TIMES,
    version=st.just(VERSION),
)


@given(st.lists(_CONSENTS, max_size=3), st.lists(_TIMES, min_size=1, max_size=8))
def test_what_is_remembered_is_what_would_be_found_anew(
    decided: list[Consent], asked_at: list[float]
) -> None:
    """Whatever way the clock goes."""
    clock = HeldClock(T)
    consents = _consents(clock, {"economy": False})
    text = "[" + ",".join(_json(each) for each in decided) + "]"
    consents.recall({"consents peak-shaving": text})
    for at in asked_at:
        clock.at = at
        assert consents.left == frozenset(p.id for p in ALL if not consents.takes_part(p.id))


def test_it_is_found_once_until_something_changes() -> None:
    clock = HeldClock(T)
    consents = _consents(clock, {})
    first = consents.left
    clock.at += 3600.0
    assert consents.left is first


def test_when_the_next_one_runs_out() -> None:
    agreed = Consent(joined=True, by="Ada", at=T, until=T + 10, version=VERSION)
    for_ever = replace(agreed, until=None)
    assert turns_at([], T) == float("inf")
    assert turns_at([(agreed,), (for_ever,)], T) == T + 10
    assert turns_at([(agreed, for_ever)], T) == float("inf")  # the last one counts
    assert turns_at([(agreed,)], T + 10) == float("inf")  # it is over


def _consents(clock: HeldClock, configured: Mapping[str, bool]) -> Consents:
    """Return consents of a home that has written nothing down yet."""
    return Consents(deferred_store(Path("/nowhere/hems.db"), clock).settings, clock, configured)


def _json(consent: Consent) -> str:
    until = "null" if consent.until is None else repr(consent.until)
    joined = "true" if consent.joined else "false"
    return (
        f'{{"joined":{joined},"by":"Ada","at":{consent.at!r},"until":{until},'
        f'"version":"{consent.version}"}}'
    )
