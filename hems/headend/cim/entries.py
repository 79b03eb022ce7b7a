"""What is kept of messages: rows in the trail, answers, and what is to go out."""

import hashlib
from dataclasses import dataclass


def digest_of(body: bytes) -> str:
    """Return the SHA-256 of octets, hex."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """A message's row in the trail.

    Attributes:
        direction: "in" or "out".
        carrier: How it came or goes.
        peer: Who stands behind the connection.
        source: Who the header says it is from.
        message_id: Its id.
        correlation_id: What it belongs to.
        verb: Its verb.
        noun: Its noun.
        pattern: How it is dealt with.
        digest: SHA-256 of what came or goes.
        octets: Its length.
        result: What became of it.
        code: The reply's code.
        reason: The reply's reason.
    """

    direction: str
    carrier: str
    peer: str
    source: str = ""
    message_id: str = ""
    correlation_id: str = ""
    verb: str = ""
    noun: str = ""
    pattern: str = ""
    digest: str = ""
    octets: int = 0
    result: str = ""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A message that is to go out.

    Attributes:
        address: Where to: an https or http URL, or `nats:` and a subject.
        message_id: Its id.
        body: Its octets.
        entry: Its row in the trail.
    """

    address: str
    message_id: str
    body: bytes
    entry: Entry


@dataclass(frozen=True, slots=True)
class Taken:
    """Which message it is.

    Attributes:
        peer: Who sent it.
        message_id: Its id.
        meaning: SHA-256 of what it says.
        carrier: How it came.
    """

    peer: str
    message_id: str
    meaning: str
    carrier: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that was acknowledged, and is still to be acted on.

    Attributes:
        taken: Which it is.
        body: As it came.
    """

    taken: Taken
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered before.

    Attributes:
        status: As an HTTP status.
        body: The answer; empty for none.
    """

    status: int
    body: bytes
