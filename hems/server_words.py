"""What the owner is told of the certificates of a utility's server."""

import math
from datetime import UTC, datetime

from certs.standing import Standing, Verdict
from der.sentence import say


def judged_words(verdict: Verdict, called: str) -> str:
    """Return how the server stands, in one sentence or two.

    Args:
        verdict: How its chain stands.
        called: What the utility is called.
    """
    match verdict.standing:
        case Standing.REVOKED:
            return say(
                "The certificate of {called} was revoked: what that asked has ended, and the home "
                "goes by its default until its server shows another",
                called=called,
            )
        case Standing.UNKNOWN:
            return say(
                "Whether the certificate of {called} was revoked could not be learned for too "
                "long: what that asked has ended, and the home goes by its default. It goes on by "
                "itself once that can be learned",
                called=called,
            )
        case Standing.KNOWN:
            return say("The certificate of {called} is known to count again", called=called)
        case Standing.OVERDUE:
            return _overdue(verdict, called)


def _overdue(verdict: Verdict, called: str) -> str:
    since = _day(verdict.known_until)
    if math.isinf(verdict.ends):
        return say(
            "Whether the certificate of {called} was revoked cannot be learned since {since}: its "
            "lists are overdue, and nobody else says so. What was known last holds",
            called=called,
            since=since,
        )
    return say(
        "Whether the certificate of {called} was revoked cannot be learned since {since}: its "
        "lists are overdue, and nobody else says so. From {until} on the hub does not talk to it",
        called=called,
        since=since,
        until=_day(verdict.ends),
    )


def _day(at: float) -> str:
    if math.isinf(at):
        return "-"
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}Z"


def unasked_words(why: str, called: str) -> str:
    """Return that nobody can be asked by OCSP, in one sentence.

    Args:
        why: In one clause.
        called: What the utility is called.
    """
    return say(
        "Nobody can be asked whether the certificate of {called} was revoked: {why}. Its "
        "revocation lists count meanwhile",
        called=called,
        why=why,
    )
