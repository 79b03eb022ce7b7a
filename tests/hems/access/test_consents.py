"""What parties may do beyond their roles, and tokens that may do less; and until when."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.access.access import Access, access
from hems.access.consent_rules import FITS, LONGEST_S, Consent, ConsentPurpose, added, check
from hems.access.consents import NewConsent
from hems.access.errors import AccountError, UnknownError
from hems.access.passwords import Hasher
from hems.access.people import NewPerson, Person
from hems.access.proofs import Place
from hems.access.rights import PARTIES, RIGHTS, Right, Role
from hems.access.tokens import NewToken
from hems.security_event import EventKind
from hems.store.store import Store
from tests.hems.access.conftest import WEAK, Heard
from tests.hems.store.conftest import HeldClock

pytestmark = pytest.mark.requirement("PRV-RBAC", "L1-ACCESS")

GOOD = "correct horse battery"
PHONE = Place("192.168.1.20", "Phone", near=True)
DAY_S = 86_400.0
UNUSED = Path("unused")
ALL = frozenset({Right.HISTORY, Right.STEER, Right.AGREE})


@pytest.fixture
async def ada(rights: Access) -> Person:
    return await rights.first(NewPerson("Ada", Role.OWNER, GOOD), PHONE, None)


@pytest.fixture
async def pia(rights: Access, ada: Person) -> Person:
    del ada
    return await rights.people.add(NewPerson("Pia", Role.PROVIDER, GOOD))


def flexibility(person: Person, until: float, rights: frozenset[Right] = ALL) -> NewConsent:
    return NewConsent(person.id, ConsentPurpose.FLEXIBILITY, rights, until)


@pytest.mark.parametrize(
    ("role", "purpose", "rights", "lasts_s"),
    [
        (Role.OWNER, ConsentPurpose.ADVICE, {Right.HISTORY}, DAY_S),
        (Role.HOUSEHOLD, ConsentPurpose.ADVICE, {Right.HISTORY}, DAY_S),
        (Role.AUDITOR, ConsentPurpose.ADVICE, {Right.HISTORY}, DAY_S),
        (Role.PROVIDER, ConsentPurpose.ADVICE, set(), DAY_S),
        (Role.PROVIDER, ConsentPurpose.ADVICE, {Right.STEER}, DAY_S),
        (Role.PROVIDER, ConsentPurpose.SETTLEMENT, {Right.HISTORY, Right.AGREE}, DAY_S),
        (Role.PROVIDER, ConsentPurpose.FLEXIBILITY, {Right.OWN}, DAY_S),
        (Role.PROVIDER, ConsentPurpose.FLEXIBILITY, {Right.GRANT}, DAY_S),
        (Role.PROVIDER, ConsentPurpose.FLEXIBILITY, {Right.AUDIT}, DAY_S),
        (Role.PROVIDER, ConsentPurpose.ADVICE, {Right.HISTORY}, 0.0),
        (Role.PROVIDER, ConsentPurpose.ADVICE, {Right.HISTORY}, -1.0),
        (Role.PROVIDER, ConsentPurpose.ADVICE, {Right.HISTORY}, LONGEST_S + 1.0),
        (Role.PROVIDER, ConsentPurpose.ADVICE, {Right.HISTORY}, float("nan")),
        (Role.PROVIDER, ConsentPurpose.ADVICE, {Right.HISTORY}, float("inf")),
    ],
)
def test_a_consent_that_makes_no_sense_is_refused(
    role: Role, purpose: ConsentPurpose, rights: set[Right], lasts_s: float
) -> None:
    with pytest.raises(AccountError):
        check(role, purpose, rights, 1000.0 + lasts_s, 1000.0)


def test_no_purpose_gives_what_is_the_owner_s_alone() -> None:
    own = {Right.SET_UP, Right.AUDIT, Right.GRANT, Right.OWN}
    assert not own & frozenset[Right]().union(*FITS.values())
    assert set(FITS) == set(ConsentPurpose)
    assert all(not RIGHTS[role] & ALL for role in PARTIES), "there is something to consent to"


@st.composite
def some_consents(draw: st.DrawFn) -> list[Consent]:
    times = st.integers(0, 6).map(float)
    return [
        Consent(
            id=number,
            person=draw(st.integers(1, 2)),
            name="Pia",
            purpose=ConsentPurpose.FLEXIBILITY,
            rights=draw(st.frozensets(st.sampled_from(sorted(ALL)), min_size=1)),
            granted_by="Ada",
            granted_at=draw(times),
            until=draw(times),
            withdrawn_at=draw(st.none() | times),
        )
        for number in range(1, draw(st.integers(0, 5)) + 1)
    ]


@given(some_consents(), st.integers(0, 7))
def test_what_is_allowed_is_what_some_consent_says_now(consents: list[Consent], now: int) -> None:
    found = dict(added(consents, 1, float(now)))
    for right in Right:
        holding = [
            c.id
            for c in consents
            if c.person == 1 and right in c.rights and c.withdrawn_at is None
            if c.granted_at <= now < c.until
        ]
        assert found.get(right) == (min(holding) if holding else None)


async def test_a_party_sees_and_steers_by_consent_until_it_ends(
    rights: Access, ada: Person, pia: Person, clock: HeldClock, store: Store
) -> None:
    assert not rights.who(pia).may(Right.HISTORY)
    made = await rights.grant(flexibility(pia, clock.at + DAY_S), ada.who)
    who = rights.who(pia)
    assert who.all_rights == RIGHTS[Role.PROVIDER] | ALL
    assert who.consent_for(Right.STEER) == made.id
    assert who.consent_for(Right.SEE) is None
    again = access(store.people, store.trail, UNUSED, clock, Hasher(*WEAK))
    await again.people.ready()
    await again.consents.ready()
    assert again.who(pia).may(Right.AGREE), "after a restart"
    clock.at += DAY_S
    assert not rights.who(pia).may(Right.HISTORY)


async def test_what_is_taken_back_ends_at_once_with_its_sessions(
    rights: Access, ada: Person, pia: Person, clock: HeldClock, heard: Heard
) -> None:
    made = await rights.grant(flexibility(pia, clock.at + DAY_S), ada.who)
    token, _ = await rights.logins.log_in("Pia", GOOD, PHONE)
    order = NewToken("app", Role.PROVIDER, rights=frozenset({Right.STEER}), person=pia.id)
    program, _ = await rights.tokens.make(order, ada.who)
    found = rights.tokens.by_token(program)
    assert found is not None
    assert found[0].may(Right.STEER)
    assert found[0].consent_for(Right.STEER) == made.id
    assert not found[0].may(Right.HISTORY)
    await rights.withdraw(made.id)
    assert rights.logins.by_token(token) is None
    held = rights.tokens.by_token(program)
    assert held is not None
    assert held[0].all_rights == {Right.ANYBODY}
    (row,) = rights.consents.all()
    assert row.withdrawn_at == clock.at
    clock.at -= 10 * DAY_S
    assert not rights.who(pia).may(Right.STEER), "a clock set back wakes nothing"
    with pytest.raises(UnknownError):
        await rights.withdraw(99)
    told = [each.text for each in heard.events if each.kind is EventKind.ACCOUNT_CHANGED]
    assert any("taken back" in text for text in told)


async def test_an_account_s_tokens_and_consents_go_with_it(
    rights: Access, ada: Person, pia: Person, clock: HeldClock, store: Store
) -> None:
    await rights.grant(flexibility(pia, clock.at + DAY_S), ada.who)
    token, _ = await rights.tokens.make(NewToken("app", Role.PROVIDER, person=pia.id), ada.who)
    await rights.remove(pia.id)
    assert rights.tokens.by_token(token) is None
    assert list(await store.people.tokens()) == []
    assert not any(rights.consents.holds(each) for each in rights.consents.all())


async def test_a_party_s_account_ends_and_its_tokens_and_consents_with_it(
    rights: Access, ada: Person, pia: Person, clock: HeldClock
) -> None:
    assert pia.until == clock.at + 366 * DAY_S, "it ends even where nobody says when"
    pia = await rights.change(pia.id, Role.PROVIDER, clock.at + DAY_S)
    made = await rights.grant(flexibility(pia, clock.at + 9 * DAY_S), ada.who)
    assert made.until == pia.until
    token, _ = await rights.tokens.make(NewToken("app", Role.PROVIDER, person=pia.id), ada.who)
    assert rights.tokens.by_token(token) is not None
    assert rights.tokens.alive("app")
    clock.at += DAY_S
    assert rights.tokens.by_token(token) is None
    assert not rights.tokens.alive("app")
    with pytest.raises(AccountError):
        await rights.change(pia.id, Role.PROVIDER, clock.at + 3 * 366 * DAY_S)


async def test_another_role_is_another_matter(
    rights: Access, ada: Person, pia: Person, clock: HeldClock
) -> None:
    await rights.grant(flexibility(pia, clock.at + DAY_S), ada.who)
    token, _ = await rights.logins.log_in("Pia", GOOD, PHONE)
    pia = await rights.change(pia.id, Role.AGGREGATOR, None)
    assert rights.logins.by_token(token) is None
    assert rights.who(pia).all_rights == RIGHTS[Role.AGGREGATOR]


@pytest.mark.parametrize(
    ("network", "address", "inside"),
    [
        ("", "203.0.113.9", True),
        ("192.168.1.0/24", "192.168.1.7", True),
        ("192.168.1.0/24", "::ffff:192.168.1.7", True),
        ("192.168.1.9/24", "192.168.2.7", False),
        ("192.168.1.7", "192.168.1.7", True),
        ("192.168.1.7", "192.168.1.8", False),
        ("2001:db8::/64", "2001:db8::5", True),
        ("2001:db8::/64", "192.168.1.7", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("192.168.1.0/24", "", False),
    ],
)
async def test_a_token_works_in_its_network_alone(
    rights: Access, ada: Person, heard: Heard, network: str, address: str, *, inside: bool
) -> None:
    order = NewToken("ha", Role.HOUSEHOLD, network=network)
    token, _ = await rights.tokens.make(order, ada.who)
    assert (rights.tokens.by_token(token, address) is not None) == inside
    failed = [each for each in heard.events if each.kind is EventKind.LOGIN_FAILED]
    assert [(each.about, each.source) for each in failed] == ([] if inside else [("ha", address)])


@pytest.mark.parametrize(
    "new",
    [
        NewToken("x", Role.HOUSEHOLD, rights=frozenset()),
        NewToken("x", Role.HOUSEHOLD, rights=frozenset({Right.ANYBODY})),
        NewToken("x", Role.HOUSEHOLD, rights=frozenset({Right.OWN})),
        NewToken("x", Role.HOUSEHOLD, network="here"),
        NewToken("x", Role.HOUSEHOLD, network="300.1.1.1"),
        NewToken("x", Role.HOUSEHOLD, person=99),
        NewToken("x", Role.AUDITOR, person=1),
    ],
)
async def test_a_token_that_cannot_be_is_refused(
    rights: Access, ada: Person, new: NewToken
) -> None:
    with pytest.raises(AccountError):
        await rights.tokens.make(new, ada.who)
    assert rights.tokens.all() == ()


async def test_nobody_makes_a_token_that_may_do_more_than_they(
    rights: Access, ada: Person, pia: Person
) -> None:
    with pytest.raises(AccountError, match="more than they may"):
        await rights.tokens.make(NewToken("x", Role.HOUSEHOLD), pia.who)
    del ada


async def test_scopes_are_kept(rights: Access, ada: Person, store: Store, clock: HeldClock) -> None:
    order = NewToken("x", Role.HOUSEHOLD, rights=frozenset({Right.SEE, Right.HISTORY}))
    token, _ = await rights.tokens.make(order, ada.who)
    again = access(store.people, store.trail, UNUSED, clock, Hasher(*WEAK))
    await again.tokens.ready()
    found = again.tokens.by_token(token)
    assert found is not None
    assert found[0].all_rights == {Right.ANYBODY, Right.SEE, Right.HISTORY}


async def test_what_is_taken_back_after_its_end_stays_so_when_the_clock_is_put_right(
    rights: Access, ada: Person, pia: Person, clock: HeldClock, store: Store
) -> None:
    made = await rights.grant(flexibility(pia, clock.at + DAY_S), ada.who)
    clock.at += 2 * DAY_S  # it is wrong by two days
    await rights.withdraw(made.id)
    clock.at -= 2 * DAY_S
    assert not rights.who(pia).may(Right.STEER)
    again = access(store.people, store.trail, UNUSED, clock, Hasher(*WEAK))
    await again.ready()
    assert not again.who(pia).may(Right.STEER)


@pytest.mark.parametrize("role", [Role.OWNER, Role.HOUSEHOLD, Role.INSTALLER])
async def test_an_account_that_becomes_more_does_not_make_its_programs_more(
    rights: Access, ada: Person, pia: Person, role: Role
) -> None:
    token, _ = await rights.tokens.make(NewToken("app", Role.PROVIDER, person=pia.id), ada.who)
    await rights.change(pia.id, role, None)
    found = rights.tokens.by_token(token)
    assert found is not None
    assert found[0].all_rights <= RIGHTS[Role.PROVIDER] & RIGHTS[role]
