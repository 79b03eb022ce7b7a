"""What the utility is told: of the group as a whole, and of homes that it lists; each thing once.

A response is owed once it stands in the ledger, whose key knows no second one; the client posts it
as it does those of a hub, looking first for what a lost answer left in doubt.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from hems.headend.sharing.following import FollowRules
from hems.headend.sharing.standing import Standing, group_codes
from hems.headend.upstream.shared import Shared
from hems.sep2.book.answers import Answerer
from hems.sep2.book.ledger import ResponseRow
from hems.sep2.rules.events import Event
from hems.sep2.rules.lifecycle import Code, Owed, Profile, asked_for, named

BY_CLIENT: Final = frozenset(
    {
        Code.RECEIVED,
        Code.CANCELLED,
        Code.SUPERSEDED,
        Code.SUPERSEDED_BY_SERVER,
        Code.SUPERSEDED_BY_PROGRAM,
        Code.NOT_SUPPORTED,
        Code.NOT_APPLICABLE,
        Code.INVALID,
        Code.EXPIRED,
    }
)
"""What the client answers of its own accord; all else depends on what homes do."""

_ENDINGS: Final = (
    Code.PARTLY_OPT_OUT,
    Code.PARTLY_OPT_IN,
    Code.COMPLETED,
    Code.NO_PARTICIPATION,
)
"""Of several kinds of orders in one event, how it ended for the group: the first that applies."""


def owed(
    event: Event,
    server: str,
    lfdi: str,
    codes: Sequence[tuple[int, float]],
    profile: Profile,
) -> list[ResponseRow]:
    """Return the responses that an event asks for.

    Args:
        event: What is answered.
        server: Name of the utility in the ledger.
        lfdi: Of the EndDevice that answers.
        codes: What it says, and when, by the server's clock.
        profile: How the utility wants to be answered.
    """
    modes = named(event.modes, profile)
    due = [Owed(Code(code), at, modes) for code, at in codes]
    answerer = Answerer(server, lfdi)
    return [answerer.row(event, each, each.at) for each in asked_for(event, due, profile)]


def due_codes(
    kinds: Sequence[tuple[Shared, Standing]], now: float, rules: FollowRules
) -> Sequence[Code]:
    """Return what a group is to say next of an event, over all kinds of orders that it brought.

    Args:
        kinds: At least one, with how it stands.
        now: Epoch s.
        rules: See `FollowRules`.
    """
    told = frozenset[int]().union(*(shared.head.told for shared, _ in kinds))
    each = [_codes(shared, standing, told, now, rules) for shared, standing in kinds]
    said = [c for c in (Code.STARTED, Code.OPT_IN) if any(c in codes for codes in each)]
    if all(Code.OPT_OUT in codes for codes in each):
        said.append(Code.OPT_OUT)
    endings = [code for codes in each for code in codes if code in _ENDINGS]
    if len(endings) == len(each):
        said.append(next(code for code in _ENDINGS if code in endings))
    return said


def ends(codes: Collection[Code]) -> bool:
    """Whether one of these says that an event is over."""
    return not frozenset(codes).isdisjoint(_ENDINGS)


def _codes(
    shared: Shared, standing: Standing, told: Collection[int], now: float, rules: FollowRules
) -> Sequence[Code]:
    head = shared.head
    return group_codes(
        head.ask(now),
        head.span,
        shared.homes,
        standing,
        told=told,
        short_w=head.short_w,
        now=now,
        rules=rules,
    )


def noted(shared: Shared, codes: Collection[Code]) -> None:
    """Note what the utility was told for the group."""
    told = shared.head.told | {int(code) for code in codes}
    shared.head = replace(shared.head, told=told, closed=shared.head.closed or ends(codes))
