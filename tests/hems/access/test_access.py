"""Accounts, sessions, tokens and the trail over a real store."""

import asyncio
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from hems.access import private_file
from hems.access.access import Access, access
from hems.access.errors import (
    AccountError,
    FirstError,
    LastOwnerError,
    TooOftenError,
    UnknownError,
    WrongError,
)
from hems.access.journal import MOST_REFUSALS
from hems.access.passwords import Hasher
from hems.access.people import NewPerson, Person
from hems.access.proofs import Place
from hems.access.rights import HERE, Role
from hems.access.tokens import NewToken
from hems.access.trail import Deed
from hems.store.chain import KEPT_S
from hems.store.store import Store
from tests.hems.access.conftest import WEAK
from tests.hems.store.conftest import HeldClock
from tests.stored import execute

pytestmark = pytest.mark.requirement("PRV-RBAC")

GOOD = "correct horse battery"
PHONE = Place("192.168.1.20", "Phone")
STRANGE = Place("10.9.9.9", "Curl")
DAY_S = 86_400.0


@pytest.fixture
async def ada(rights: Access) -> Person:
    return await rights.first(NewPerson("Ada", Role.OWNER, GOOD), PHONE, None)


def deed(about: str = "", outcome: int = 204) -> Deed:
    return Deed(
        who="Ada",
        role="owner",
        way="session",
        origin="::1",
        did="POST /api/x",
        about=about,
        outcome=outcome,
    )


def written_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("hems.db*"))


async def test_the_first_account_is_an_owner_s_and_there_is_one(rights: Access) -> None:
    new = [NewPerson(f"Nr {n}", Role.AUDITOR, GOOD, until=1e10) for n in range(5)]
    outcomes = await asyncio.gather(
        *(rights.first(each, PHONE, None) for each in new), return_exceptions=True
    )
    made = [each for each in outcomes if isinstance(each, Person)]
    assert [(each.role, each.until) for each in made] == [(Role.OWNER, None)]
    assert sum(isinstance(each, FirstError) for each in outcomes) == 4


async def test_elsewhere_the_first_account_takes_the_code(rights: Access, tmp_path: Path) -> None:
    path = tmp_path / ".setup-code"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    code = private_file.read(path).strip()
    with pytest.raises(WrongError):
        await rights.first(NewPerson("Eve", Role.OWNER, GOOD), STRANGE, "AAAA-AAAA")
    await rights.first(NewPerson("Ada", Role.OWNER, GOOD), PHONE, code)
    assert not path.exists()
    with pytest.raises(FirstError):
        await rights.first(NewPerson("Eve", Role.OWNER, GOOD), STRANGE, code)


async def test_codes_are_not_guessed(rights: Access, clock: HeldClock) -> None:
    refused = 0
    for number in range(200):
        place = Place(f"10.0.0.{number}")
        try:
            await rights.first(NewPerson("Eve", Role.OWNER, GOOD), place, "AAAA-AAAA")
        except TooOftenError:
            refused += 1
        except WrongError:
            clock.at += 0.1
    assert refused > 180


async def test_who_logs_in_is_known_by_token_after_a_restart(
    rights: Access, ada: Person, store: Store, tmp_path: Path, clock: HeldClock
) -> None:
    token, _ = await rights.logins.log_in(" ada ", GOOD, PHONE)
    again = access(store.people, store.trail, tmp_path / "code", clock, Hasher(*WEAK))
    await again.ready()
    login = again.logins.by_token(token)
    assert login is not None
    assert login.person == ada
    assert not (tmp_path / "code").exists()


async def test_nothing_of_a_secret_lies_in_the_store(
    rights: Access, ada: Person, store: Store, tmp_path: Path
) -> None:
    token, _ = await rights.logins.log_in("Ada", GOOD, PHONE)
    other, _ = await rights.tokens.make(NewToken("ha", Role.HOUSEHOLD), ada.who)
    await store.close()
    written = written_in(tmp_path)
    for secret in (GOOD, token, other, rights.machine):
        assert secret.encode() not in written


@pytest.mark.parametrize(("name", "password"), [("Ada", "wrong"), ("Eve", GOOD), ("", "")])
async def test_what_is_wrong_is_not_told(
    rights: Access, ada: Person, name: str, password: str
) -> None:
    del ada
    with pytest.raises(WrongError, match=r"^Name and password do not fit\.$"):
        await rights.logins.log_in(name, password, STRANGE)


async def test_an_unknown_name_costs_as_many_hashes_as_a_known_one(
    rights: Access, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    del ada
    compared: list[str] = []
    fits = Hasher._fits

    def counted(self: Hasher, password: str, kept: str) -> bool:
        compared.append(kept)
        return fits(self, password, kept)

    monkeypatch.setattr(Hasher, "_fits", counted)
    spent = []
    for name in ("Ada", "Nobody", "Ada", "Nobody"):
        compared.clear()
        with pytest.raises(WrongError):
            await rights.logins.log_in(name, "wrong wrong wrong", STRANGE)
        spent.append([kept.rpartition("$")[0].rpartition("$")[0] for kept in compared])
    assert spent[0] == spent[1] == spent[2] == spent[3]
    assert len(spent[0]) == 1


async def test_guessing_is_slowed_and_the_owner_gets_in(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    await rights.logins.log_in("Ada", GOOD, PHONE)
    tried = 0
    for _ in range(1000):
        clock.at += 1.0
        try:
            await rights.logins.log_in("ADA", "guess guess", STRANGE)
        except WrongError:
            tried += 1
        except TooOftenError:
            pass
    assert tried < 20
    await rights.logins.log_in("Ada", GOOD, PHONE)
    with pytest.raises(TooOftenError):
        await rights.logins.log_in("Ada", GOOD, STRANGE)
    clock.at += 900.0
    await rights.logins.log_in("Ada", GOOD, STRANGE)
    del ada


async def test_attempts_at_once_count_as_many(rights: Access, ada: Person) -> None:
    del ada
    outcomes = await asyncio.gather(
        *(rights.logins.log_in("Ada", f"guess number {n}", STRANGE) for n in range(50)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, WrongError) for each in outcomes) <= 6
    assert all(isinstance(each, WrongError | TooOftenError) for each in outcomes)


async def test_a_new_password_ends_all_sessions(rights: Access, ada: Person) -> None:
    tokens = [(await rights.logins.log_in("Ada", GOOD, PHONE))[0] for _ in range(3)]
    await rights.logins.set_password(ada.id, "another fine password")
    assert [rights.logins.by_token(token) for token in tokens] == [None] * 3
    with pytest.raises(WrongError):
        await rights.logins.log_in("Ada", GOOD, PHONE)
    await rights.logins.log_in("Ada", "another fine password", PHONE)


async def test_sessions_end_idle_at_last_with_the_account_and_its_role(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    new = NewPerson("Ivo", Role.INSTALLER, GOOD, until=clock.at + 2 * DAY_S)
    ivo = await rights.people.add(new)
    token, login = await rights.logins.log_in("Ivo", GOOD, PHONE)
    clock.at += 3599.0
    assert rights.logins.by_token(token) is not None
    await rights.logins.touch(login)
    clock.at += 3599.0
    assert rights.logins.by_token(token) is not None  # used in between
    clock.at += 2.0
    assert rights.logins.by_token(token) is None
    token, _ = await rights.logins.log_in("Ivo", GOOD, PHONE)
    await rights.people.change(ivo.id, Role.HOUSEHOLD, None)
    found = rights.logins.by_token(token)
    assert found is not None
    assert found.person.role is Role.HOUSEHOLD
    await rights.people.remove(ivo.id)
    assert rights.logins.by_token(token) is None
    del ada


async def test_an_account_that_has_ended_does_not_log_in(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    await rights.people.add(NewPerson("Ivo", Role.INSTALLER, GOOD, until=clock.at + 60.0))
    clock.at += 60.0
    with pytest.raises(WrongError):
        await rights.logins.log_in("Ivo", GOOD, PHONE)
    del ada


async def test_the_home_keeps_an_owner(rights: Access, ada: Person, clock: HeldClock) -> None:
    with pytest.raises(LastOwnerError):
        await rights.people.remove(ada.id)
    with pytest.raises(LastOwnerError):
        await rights.people.change(ada.id, Role.HOUSEHOLD, None)
    with pytest.raises(LastOwnerError):
        await rights.people.change(ada.id, Role.OWNER, clock.at + DAY_S)
    bob = await rights.people.add(NewPerson("Bob", Role.OWNER, GOOD))
    await rights.people.remove(ada.id)
    assert rights.people.all() == (bob,)


@pytest.mark.parametrize(
    "new",
    [
        NewPerson("ada", Role.HOUSEHOLD, GOOD),
        NewPerson("this machine", Role.HOUSEHOLD, GOOD),
        NewPerson("Bob", Role.HOUSEHOLD, "short"),
        NewPerson("Bob", Role.HOUSEHOLD, GOOD, until=1.0),
        NewPerson("Bob", Role.HOUSEHOLD, GOOD, until=float("inf")),
        NewPerson("Bob", Role.HOUSEHOLD, GOOD, until=float("nan")),
    ],
)
async def test_an_account_that_cannot_be_is_refused(
    rights: Access, ada: Person, new: NewPerson
) -> None:
    with pytest.raises(AccountError):
        await rights.people.add(new)
    assert rights.people.all() == (ada,)


async def test_a_password_is_hashed_anew_when_that_has_become_dearer(
    rights: Access, ada: Person, store: Store, tmp_path: Path, clock: HeldClock
) -> None:
    before = (await store.people.credentials())[0].secret
    dearer = access(store.people, store.trail, tmp_path / "code", clock, Hasher(2, 128))
    await dearer.ready()
    await dearer.logins.log_in("Ada", GOOD, PHONE)
    after = (await store.people.credentials())[0].secret
    assert "m=64,t=1" in before
    assert "m=128,t=2" in after
    await dearer.logins.log_in("Ada", GOOD, PHONE)
    assert (await store.people.credentials())[0].secret == after
    del rights, ada


async def test_tokens_end_and_are_taken_back(rights: Access, ada: Person, clock: HeldClock) -> None:
    lasting, row = await rights.tokens.make(NewToken("ha", Role.HOUSEHOLD), ada.who)
    short, _ = await rights.tokens.make(NewToken("x", Role.AUDITOR, clock.at + 60.0), HERE)
    found = rights.tokens.by_token(lasting)
    assert found is not None
    assert (found[0].name, found[0].role) == ("ha", Role.HOUSEHOLD)
    clock.at += 60.0
    assert rights.tokens.by_token(short) is None
    await rights.tokens.end(row.id)
    assert rights.tokens.by_token(lasting) is None
    with pytest.raises(UnknownError):
        await rights.tokens.end(row.id)


async def test_a_session_more_than_there_may_be_ends_the_one_not_used_for_longest(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    tokens = []
    for _ in range(21):
        clock.at += 1.0
        tokens.append((await rights.logins.open(ada, PHONE))[0])
    living = [token for token in tokens if rights.logins.by_token(token) is not None]
    assert living == tokens[1:]


async def test_the_trail_holds_until_somebody_changes_it(rights: Access, tmp_path: Path) -> None:
    for number in range(1200):
        await rights.journal.did(deed(str(number)))
    sound = await rights.journal.verify()
    assert (sound.rows, sound.broken_at) == (1200, None)
    execute(
        tmp_path / "hems.db",
        "UPDATE trail SET body = replace(body, 'Ada', 'Eve') WHERE seq = 700",
    )
    assert (await rights.journal.verify()).broken_at == 700
    execute(tmp_path / "hems.db", "DELETE FROM trail WHERE seq > 600")
    cut = await rights.journal.verify(sound.link)
    assert (cut.rows, cut.broken_at, cut.known) == (600, None, False)


async def test_the_trail_fades_with_age_and_holds_all_the_same(
    rights: Access, store: Store, clock: HeldClock
) -> None:
    await rights.journal.did(deed("old"))
    clock.at += 40 * DAY_S
    await rights.journal.did(deed("less old"))
    clock.at += KEPT_S - 39 * DAY_S
    await rights.journal.did(deed("new"))
    shown = await rights.journal.newest(10)
    assert [each.deed and each.deed.about for each in shown] == ["new", "less old", None]
    assert (await rights.journal.verify()).broken_at is None
    assert len([row async for row in store.trail.rows()]) == 3


async def test_a_clock_set_wrong_once_takes_a_month_of_the_trail_at_most(
    rights: Access, clock: HeldClock
) -> None:
    for _ in range(10):
        await rights.journal.did(deed())
        clock.at += 10 * DAY_S
    clock.at += 100 * KEPT_S
    await rights.journal.did(deed())
    shown = await rights.journal.newest(20)
    assert sum(each.deed is None for each in shown) == 4


async def test_looks_are_folded_and_a_flood_of_refusals_is_bounded(
    rights: Access, clock: HeldClock
) -> None:
    for _ in range(50):
        await rights.journal.saw(deed("day=2026-01-01", 200))
    for number in range(1000):
        await rights.journal.refused(deed(str(number), 403))
    shown = await rights.journal.newest(500)
    assert len(shown) == 1 + MOST_REFUSALS
    clock.at += 3600.0
    await rights.journal.saw(deed("day=2026-01-01", 200))
    await rights.journal.refused(deed("later", 403))
    assert len(await rights.journal.newest(500)) == 3 + MOST_REFUSALS


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_token_file_that_others_can_touch_proves_nothing(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    private_file.write(path, "secret")
    assert private_file.read(path) == "secret"
    path.chmod(mode)
    with pytest.raises(private_file.ExposedError):
        private_file.read(path)


def test_a_token_file_is_written_over_no_link_and_whatever_the_umask(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "token"
    target.write_text("mine")
    path.symlink_to(target)
    before = os.umask(0)
    try:
        private_file.write(path, "secret")
    finally:
        os.umask(before)
    assert target.read_text() == "mine"
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    other = tmp_path / "other"
    other.symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        private_file.read(other)


async def test_a_flood_of_strangers_does_not_take_the_owner_s_turn(
    rights: Access, ada: Person
) -> None:
    """Passwords are hashed one at a time, and from many addresses there may be many at once."""
    known = await rights.browsers.remember(ada.id, "")

    async def stranger(number: int) -> type[Exception]:
        place = Place(f"192.168.1.{number}", near=True)
        with pytest.raises((WrongError, TooOftenError)) as caught:
            await rights.logins.log_in("Ada", "a wrong one", place)
        return caught.type

    places = (replace(STRANGE, browser=known), replace(STRANGE, here=True))
    *found, _, _ = await asyncio.gather(
        *(stranger(number) for number in range(40)),
        *(rights.logins.log_in("Ada", GOOD, place) for place in places),
    )
    assert TooOftenError in found
