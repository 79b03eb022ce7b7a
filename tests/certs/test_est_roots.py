"""Which roots are believed while a CA changes its own: every row a way to be wrong about it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import issue
from certs.est.roots import Anchors, current, learned, to_be_left
from certs.issue import Authority, Validity
from tests.examples import examples

pytestmark = pytest.mark.requirement("L3-ROOT", "L2-KEYS")

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OVERLAP = 100 * DAY


def root(name: str, began: datetime, lasting: timedelta = 5000 * DAY) -> Authority:
    return issue.issue_authority(name, Validity(began, began + lasting), path_length=2)


@dataclass(frozen=True)
class Change:
    """A root that follows another, and what ties them."""

    old: Authority
    new: Authority
    to_new: x509.Certificate
    to_old: x509.Certificate

    @property
    def given(self) -> list[x509.Certificate]:
        return [self.new.certificate, self.old.certificate, self.to_new, self.to_old]

    @property
    def both(self) -> tuple[x509.Certificate, ...]:
        return (self.new.certificate, self.old.certificate)


def change(old: Authority, new: Authority) -> Change:
    ties = Validity(NOW, NOW + OVERLAP)
    return Change(
        old,
        new,
        issue.recertify(old, new.certificate, ties),
        issue.recertify(new, old.certificate, ties),
    )


OLD = root("old", NOW - 2000 * DAY)
CHANGE = change(OLD, root("new", NOW))
STRANGE = change(root("old", NOW - 2000 * DAY), root("evil", NOW))
HELD = Anchors((OLD.certificate,))


def test_a_new_root_is_learned_by_the_signature_of_the_old() -> None:
    found = learned(HELD, CHANGE.given, (), NOW + DAY)
    assert found.roots == CHANGE.both
    assert set(found.links) == {CHANGE.to_new, CHANGE.to_old}
    assert learned(found, CHANGE.given, (), NOW + DAY) == found, "asked again: the same"


def test_who_begins_with_the_new_root_learns_the_old_from_it() -> None:
    found = learned(Anchors((CHANGE.new.certificate,)), CHANGE.given, (), NOW + DAY)
    assert found.roots == CHANGE.both


TWIN = issue.issue_authority(
    "new", Validity(NOW, NOW + OVERLAP), path_length=2, key=issue.new_key()
)
NO_CA = issue.issue_service(
    OLD, CHANGE.new.key.public_key(), "new", [], Validity(NOW, NOW + OVERLAP)
)


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ([CHANGE.new.certificate], "nothing vouches for it"),
        ([CHANGE.new.certificate, CHANGE.to_old], "its own word for the old one is none"),
        (STRANGE.given, "a stranger of the old one's name has signed it"),
        ([STRANGE.new.certificate, CHANGE.to_new], "the word is for another key"),
        ([TWIN.certificate, CHANGE.to_new], "the word is for another key of the same name"),
        ([CHANGE.to_new, CHANGE.to_old], "the root itself is not there"),
        ([CHANGE.new.certificate, NO_CA], "the word is for no CA"),
    ],
)
def test_a_root_that_the_old_one_did_not_sign_is_not_believed(
    given_: list[x509.Certificate], why: str
) -> None:
    assert learned(HELD, given_, (), NOW + DAY).roots == HELD.roots, why


@pytest.mark.parametrize(
    ("at", "count"),
    [
        (NOW - timedelta(seconds=1), 1),
        (NOW, 2),
        (NOW + OVERLAP, 2),
        (NOW + OVERLAP + timedelta(seconds=1), 1),
    ],
)
def test_the_word_counts_in_its_time_only(at: datetime, count: int) -> None:
    assert len(learned(HELD, CHANGE.given, (), at).roots) == count


def test_an_old_root_that_has_ended_vouches_for_nobody() -> None:
    over = root("over", NOW - 2000 * DAY, 1999 * DAY)
    found = change(over, root("next", NOW))
    assert learned(Anchors((over.certificate,)), found.given, (), NOW + DAY).roots == (
        over.certificate,
    )


def test_a_word_that_was_taken_back_counts_no_more() -> None:
    taken = issue.revocation(CHANGE.to_new.serial_number, NOW)
    crl = issue.issue_crl(OLD, [taken], NOW, DAY)
    assert learned(HELD, CHANGE.given, [crl], NOW + DAY).roots == HELD.roots


@pytest.mark.parametrize(
    ("after", "left", "roots"),
    [
        (DAY, False, CHANGE.both),
        (OVERLAP / 2 - DAY, False, CHANGE.both),
        (OVERLAP / 2, True, CHANGE.both),
        (OVERLAP, True, CHANGE.both),
        (OVERLAP + DAY, True, CHANGE.both[:1]),
    ],
)
def test_the_old_root_is_left_from_half_time_on_and_forgotten_at_the_end(
    after: timedelta, left: bool, roots: tuple[x509.Certificate, ...]
) -> None:
    both = learned(HELD, CHANGE.given, (), NOW + DAY)
    at = NOW + after
    assert to_be_left(OLD.certificate, both, at) is left
    assert not to_be_left(CHANGE.new.certificate, both, at)
    found = current(both, at)
    assert found.roots == roots
    assert bool(found.links) is (len(roots) == 2)
    assert learned(found, CHANGE.given, (), at).roots == roots, "it does not come back"


def test_the_old_root_cannot_end_the_new_one() -> None:
    ends = issue.recertify(OLD, CHANGE.new.certificate, Validity(NOW - 9 * DAY, NOW - 8 * DAY))
    both = learned(HELD, CHANGE.given, (), NOW)
    assert learned(both, [*CHANGE.given, ends], (), NOW).roots == CHANGE.both


def test_a_later_word_makes_the_old_root_last_longer() -> None:
    longer = issue.recertify(CHANGE.new, OLD.certificate, Validity(NOW, NOW + 2 * OVERLAP))
    both = learned(HELD, [*CHANGE.given, longer], (), NOW)
    assert len(current(both, NOW + OVERLAP + DAY).roots) == 2
    assert len(current(both, NOW + 2 * OVERLAP + DAY).roots) == 1


def test_two_changes_one_after_another_are_followed_in_one_step() -> None:
    third = change(CHANGE.new, root("third", NOW + timedelta(seconds=9)))
    found = learned(HELD, [*third.given, *CHANGE.given], (), NOW + DAY)
    assert found.roots == (third.new.certificate, *CHANGE.both)


POOL = [
    *CHANGE.given,
    *STRANGE.given,
    TWIN.certificate,
    NO_CA,
    issue.recertify(OLD, STRANGE.old.certificate, Validity(NOW - 9 * DAY, NOW - 8 * DAY)),
]


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(st.sampled_from(POOL), max_size=12),
    st.lists(st.integers(-50, 250), min_size=1, max_size=5),
)
def test_whatever_a_server_says_only_the_two_are_ever_believed(
    said: list[x509.Certificate], days: list[int]
) -> None:
    held = HELD
    for each in sorted(days):
        held = learned(held, said, (), NOW + each * DAY)
        assert held.roots
        assert set(held.roots) <= set(CHANGE.both)
