"""Every operation of the page's API, tried in every role; what is theirs is served, no more."""

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import aiohttp

from hems.access.rights import RIGHTS, Right, Role
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.street import Street
from tests.security.visits import Browser, log_in
from web.operation import Operation
from web.parts import all_operations

_GUESTS: Final = 401
_FORBIDDEN: Final = 403
_REFUSED: Final = frozenset({_GUESTS, _FORBIDDEN})
_NAME: Final = re.compile(r"\{[a-z_]+\}")
_UNKNOWN: Final = "0"
"""What stands for a name in a path: nothing is called so."""
_ENDLESS: Final = frozenset({"/api/stream"})


def _refused_to(role: Role | None) -> Sequence[Operation]:
    """Return the operations that a role may not do."""
    rights = {Right.ANYBODY} if role is None else RIGHTS[role]
    return [each for each in all_operations() if each.right not in rights]


def _granted_to(role: Role | None) -> Sequence[Operation]:
    """Return what a role may look at."""
    rights = {Right.ANYBODY} if role is None else RIGHTS[role]
    return [
        each
        for each in all_operations()
        if each.right in rights and each.method == "GET" and each.path not in _ENDLESS
    ]


async def _status(session: aiohttp.ClientSession, operation: Operation) -> int:
    path = _NAME.sub(_UNKNOWN, operation.path)
    body = None if operation.method == "GET" else b"{}"
    kind = {"Content-Type": "application/json"}
    async with session.request(operation.method, path, data=body, headers=kind) as answer:
        return answer.status


def _walk(role: Role | None) -> Callable[[Street], Awaitable[str]]:
    async def attempt(street: Street) -> str:
        expected = _GUESTS if role is None else _FORBIDDEN
        tried = _refused_to(role)
        async with Browser(street, street.address()) as session:
            if role is not None:
                await log_in(session, street.people[role])
            for operation in tried:
                status = await _status(session, operation)
                assert status == expected, f"{operation.method} {operation.path}: {status}"
        return f"{len(tried)} operations refused with {expected}"

    return attempt


def _look(role: Role | None) -> Callable[[Street], Awaitable[str]]:
    async def rightly(street: Street) -> str:
        tried = _granted_to(role)
        async with Browser(street, "127.0.0.1") as session:
            if role is not None:
                await log_in(session, street.people[role])
            for operation in tried:
                status = await _status(session, operation)
                own = operation.right is Right.ANYBODY  # these look themselves at who asks
                good = own or status not in _REFUSED
                assert good, f"{operation.method} {operation.path}: {status}"
                assert status < 500 or status == 503, f"{operation.path}: {status}"
        return f"{len(tried)} operations served"

    return rightly


def _token(rights: Sequence[Right]) -> Callable[[Street], Awaitable[str]]:
    """Walk with a token that holds few of the owner's rights."""

    async def attempt(street: Street) -> str:
        bearer = await _token_of(street, rights)
        tried = [e for e in all_operations() if e.right not in {*rights, Right.ANYBODY}]
        async with Browser(street, street.address(), bearer) as session:
            for operation in tried:
                status = await _status(session, operation)
                assert status == _FORBIDDEN, f"{operation.method} {operation.path}: {status}"
        return f"{len(tried)} operations refused with {_FORBIDDEN}"

    return attempt


def _token_rightly(rights: Sequence[Right]) -> Callable[[Street], Awaitable[str]]:
    async def rightly(street: Street) -> str:
        async with (
            Browser(street, "127.0.0.1", await _token_of(street, rights)) as session,
            session.get("/api/home") as answer,
        ):
            return f"{answer.status} "

    return rightly


async def _token_of(street: Street, rights: Sequence[Right]) -> dict[str, str]:
    async with Browser(street, "127.0.0.1") as owner:
        await log_in(owner, street.people[Role.OWNER])
        order = {"name": secrets.token_hex(8), "role": "owner", "rights": [r.value for r in rights]}
        async with owner.post("/api/tokens", json=order) as answer:
            assert answer.status == 201, await answer.text()
            made = await answer.json()
    return {"Authorization": f"Bearer {made['token']}"}


# Of so many refusals only the first hundred within an hour have rows of their own.
_REFUSAL: Final = Entry(Where.SECURITY, r"request-refused|\(scan\)")
ROWS: Final[Sequence[Attack[Street]]] = [
    *(
        Attack(
            f"role-{'nobody' if role is None else role.value}",
            Kind.ROLES,
            f"Tries every operation of the page as {'nobody' if role is None else role.value}",
            _walk(role),
            r"^[1-9]\d* operations refused",
            _REFUSAL,
            _look(role),
            r"^[1-9]\d* operations served",
            deep=role in {Role.INSTALLER, Role.PROVIDER, Role.AUDITOR},
        )
        for role in (None, *Role)
        if role is not Role.OWNER  # may do all that there is
    ),
    Attack(
        "role-token",
        Kind.ROLES,
        "Tries every operation with a token that may only see the home",
        _token([Right.SEE]),
        r"^\d+ operations refused",
        _REFUSAL,
        _token_rightly([Right.SEE]),
        "^200 ",
        deep=True,
    ),
]
