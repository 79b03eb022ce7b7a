"""Second factors over a real store: codes, passkeys, and losing them all."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.access import totp
from hems.access.access import Access
from hems.access.challenges import LASTS_S, Challenges
from hems.access.errors import AccountError, SecondError, TooOftenError, UnknownError, WrongError
from hems.access.passkeys import Signed, Site
from hems.access.people import NewPerson, Person
from hems.access.proofs import Place
from hems.access.rights import Right, Role
from hems.security_event import EventKind
from tests.hems.access.authenticator import PRESENT, Phone, text
from tests.hems.access.conftest import Heard
from tests.hems.store.conftest import HeldClock

pytestmark = pytest.mark.requirement("PRV-RBAC", "L1-ACCESS")

GOOD = "correct horse battery"
PHONE = Place("192.168.1.20", "Phone", near=True)
STRANGE = Place("203.0.113.7", "Curl")
SITE = Site("hems.local", "https://hems.local")


@pytest.fixture
async def ada(rights: Access) -> Person:
    return await rights.first(NewPerson("Ada", Role.OWNER, GOOD), PHONE, None)


async def with_app(rights: Access, person: Person, clock: HeldClock) -> tuple[str, list[str]]:
    """Give somebody an app for codes; returns its secret and their recovery codes."""
    address = rights.factors.begin(person)
    secret = address.partition("secret=")[2].partition("&")[0]
    codes = await rights.factors.confirm(person, totp.code_at(secret, clock.at))
    clock.at += totp.STEP_S
    return secret, list(codes)


async def with_passkey(rights: Access, person: Person) -> Phone:
    phone = Phone(SITE.origin)
    asked = rights.passkeys.begin_add(person, 1, SITE)
    await rights.passkeys.add(person, 1, SITE, phone.make(asked), "my phone")
    return phone


@given(at=st.integers(0, 4_000_000_000), off=st.integers(-5, 5), last=st.integers(-6, 6))
def test_a_code_counts_once_and_near_its_time_alone(at: int, off: int, last: int) -> None:
    """The oracle: compare with each step's code, and with which was used before."""
    present = at // totp.STEP_S
    kept = totp.Kept(secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", step=present + last)
    typed_at = max(0, at + off * totp.STEP_S)
    typed = totp.code_at(kept.secret, typed_at)
    fits = [
        step
        for step in range(max(0, present - 1), present + 2)
        if step > kept.step and totp.code_at(kept.secret, step * totp.STEP_S) == typed
    ]
    found = totp.step_of(kept, typed, float(at))
    assert (found in fits) if fits else found is None


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "-12345"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert totp.step_of(totp.Kept(secret=totp.make(), step=-1), typed, 1e9) is None


async def test_a_password_alone_is_not_enough_with_an_app(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    secret, codes = await with_app(rights, ada, clock)
    assert len(set(codes)) == 10
    with pytest.raises(SecondError, match="code"):
        await rights.logins.log_in("Ada", GOOD, PHONE)
    code = totp.code_at(secret, clock.at)
    await rights.logins.log_in("Ada", GOOD, PHONE, code)
    with pytest.raises(WrongError, match="used before"):
        await rights.logins.log_in("Ada", GOOD, PHONE, code)
    with pytest.raises(WrongError, match=r"^Name and password do not fit\.$"):
        await rights.logins.log_in("Ada", "wrong", PHONE, totp.code_at(secret, clock.at + 30))


async def test_a_recovery_code_counts_once_however_it_is_typed(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    _, codes = await with_app(rights, ada, clock)
    typed = codes[3].lower().replace("-", " ")
    await rights.logins.log_in("Ada", GOOD, PHONE, typed)
    assert rights.factors.of(ada.id).codes == 9
    with pytest.raises(WrongError):
        await rights.logins.log_in("Ada", GOOD, PHONE, codes[3])
    fresh = await rights.factors.new_codes(ada)
    with pytest.raises(WrongError):
        await rights.logins.log_in("Ada", GOOD, PHONE, codes[4])
    await rights.logins.log_in("Ada", GOOD, PHONE, fresh[0])


async def test_codes_are_not_guessed_by_who_has_the_password(
    rights: Access, ada: Person, clock: HeldClock, heard: Heard
) -> None:
    """From a new address each time, for a day: a million codes, three of them right at a time."""
    secret, _ = await with_app(rights, ada, clock)
    tried = 0
    for number in range(8640):
        clock.at += 10.0
        place = Place(f"203.{number // 62_500}.{number // 250 % 250}.{number % 250}")
        try:
            await rights.logins.log_in("Ada", GOOD, place, "000000")
        except TooOftenError:
            continue
        except WrongError:
            tried += 1
    assert tried < 350
    kinds = {(e.kind, e.about) for e in heard.events}
    assert {(EventKind.LOGIN_FAILED, "Ada"), (EventKind.LOGIN_BLOCKED, "Ada")} <= kinds
    known = await rights.browsers.remember(ada.id, "")
    hers = replace(STRANGE, browser=known)
    await rights.logins.log_in("Ada", GOOD, hers, totp.code_at(secret, clock.at))


async def test_a_missing_code_excuses_no_guesses(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    await with_app(rights, ada, clock)
    wrong = 0
    for _ in range(12):
        for password in (GOOD, "guess guess"):
            try:
                await rights.logins.log_in("Ada", password, STRANGE)
            except SecondError:
                continue
            except TooOftenError:
                continue
            except WrongError:
                wrong += 1
    assert wrong == 5


async def test_what_was_begun_counts_for_nothing_before_its_first_code(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    rights.factors.begin(ada)
    with pytest.raises(WrongError):
        await rights.factors.confirm(ada, "123")
    await rights.logins.log_in("Ada", GOOD, PHONE)
    address = rights.factors.begin(ada)
    secret = address.partition("secret=")[2].partition("&")[0]
    clock.at += 901.0
    with pytest.raises(WrongError, match="too long"):
        await rights.factors.confirm(ada, totp.code_at(secret, clock.at))


async def test_without_a_factor_the_password_is_enough_again(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    await with_app(rights, ada, clock)
    with pytest.raises(AccountError, match="already"):
        rights.factors.begin(ada)
    await rights.factors.remove_app(ada)
    assert rights.factors.of(ada.id).codes == 0
    await rights.logins.log_in("Ada", GOOD, PHONE)
    with pytest.raises(UnknownError):
        await rights.factors.remove_app(ada)


async def test_a_passkey_alone_is_a_whole_login(rights: Access, ada: Person) -> None:
    phone = await with_passkey(rights, ada)
    token, _ = await rights.logins.log_in_by_passkey(
        SITE, phone.sign(rights.passkeys.begin_login(SITE)), PHONE
    )
    login = rights.logins.by_token(token)
    assert login is not None
    assert login.person == ada
    (view,) = rights.passkeys.of(ada.id)
    assert (view.name, view.site, view.used_at is not None) == ("my phone", "hems.local", True)
    with pytest.raises(SecondError):
        await rights.logins.log_in("Ada", GOOD, PHONE)


def changed(signed: Signed) -> Signed:
    return replace(signed, signature=text(b"\x30\x06\x02\x01\x01\x02\x01\x01"))


@pytest.mark.parametrize(
    ("phone", "spoil"),
    [
        pytest.param({"origin": "https://evil.example"}, None, id="another page"),
        pytest.param({"origin": "http://hems.local"}, None, id="without HTTPS"),
        pytest.param({"site": "evil.example"}, None, id="another site's passkey"),
        pytest.param({"flags": PRESENT}, None, id="nobody looked who holds it"),
        pytest.param({"flags": 0}, None, id="nobody there"),
        pytest.param({"credential": b"unknown"}, None, id="unknown"),
        pytest.param({}, changed, id="another signature"),
        pytest.param({}, lambda s: replace(s, client_data=""), id="nothing said"),
        pytest.param({}, lambda s: replace(s, client_data="%%%"), id="no base64"),
        pytest.param({}, lambda s: replace(s, client_data=text(b"[1")), id="no JSON"),
        pytest.param({}, lambda s: replace(s, client_data=text(b"[" * 9999)), id="deep JSON"),
        pytest.param({}, lambda s: replace(s, authenticator_data=""), id="no data"),
        pytest.param({}, lambda s: replace(s, authenticator_data="AAAA"), id="short data"),
        pytest.param({}, lambda s: replace(s, signature="A"), id="odd base64"),
    ],
)
async def test_what_is_no_answer_of_a_passkey_lets_nobody_in(
    rights: Access,
    ada: Person,
    heard: Heard,
    phone: dict[str, object],
    spoil: Callable[[Signed], Signed] | None,
) -> None:
    good = await with_passkey(rights, ada)
    for name, value in phone.items():
        setattr(good, name, value)
    signed = good.sign(rights.passkeys.begin_login(SITE))
    with pytest.raises(WrongError):
        await rights.logins.log_in_by_passkey(
            SITE, signed if spoil is None else spoil(signed), STRANGE
        )
    assert heard.events[-1].kind is EventKind.LOGIN_FAILED


async def test_an_answer_counts_once_soon_and_for_what_it_was_asked_for(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    phone = await with_passkey(rights, ada)
    _, login = await rights.logins.log_in_by_passkey(
        SITE, phone.sign(rights.passkeys.begin_login(SITE)), PHONE
    )
    signed = phone.sign(rights.passkeys.begin_login(SITE))
    await rights.logins.log_in_by_passkey(SITE, signed, PHONE)
    late, proof = (
        phone.sign(rights.passkeys.begin_login(SITE)),
        phone.sign(rights.passkeys.begin_proof(ada.id, login.session.id, SITE)),
    )
    other = phone.sign(rights.passkeys.begin_proof(ada.id, login.session.id + 1, SITE))
    for refused in (signed, proof):
        with pytest.raises(WrongError):
            await rights.logins.log_in_by_passkey(SITE, refused, PHONE)
    with pytest.raises(WrongError):
        await rights.logins.confirm_by_passkey(login, SITE, other, PHONE)
    clock.at += LASTS_S
    with pytest.raises(WrongError, match="too long"):
        await rights.logins.log_in_by_passkey(SITE, late, PHONE)


async def test_a_copy_of_a_passkey_is_noticed(rights: Access, ada: Person) -> None:
    phone = await with_passkey(rights, ada)
    await rights.logins.log_in_by_passkey(
        SITE, phone.sign(rights.passkeys.begin_login(SITE)), PHONE
    )
    phone.steps = 0
    with pytest.raises(WrongError, match="copy"):
        await rights.logins.log_in_by_passkey(
            SITE, phone.sign(rights.passkeys.begin_login(SITE)), PHONE
        )


async def test_a_passkey_that_does_not_count_lasts(rights: Access, ada: Person) -> None:
    """Those that are shared between a person's devices say 0 each time (WebAuthn 2, 6.1.1)."""
    phone = await with_passkey(rights, ada)
    phone.steps = 0
    for _ in range(2):
        await rights.logins.log_in_by_passkey(
            SITE, phone.sign(rights.passkeys.begin_login(SITE)), PHONE
        )


async def test_a_passkey_of_somebody_else_proves_nothing(rights: Access, ada: Person) -> None:
    bob = await rights.people.add(NewPerson("Bob", Role.HOUSEHOLD, GOOD))
    phone = await with_passkey(rights, bob)
    _, login = await rights.logins.log_in("Ada", GOOD, PHONE)
    asked = rights.passkeys.begin_proof(ada.id, login.session.id, SITE)
    with pytest.raises(WrongError):
        await rights.logins.confirm_by_passkey(login, SITE, phone.sign(asked), PHONE)
    with pytest.raises(UnknownError):
        await rights.passkeys.remove(ada.id, rights.passkeys.of(bob.id)[0].id)
    again = rights.passkeys.begin_add(ada, 1, SITE)
    with pytest.raises(AccountError, match="known already"):
        await rights.passkeys.add(ada, 1, SITE, phone.make(again), "stolen")


async def test_passkeys_of_an_account_that_ended_let_nobody_in(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    new = NewPerson("Ivo", Role.INSTALLER, GOOD, until=clock.at + 60.0)
    phone = await with_passkey(rights, await rights.people.add(new))
    asked = rights.passkeys.begin_login(SITE)
    clock.at += 60.0
    with pytest.raises(WrongError, match="not known"):
        await rights.logins.log_in_by_passkey(SITE, phone.sign(asked), PHONE)
    del ada


async def test_a_proof_renews_the_session_and_the_old_token_proves_nothing(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    token, login = await rights.logins.log_in("Ada", GOOD, PHONE)
    clock.at += 301.0
    assert not rights.logins.proved(login)
    fresh, renewed = await rights.logins.confirm(login, GOOD, PHONE)
    assert fresh != token
    assert renewed.session.id == login.session.id
    assert rights.logins.proved(renewed)
    before = rights.logins.by_token(token)
    assert before is not None, "what was under way may end"
    assert not rights.logins.proved(before)
    clock.at += 30.0
    assert rights.logins.by_token(token) is None
    assert rights.logins.by_token(fresh) is not None
    del ada


async def test_a_renewed_session_that_is_ended_has_ended_by_either_token(
    rights: Access, ada: Person
) -> None:
    token, login = await rights.logins.log_in("Ada", GOOD, PHONE)
    fresh, _ = await rights.logins.confirm(login, GOOD, PHONE)
    await rights.logins.end_all(ada.id)
    assert rights.logins.by_token(token) is None
    assert rights.logins.by_token(fresh) is None


async def test_the_owner_gets_back_in_with_everything_lost(
    rights: Access, ada: Person, clock: HeldClock, heard: Heard
) -> None:
    await with_app(rights, ada, clock)
    phone = await with_passkey(rights, ada)
    token, _ = await rights.logins.log_in_by_passkey(
        SITE, phone.sign(rights.passkeys.begin_login(SITE)), PHONE
    )
    with pytest.raises(AccountError):
        await rights.recover(ada.id, "short")
    assert rights.factors.of(ada.id).second, "nothing is lost by a bad password"
    await rights.recover(ada.id, "another fine password")
    assert rights.logins.by_token(token) is None
    await rights.logins.log_in("Ada", "another fine password", PHONE)
    with pytest.raises(WrongError):
        await rights.logins.log_in_by_passkey(
            SITE, phone.sign(rights.passkeys.begin_login(SITE)), PHONE
        )
    assert [text for text in heard.alarms if "recovered" in text]
    assert any("recovered" in event.text for event in heard.events)


async def test_a_role_that_needs_a_second_factor_does_nothing_without(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    kim = await rights.people.add(NewPerson("Kim", Role.HOUSEHOLD, GOOD))
    await rights.require([Role.HOUSEHOLD])
    assert rights.lacks(kim)
    assert not rights.lacks(ada)
    assert rights.who(kim).all_rights == {Right.ANYBODY}
    assert not rights.told("Kim")
    await with_app(rights, kim, clock)
    assert rights.who(kim).may(Right.STEER)
    await rights.require([])
    assert rights.policy.roles == frozenset()


def test_many_challenges_make_nobody_s_be_forgotten() -> None:
    clock = HeldClock()
    challenges = Challenges(clock)
    first = challenges.make("log in")
    for _ in range(10_000):
        challenges.make("log in")
    challenges.check(first, "log in")
    for wrong in (b"", first[:-1], first + b"x", bytes(len(first))):
        with pytest.raises(WrongError):
            challenges.check(wrong, "log in")
    with pytest.raises(WrongError):
        Challenges(clock).check(first, "log in")


async def test_codes_tried_at_once_from_everywhere_count_as_many(
    rights: Access, ada: Person, clock: HeldClock
) -> None:
    """Passwords are hashed one at a time: many may wait for that before a code is looked at."""
    await with_app(rights, ada, clock)

    async def attempt(number: int) -> type[Exception] | None:
        place = Place(f"192.168.1.{number}", near=True)
        try:
            await rights.logins.log_in("Ada", GOOD, place, "000000")
        except (WrongError, TooOftenError) as error:
            return type(error)
        return None

    found = await asyncio.gather(*(attempt(number) for number in range(8)))
    assert found.count(WrongError) <= 5
    assert None not in found
