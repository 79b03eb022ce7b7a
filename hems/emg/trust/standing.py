"""How a device stands: the rules by which it is trusted, doubted, blocked, and trusted again. Pure.

What is kept of a device are the reasons, and its standing follows from them: a block goes before a
doubt, a doubt before the approval that is missing. So reasons may come and go in any order, and a
device is trusted only when the last one has gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from der.sentence import say
from hems.emg.trust.identity import Identity, difference, differing, learnt

MOST_REVOKED: Final = 20
"""Of so many former keys it is known that they count no more; the oldest are forgotten."""


class TrustStanding(StrEnum):
    """How a device stands."""

    NEW = "new"
    """Nobody has approved it yet: it is read and may be tested, and the home does not steer it."""
    TRUSTED = "trusted"
    QUARANTINED = "quarantined"
    """Something about it is not as it should be: it is shut until that is cleared."""
    BLOCKED = "blocked"
    """Somebody shut it."""


class Cause(StrEnum):
    """Why a device is doubted."""

    IDENTITY = "identity"
    """It shows another key, maker, model or number than the one that was trusted."""
    REVOKED = "revoked"
    """It shows a key that was given up."""
    MISCONFIGURED = "misconfigured"
    FIRMWARE = "firmware"
    """It runs what must not run."""
    UNRELIABLE = "unreliable"
    """It, or the hub in front of it, was tampered with."""
    THREAT = "threat"
    """What it did, or what was done to it, was found to be a threat."""


class Blocker(StrEnum):
    """Who shut a device."""

    OWNER = "owner"
    """Somebody of the home."""
    ENTERPRISE = "enterprise"
    """The enterprise's list of devices that are not to be trusted."""


class TrustError(Exception):
    """What was asked makes no sense for a device that stands so; `str()` is one sentence."""


class UnknownDeviceError(TrustError):
    """The home has no such device."""


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """A key that counts no more.

    Attributes:
        key: SHA-256 of it, hex digits.
        at: Since when, UTC epoch seconds.
        why: One clause.
    """

    key: str
    at: float
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a device.

    Attributes:
        approved: Whether somebody of the home has approved it.
        identity: What it showed when it was trusted; None before it has ever answered.
        shown: What it shows instead; None where that is the same.
        doubts: Why it is doubted, one clause each.
        blocks: Who has shut it, and why, one clause each.
        revoked: Its former keys, the latest last.
    """

    approved: bool = False
    identity: Identity | None = None
    shown: Identity | None = None
    doubts: Mapping[Cause, str] = field(default_factory=dict)
    blocks: Mapping[Blocker, str] = field(default_factory=dict)
    revoked: tuple[RevokedKey, ...] = ()

    @property
    def standing(self) -> TrustStanding:
        """How it stands."""
        if self.blocks:
            return TrustStanding.BLOCKED
        if self.doubts:
            return TrustStanding.QUARANTINED
        return TrustStanding.TRUSTED if self.approved else TrustStanding.NEW

    @property
    def shut(self) -> bool:
        """Whether nothing at all is said to it."""
        return bool(self.blocks or self.doubts)

    @property
    def why(self) -> str:
        """Why it is not trusted, one clause; empty where it is."""
        reasons = (*self.blocks.values(), *self.doubts.values())
        if reasons:
            return reasons[0]
        return "" if self.approved else say("nobody has approved it yet")


def seen(entry: Entry, shown: Identity, revoked: Mapping[str, RevokedKey]) -> Entry:
    """Return the entry once a device has shown who it is.

    What it shows is learnt by the first look, and added to where it shows more. Another identity
    than the one that was trusted is a doubt. A device that is shut for its identity is not looked
    at, so what it showed then stays to be judged.

    Args:
        entry: What is kept of it.
        shown: What it shows.
        revoked: All keys of the home's devices that count no more.
    """
    given_up = revoked.get(shown.key) if shown.key else None
    if given_up is not None:
        said = say("it shows a key that was given up: {why}", why=given_up.why)
        return _doubted(replace(entry, shown=shown), Cause.REVOKED, said)
    if entry.identity is None:
        return replace(entry, identity=shown, shown=None) if shown.told else entry
    if differing(entry.identity, shown):
        why = difference(entry.identity, shown)
        return _doubted(replace(entry, shown=shown), Cause.IDENTITY, why)
    return replace(entry, identity=learnt(entry.identity, shown), shown=None)


def doubted(entry: Entry, cause: Cause, why: str) -> Entry:
    """Return the entry with a doubt; one of the same cause is replaced."""
    return _doubted(entry, cause, why)


def cleared(entry: Entry, cause: Cause) -> Entry:
    """Return the entry without a doubt; what is then shown is looked at anew."""
    doubts = {each: why for each, why in entry.doubts.items() if each != cause}
    shown = None if cause in {Cause.IDENTITY, Cause.REVOKED} else entry.shown
    return replace(entry, doubts=doubts, shown=shown)


def blocked(entry: Entry, by: Blocker, why: str) -> Entry:
    """Return the entry with a block."""
    return replace(entry, blocks={**entry.blocks, by: why})


def allowed(entry: Entry, by: Blocker) -> Entry:
    """Return the entry without somebody's block.

    Raises:
        TrustError: That one has not blocked it.
    """
    if by not in entry.blocks:
        if entry.blocks:
            raise TrustError(
                say(
                    "The service provider's list has blocked this device; only the list can take "
                    "that back."
                )
            )
        raise TrustError(say("This device is not blocked."))
    return replace(entry, blocks={b: why for b, why in entry.blocks.items() if b is not by})


def approved(entry: Entry, at: float) -> Entry:
    """Return the entry once somebody approves the device as it shows itself now.

    Its former key, where it shows another, counts no more from then on.

    Args:
        entry: What is kept of it.
        at: Now, UTC epoch seconds.

    Raises:
        TrustError: It is approved already, or shows a key that was given up.
    """
    if Cause.REVOKED in entry.doubts:
        raise TrustError(
            say(
                "This device shows a key that was given up. Have it make a new one; then it can "
                "be approved."
            )
        )
    if entry.approved and Cause.IDENTITY not in entry.doubts:
        raise TrustError(say("This device is approved already."))
    identity, revoked = entry.identity, entry.revoked
    if entry.shown is not None:
        if identity is not None and identity.key:
            why = say("another key was approved in its place")
            revoked = (*revoked, RevokedKey(identity.key, at, why))[-MOST_REVOKED:]
        identity = entry.shown
    return replace(
        cleared(entry, Cause.IDENTITY), approved=True, identity=identity, revoked=revoked
    )


def joined(before: Entry, since: Entry) -> Entry:
    """Return the entry of a device whose kept one could be read only after it had been used.

    Args:
        before: What was kept.
        since: What has come up meanwhile, when it counted as approved.
    """
    return replace(
        before,
        shown=since.shown or before.shown,
        doubts={**before.doubts, **since.doubts},
        blocks={**before.blocks, **since.blocks},
    )


def _doubted(entry: Entry, cause: Cause, why: str) -> Entry:
    return replace(entry, doubts={**entry.doubts, cause: why})
