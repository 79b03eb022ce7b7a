"""The pure rules of access: names, passwords, waits, lifetimes, codes and the trail's chain."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.access import names, passwords, random_token
from hems.access.brake import (
    FORGET_S,
    Brake,
    Count,
    From,
    Tries,
    after,
    code_counts,
    counts,
    wait_s,
)
from hems.access.errors import AccountError
from hems.access.lifetimes import LIFETIMES, ends_at, over
from hems.access.rights import RIGHTS, Right, Role
from hems.access.trail import Deed, append
from hems.store.chain import KEPT_S, START, Verdict, Verifier
from hems.store.trail import TrailRow

pytestmark = pytest.mark.requirement("PRV-RBAC")

PAIR = Count(("pair", "ada", "10.0.0.7"), free=5, longest_s=900.0)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("Ada", "Ada"), ("  Ada   Lovelace ", "Ada Lovelace"), ("Zoe\u0308", "Zo\u00eb")],
)
def test_a_name_is_kept_as_it_is_meant(typed: str, kept: str) -> None:
    assert names.cleaned(typed) == kept


@pytest.mark.parametrize("typed", ["", "  ", "A\u200bda", "Ada\u202e", "A\x00", "a" * 65])
def test_a_name_that_deceives_is_refused(typed: str) -> None:
    with pytest.raises(AccountError):
        names.cleaned(typed)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada", "ADA", True),
        ("Stra\u00dfe", "STRASSE", True),
        ("\uff21\uff44\uff41", "ada", True),
        ("Ada", "Adam", False),
    ],
)
def test_names_are_compared_as_people_read_them(one: str, other: str, *, same: bool) -> None:
    assert (names.key(one) == names.key(other)) == same


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("correct horse", True),
        ("\u5bc6\u7801\u5f88\u957f\u7684\u4e00\u53e5\u8bdd\u4e86\u5427", True),
        ("short", False),
        ("aaaaaaaaaaaa", False),
        ("ababababab", False),
        ("lovelacelovelace", False),
        ("Lovelace11", False),
        ("          ", False),
        ("x" * 201, False),
    ],
)
def test_a_password_is_long_and_not_the_name(password: str, *, good: bool) -> None:
    try:
        passwords.check(password, "Lovelace")
    except AccountError:
        assert not good
    else:
        assert good


@pytest.mark.parametrize(
    ("failures", "later_s", "waits_s"),
    [
        (0, 0.0, 0.0),
        (4, 0.0, 0.0),
        (5, 0.0, 1.0),
        (6, 0.5, 1.5),
        (9, 0.0, 16.0),
        (14, 0.0, 512.0),
        (15, 0.0, 900.0),
        (10_000, 0.0, 900.0),
        (10_000, 900.0, 0.0),
        (10_000, FORGET_S, 0.0),
    ],
)
def test_the_wait_grows_and_never_lasts(failures: int, later_s: float, waits_s: float) -> None:
    assert wait_s(Tries(failures, 100.0), PAIR, 100.0 + later_s) == waits_s


@given(st.lists(st.floats(0.0, 2 * FORGET_S), max_size=40))
def test_whoever_guesses_waits_ever_longer(pauses: list[float]) -> None:
    """The oracle: failures since the last quiet hour, counted by hand."""
    tries, now, counted = Tries(), 1000.0, 0
    for number, pause in enumerate(pauses):
        now += pause
        counted = 1 if number and pause >= FORGET_S else counted + 1
        tries = after(tries, now)
        expected = 0.0 if counted < PAIR.free else min(900.0, 2.0 ** (counted - PAIR.free))
        assert wait_s(tries, PAIR, now) == expected
        assert wait_s(tries, PAIR, now + PAIR.longest_s) == 0.0


def test_nobody_keeps_the_owner_out_by_guessing() -> None:
    """From thousands of addresses at once, far and near, the owner's very address among them."""
    brake = Brake()
    for number in range(3000):
        far = From(f"203.{number // 250}.113.{number % 250}")
        near = From(f"10.0.{number // 250}.{number % 250}", near=True)
        for place in (far, near, From("192.168.1.9", near=True), From("2001:db8::/64", near=True)):
            brake.begin(counts("ada", place), 0.0)
            brake.begin(code_counts("ada", place), 0.0)
    beyond = From("198.51.100.9")
    assert brake.wait_s(counts("ada", beyond), 0.0) == 30.0, "one of many beyond the home"
    free = [
        From("192.168.1.77", near=True),  # a new browser at home
        From("127.0.0.1", here=True),  # the hub's own machine
        From("192.168.1.9", near=True, browser="hers"),  # where the guesser sits too
        From("203.0.113.5", browser="hers"),  # on the way
    ]
    for place in free:
        assert brake.wait_s(counts("ada", place), 0.0) == 0.0, place
    for place in free[1:]:
        assert brake.wait_s(code_counts("ada", place), 0.0) == 0.0, place
    assert brake.wait_s(code_counts("ada", free[0]), 0.0) <= 300.0


def test_a_browser_that_is_known_is_no_licence_to_guess() -> None:
    brake, place = Brake(), From("192.168.1.9", near=True, browser="stolen")
    for _ in range(20):
        brake.begin(counts("ada", place), 0.0)
    assert brake.wait_s(counts("ada", place), 0.0) == 900.0
    assert brake.wait_s(counts("eve", place), 0.0) == 0.0


@given(st.lists(st.booleans(), max_size=40))
def test_what_is_undone_is_as_if_it_had_not_been(failed: list[bool]) -> None:
    """The oracle: the failures alone, without what was taken back."""
    brake, oracle = Brake(), Brake()
    counted = counts("ada", From("10.0.0.7"))
    for each in failed:
        brake.begin(counted, 0.0)
        if each:
            oracle.begin(counted, 0.0)
        else:
            brake.undo(counted)
    assert brake.wait_s(counted, 0.0) == oracle.wait_s(counted, 0.0)


def test_one_s_own_success_does_not_excuse_guessing_at_another() -> None:
    brake, guesses = Brake(), counts("ada", From("10.0.0.7", near=True))
    for _ in range(8):
        brake.begin(guesses, 0.0)
        own = counts("eve", From("10.0.0.7", near=True))
        brake.begin(own, 0.0)
        brake.passed(own)
    assert brake.wait_s(guesses, 0.0) == 8.0


def test_the_brake_forgets_the_oldest_when_flooded() -> None:
    brake = Brake()
    for number in range(10_000):
        brake.begin((Count(("name", str(number)), 0, 10.0),), 0.0)
    assert brake.wait_s((Count(("name", "0"), 0, 10.0),), 0.0) == 0.0
    assert brake.wait_s((Count(("name", "9999"), 0, 10.0),), 0.0) == 2.0


@given(
    role=st.sampled_from(Role),
    used_s=st.floats(0.0, 400 * 86_400.0),
    until_s=st.none() | st.floats(0.0, 400 * 86_400.0),
)
def test_a_session_ends_by_whatever_comes_first(
    role: Role, used_s: float, until_s: float | None
) -> None:
    lifetime = LIFETIMES[role]
    end = ends_at(role, 0.0, used_s, until_s)
    assert end <= lifetime.whole_s
    assert end <= used_s + lifetime.idle_s
    assert until_s is None or end <= until_s
    assert end in {lifetime.whole_s, used_s + lifetime.idle_s, until_s}


@pytest.mark.parametrize(
    ("until", "ended"), [(None, False), (9.0, True), (10.0, True), (10.1, False)]
)
def test_an_account_ends_at_its_end(until: float | None, *, ended: bool) -> None:
    assert over(until, 10.0) == ended


def test_guests_stay_hours_and_those_at_home_stay_weeks() -> None:
    assert all(LIFETIMES[role].whole_s <= 86_400 for role in Role if role not in _AT_HOME)
    assert all(LIFETIMES[role].idle_s >= 7 * 86_400 for role in _AT_HOME)


_AT_HOME = frozenset({Role.OWNER, Role.HOUSEHOLD})


@pytest.mark.parametrize(
    ("role", "not_allowed"),
    [
        (Role.HOUSEHOLD, {Right.AGREE, Right.GRANT, Right.SET_UP, Right.AUDIT, Right.OWN}),
        (Role.INSTALLER, {Right.HISTORY, Right.STEER, Right.AUDIT, Right.OWN, Right.GRANT}),
        (Role.PROVIDER, {Right.HISTORY, Right.AGREE, Right.AUDIT, Right.OWN, Right.GRANT}),
        (Role.AGGREGATOR, {Right.HISTORY, Right.STEER, Right.SET_UP, Right.AUDIT, Right.OWN}),
        (Role.AUDITOR, {Right.HISTORY, Right.STEER, Right.SET_UP, Right.OWN, Right.GRANT}),
    ],
)
def test_what_is_private_or_the_owner_s_is_kept_from_others(
    role: Role, not_allowed: set[Right]
) -> None:
    assert not RIGHTS[role] & not_allowed
    assert RIGHTS[Role.OWNER] >= not_allowed


def test_a_code_is_typed_as_people_type() -> None:
    code = random_token.make_code()
    assert random_token.same_code(code.lower().replace("-", " "), code)
    assert not random_token.same_code(code[:-1], code)
    assert not random_token.same_code("", code)
    assert len({random_token.make() for _ in range(100)}) == 100


def chain(length: int) -> list[TrailRow]:
    rows: list[TrailRow] = []
    for number in range(length):
        deed = Deed(
            who="Ada",
            role="owner",
            way="session",
            origin="::1",
            did="POST /api/x",
            about=str(number),
            outcome=204,
        )
        rows.append(append(rows[-1] if rows else None, 1000.0 + number, deed))
    return rows


def verdict(rows: list[TrailRow], now: float = 2000.0, noted: bytes | None = None) -> Verdict:
    verifier = Verifier(now, noted)
    for row in rows:
        if not verifier.take(row):
            break
    return verifier.verdict()


def test_a_trail_as_it_was_written_holds() -> None:
    rows = chain(20)
    assert verdict(rows) == Verdict(20, None, rows[-1].link, None)
    assert verdict(rows, noted=rows[7].link).known
    assert verdict(rows[:7], noted=rows[7].link).known is False  # its end was cut off
    assert verdict([], noted=START) == Verdict(0, None, START, known=True)


@given(data=st.data(), length=st.integers(2, 12))
def test_whatever_is_done_to_a_trail_shows(data: st.DataObject, length: int) -> None:
    rows = chain(length)
    place = data.draw(st.integers(0, length - 1))
    row = rows[place]
    what = data.draw(st.sampled_from(["body", "time", "blank", "take out", "swap", "insert"]))
    if what == "body":
        rows[place] = replace(row, body=(row.body or "").replace("204", "403"))
    elif what == "time":
        rows[place] = replace(row, at=row.at + 1.0)
    elif what == "blank":
        rows[place] = replace(row, body=None)
    elif what == "take out" and place < length - 1:
        del rows[place]
    elif what == "swap" and place < length - 1:
        rows[place], rows[place + 1] = rows[place + 1], rows[place]
    else:
        rows.insert(place, row)
        place += 1
    found = verdict(rows)
    assert found.broken_at == place + 1
    assert found.rows == place


def test_only_what_is_old_may_say_nothing_any_more() -> None:
    rows = chain(3)
    rows[0] = replace(rows[0], body=None)
    assert verdict(rows, rows[0].at + KEPT_S).broken_at is None
    assert verdict(rows, rows[0].at + KEPT_S - 1.0).broken_at == 1
