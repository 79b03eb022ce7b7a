"""Single requests to the page that are to be refused, as rows of the matrix."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from hems.access.rights import Role
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.street import Street
from tests.security.visits import Ask, cookie_of, send

REFUSED: Final = Entry(Where.SECURITY, "request-refused")
MALFORMED: Final = Entry(Where.SECURITY, "request-malformed")
OWN: Final = ("Origin", "http://{host}")
"""A header that says that the page itself asks."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request that is to be refused.

    Attributes:
        id: Of the row.
        does: What the attacker does, in words.
        ask: What is sent.
        status: A regular expression of the answer.
        entry: What is to be left.
        rightly: The same done rightly.
        served: Its answer.
        inside: Whether the owner's own session goes with it, as a browser would send it.
        never: What the answer may not have in it.
        silent: Why there is no entry.
        quick: Whether `make test` has it.
    """

    id: str
    does: str
    ask: Ask | bytes
    status: str
    entry: Entry | None = MALFORMED
    rightly: Ask = field(default_factory=Ask)
    served: str = "^200 "
    inside: bool = False
    never: tuple[str, ...] = ()
    silent: str = ""
    quick: bool = False


def _with_cookie(ask: Ask, cookie: str) -> Ask:
    return replace(ask, headers=(*ask.headers, ("Cookie", cookie)))


def _attempt(case: Case) -> Callable[[Street], Awaitable[str]]:
    async def attempt(street: Street) -> str:
        ask = case.ask
        if case.inside and isinstance(ask, Ask):
            ask = _with_cookie(ask, await cookie_of(street, street.people[Role.OWNER]))
        answer = await send(street, ask)
        for secret in case.never:
            assert secret.lower() not in answer.lower(), (
                f"the answer has {secret!r}: {answer[:200]}"
            )
        return answer

    return attempt


def _rightly(case: Case) -> Callable[[Street], Awaitable[str]]:
    async def rightly(street: Street) -> str:
        ask = case.rightly
        if case.inside:
            ask = _with_cookie(ask, await cookie_of(street, street.people[Role.OWNER]))
        return await send(street, ask, "127.0.0.1")

    return rightly


def row(case: Case) -> Attack[Street]:
    """Return the row of a case."""
    return Attack(
        case.id,
        Kind.WEB,
        case.does,
        _attempt(case),
        case.status,
        case.entry,
        _rightly(case),
        case.served,
        case.silent,
        deep=not case.quick,
    )
