"""Certificates and revocation lists. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from hems.doctor.facts import Certificate, RevocationList
from hems.doctor.finding import Finding, attention, ok, trouble
from hems.security.certificates import LATE_S, SOON_S, standing
from hems.security.surface import Standing

_LIST_ENDS_S: Final = 86_400.0
"""A revocation list that ends within this should have a successor already."""


def of_certificates(certificates: Iterable[Certificate], now: float) -> Iterator[Finding]:
    """Judge certificates.

    Args:
        certificates: What is known of them.
        now: UTC epoch seconds.
    """
    for each in certificates:
        yield _of_certificate(each, now)


def _of_certificate(each: Certificate, now: float) -> Finding:
    where, what = str(each.path), each.what
    if each.error:
        return trouble("certificates", f"{what} cannot be used: {each.error}", where, _renew(each))
    if each.revoked:
        return trouble("certificates", f"{what} is revoked ({each.subject})", where, _renew(each))
    end = "never ends" if each.ends_at is None else f"ends {_day(each.ends_at)}"
    stands = standing(
        each.starts_at,
        float("inf") if each.ends_at is None else each.ends_at,
        now,
        LATE_S if each.by_itself else SOON_S,
    )
    match stands:
        case Standing.OVER:
            over = f"{what} has ended on {_day(each.ends_at or 0.0)}"
            return trouble("certificates", over, where, _renew(each))
        case Standing.EARLY:
            early = f"{what} counts from {_day(each.starts_at)} on only"
            return trouble("certificates", early, where, "check the clock: is it really so early?")
        case Standing.SOON:
            return attention("certificates", f"{what} {end}", where, _renew(each))
    return ok("certificates", f"{what} {end}", where)


def of_lists(lists: Iterable[RevocationList], now: float) -> Iterator[Finding]:
    """Judge revocation lists.

    Args:
        lists: What is known of them.
        now: UTC epoch seconds.
    """
    for each in lists:
        where, ends_at = str(each.path), each.ends_at
        if each.error:
            yield trouble("certificates", each.error, where, "bring a good list there")
        elif ends_at is not None and now >= ends_at:
            said = f"the revocation list of {each.issuer} has ended on {_day(ends_at)}"
            remedy = (
                "fetch the next one from the authority; until then what was known last holds, and "
                "who was revoked since then is not known"
            )
            yield attention("certificates", said, where, remedy)
        elif ends_at is not None and ends_at - now < _LIST_ENDS_S:
            said = f"the revocation list of {each.issuer} ends within a day"
            yield attention("certificates", said, where, "fetch the next one from the authority")


def _renew(each: Certificate) -> str:
    if each.by_itself:
        return "the hub makes it anew at its next start: `systemctl restart hems`"
    if each.own:
        return "have it renewed by who issued it (`hems renew`, or a new enrolment)"
    return "ask whose certificate it is for a new one"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
