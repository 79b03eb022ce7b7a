"""The rules of standing, as a table and against an oracle that replays all that ever happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.emg.trust.identity import Identity
from hems.emg.trust.standing import (
    Blocker,
    Cause,
    Entry,
    RevokedKey,
    TrustError,
    TrustStanding,
    allowed,
    approved,
    blocked,
    cleared,
    doubted,
    seen,
)

pytestmark = pytest.mark.requirement("L2-TRUST", "L2-BLOCK")

OLD = Identity(manufacturer="Maker", model="Box", serial="1")
NEW = Identity(manufacturer="Maker", model="Box", serial="2")
OWNER, LIST = Blocker.OWNER, Blocker.ENTERPRISE
NOBODY: dict[str, RevokedKey] = {}
Deed = Callable[[Entry], Entry]

STATES: dict[str, Entry] = {
    "new": Entry(),
    "trusted": Entry(approved=True, identity=OLD),
    "exchanged": Entry(True, OLD, NEW, {Cause.IDENTITY: "other"}),
    "old firmware": Entry(True, OLD, None, {Cause.FIRMWARE: "old"}),
    "blocked": Entry(True, OLD, None, {}, {OWNER: "stolen"}),
    "blocked by the list": Entry(True, OLD, None, {}, {LIST: "recalled"}),
    "both": Entry(True, OLD, None, {Cause.FIRMWARE: "old"}, {OWNER: "stolen"}),
}
DEEDS: dict[str, Deed] = {
    "seen the same": lambda e: seen(e, OLD, NOBODY),
    "seen another": lambda e: seen(e, NEW, NOBODY),
    "approved": lambda e: approved(e, 1.0),
    "doubted": lambda e: doubted(e, Cause.UNRELIABLE, "tampered"),
    "firmware well": lambda e: cleared(e, Cause.FIRMWARE),
    "identity cleared": lambda e: cleared(e, Cause.IDENTITY),
    "blocked": lambda e: blocked(e, OWNER, "stolen"),
    "allowed": lambda e: allowed(e, OWNER),
    "taken off the list": lambda e: allowed(e, LIST),
}
N, T, Q, B = TrustStanding
NO = None
"""The deed makes no sense, and is refused."""
TABLE: dict[str, tuple[TrustStanding | None, ...]] = {
    #                      same other appr doubt fw id  block allow list
    "new": (N, N, T, Q, N, N, B, NO, NO),
    "trusted": (T, Q, NO, Q, T, T, B, NO, NO),
    "exchanged": (Q, Q, T, Q, Q, T, B, NO, NO),
    "old firmware": (Q, Q, NO, Q, T, Q, B, NO, NO),
    "blocked": (B, B, NO, B, B, B, B, T, NO),
    "blocked by the list": (B, B, NO, B, B, B, B, NO, T),
    "both": (B, B, NO, B, B, B, B, Q, NO),
}


@pytest.mark.parametrize("state", STATES)
def test_every_deed_in_every_standing(state: str) -> None:
    found: list[TrustStanding | None] = []
    for deed in DEEDS.values():
        try:
            found.append(deed(STATES[state]).standing)
        except TrustError:
            found.append(NO)
    assert tuple(found) == TABLE[state]


@dataclass(frozen=True)
class Did:
    """Something that happened."""

    what: str
    cause: Cause = Cause.FIRMWARE
    by: Blocker = OWNER


HAPPENINGS = st.lists(
    st.one_of(
        st.builds(Did, st.sampled_from(["doubt", "clear"]), cause=st.sampled_from(Cause)),
        st.builds(Did, st.sampled_from(["block", "allow"]), by=st.sampled_from(Blocker)),
        st.just(Did("approve")),
    ),
    max_size=30,
)


def oracle(history: Sequence[Did]) -> TrustStanding:
    """Go back through all that happened, once for each reason."""
    if any(_lasts([d for d in history if d.by is by], "block", {"allow"}) for by in Blocker):
        return TrustStanding.BLOCKED
    for cause in Cause:
        own = [d for d in history if d.cause is cause or d.what == "approve"]
        ends = {"approve", "clear"} if cause is Cause.IDENTITY else {"clear"}
        if _lasts(own, "doubt", ends):
            return TrustStanding.QUARANTINED
    was = any(did.what == "approve" for did in history)
    return TrustStanding.TRUSTED if was else TrustStanding.NEW


def _lasts(history: Sequence[Did], begins: str, ends: set[str]) -> bool:
    """Return whether something that began has not ended since."""
    told = [did.what for did in history if did.what in {begins, *ends}]
    return told[-1:] == [begins]


@given(HAPPENINGS)
def test_the_standing_follows_from_all_that_happened(happenings: list[Did]) -> None:
    entry, history = Entry(), list[Did]()
    for did in happenings:
        try:
            match did.what:
                case "doubt":
                    entry = doubted(entry, did.cause, "why")
                case "clear":
                    entry = cleared(entry, did.cause)
                case "block":
                    entry = blocked(entry, did.by, "why")
                case "allow":
                    entry = allowed(entry, did.by)
                case _:
                    entry = approved(entry, 1.0)
        except TrustError:
            continue  # it was refused, so it did not happen
        history.append(did)
        assert entry.standing is oracle(history)
        assert entry.shut is (entry.standing in {Q, B})
        assert bool(entry.why) is (entry.standing is not T)


IDENTITIES = st.builds(
    Identity,
    *(st.sampled_from(["", each, each * 2]) for each in ("k", "maker", "model", "serial", "mac")),
)


@given(st.lists(IDENTITIES, max_size=8))
def test_no_other_identity_is_ever_trusted_unasked(shown: list[Identity]) -> None:
    """Whatever a device shows, as long as it is trusted nothing that was shown has changed."""
    entry = Entry(approved=True)
    believed: list[Identity] = []
    for each in shown:
        entry = seen(entry, each, NOBODY)
        if entry.shut:
            break
        believed.append(each)
    keys = [each.key for each in believed]
    first = next((n for n, key in enumerate(keys) if key), len(keys))
    assert len(set(keys[first:])) <= 1, "once it has shown a key it shows that one"
    if not any(each.key for each in believed):
        for part in ("manufacturer", "model", "serial", "mac"):
            assert len({getattr(each, part) for each in believed} - {""}) <= 1


@pytest.mark.requirement("L2-KEYS")
def test_a_key_that_was_replaced_counts_no_more() -> None:
    first, second = Identity(key="a" * 64), Identity(key="b" * 64)
    entry = seen(Entry(approved=True), first, NOBODY)
    entry = seen(entry, second, NOBODY)
    assert (entry.standing, entry.shown) == (Q, second)
    entry = approved(entry, 5.0)
    assert (entry.standing, entry.identity) == (T, second)
    (revoked,) = entry.revoked
    assert (revoked.key, revoked.at) == (first.key, 5.0)
    entry = seen(entry, first, {revoked.key: revoked})
    assert Cause.REVOKED in entry.doubts
    with pytest.raises(TrustError, match="given up"):
        approved(entry, 6.0)
    assert cleared(entry, Cause.REVOKED).standing is T


@pytest.mark.requirement("L2-KEYS")
def test_a_device_that_shows_no_certificate_any_more_is_another() -> None:
    entry = seen(Entry(approved=True), Identity(key="a" * 64, serial="1"), NOBODY)
    after = seen(entry, Identity(serial="1"), NOBODY)
    assert after.doubts == {Cause.IDENTITY: "it shows no certificate any more"}
