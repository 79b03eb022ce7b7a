"""The operators: who there is, in which roles, by which password, and who it is that asks."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from hems.access.credential_rules import (
    LONGEST,
    LONGEST_NAME,
    SHORTEST,
    NameFault,
    PasswordFault,
    composed,
    key,
    name_fault,
    password_fault,
)
from hems.access.hashing import BUSY_S, Hashing
from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.errors import ConflictError, RequestError, ThrottledError, UnknownItemError
from hems.headend.operators.keys import Keys
from hems.headend.operators.records import Account
from hems.headend.operators.roles import MACHINE, Identity, OperatorRole, Way
from hems.headend.shelf import Shelf

_MOST: Final = 1_000


class UnfitError(RequestError):
    """A name, a label or a password that cannot be one."""

    status = 422


class Accounts:
    """All of them. `Database.load` reads them.

    Args:
        database: Where they are.
        keys: What lets them in.
        clock: The utility's time.
        hashing: How passwords are kept; None for the usual.
    """

    def __init__(
        self, database: Database, keys: Keys, clock: Clock, hashing: Hashing | None = None
    ) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._hashing = hashing or Hashing(_crowded)
        self._shelf = Shelf(database, "operator", Account)

    @property
    def all(self) -> Sequence[Account]:
        """All operators by name."""
        return sorted(self._shelf.items, key=lambda account: key(account.name))

    def get(self, name: str) -> Account:
        """Return an operator.

        Raises:
            UnknownItemError: There is none of this name.
        """
        found = self._shelf.find(key(name))
        if found is None:
            raise UnknownItemError(f"no operator {name[:40]!r}")
        return found

    async def add(
        self, name: str, roles: Collection[OperatorRole], password: str, by: str
    ) -> Account:
        """Make an account.

        Raises:
            UnfitError: Name or password cannot be one.
            ConflictError: There is one of this name, or there are too many.
            ThrottledError: Too many passwords are hashed at this moment.
            BusyError: The database cannot take it.
        """
        name = fit_name(name)
        _check_password(password, name)
        kept = await self._hashing.hash(password)
        account = Account(name, in_order(roles), kept, self._clock.now(), by)
        async with self._database.changing():
            if key(name) == key(MACHINE.name) or self._shelf.find(key(name)) is not None:
                raise ConflictError(f"there is an operator {name!r} already")
            if len(self._shelf.all) >= _MOST:
                raise ConflictError(f"there are {_MOST} operators already")
            await self._shelf.put((key(name), "", account))
        return account

    async def set_roles(self, name: str, roles: Collection[OperatorRole]) -> Account:
        """Give somebody other roles, at once, wherever they are logged in.

        Raises:
            UnknownItemError: There is no such operator.
            BusyError: The database cannot take it.
        """
        async with self._database.changing():
            account = replace(self.get(name), roles=in_order(roles))
            await self._shelf.put((key(name), "", account))
        return account

    async def set_password(self, name: str, password: str) -> None:
        """Give somebody a new password and end their sessions; raises as `add` does."""
        _check_password(password, self.get(name).name)
        kept = await self._hashing.hash(password)
        async with self._database.changing():
            await self._shelf.put((key(name), "", replace(self.get(name), password=kept)))
            await self._keys.log_out_all(key(name))

    async def remove(self, name: str) -> Account:
        """Take an account away with all that gets in by it.

        Raises:
            UnknownItemError: There is no such operator.
            BusyError: The database cannot do it now.
        """
        async with self._database.changing():
            account = self.get(name)
            await self._shelf.drop(key(name))
            await self._keys.forget(key(name))
        return account

    async def proves(self, name: str, password: str) -> bool:
        """Return whether this is somebody's password; takes as long where there is no such name.

        Raises:
            ThrottledError: Too many passwords are looked at in this moment.
        """
        account = self._shelf.find(key(name))
        kept = None if account is None else account.password
        return await self._hashing.fits(password[: LONGEST + 1], kept)

    async def by_session(self, token: str) -> Identity | None:
        """Return who is logged in by a session's token; None for nobody, or not any more."""
        session = await self._keys.session(token)
        account = None if session is None else self._shelf.find(session.person)
        if session is None or account is None:
            return None
        roles = frozenset(account.roles)
        return Identity(account.name, roles, Way.SESSION, _csrf(token), session.until)

    async def by_token(self, shown: str) -> Identity | None:
        """Return who asks by a program's token; None if it is none, or not any more."""
        token = await self._keys.token(shown)
        account = None if token is None else self._shelf.find(token.person)
        if token is None or account is None:
            return None
        return Identity(account.name, frozenset(account.roles), Way.TOKEN, until=token.until)


def in_order(roles: Collection[OperatorRole]) -> tuple[OperatorRole, ...]:
    """Return roles, each once, as they are kept and shown."""
    return tuple(role for role in OperatorRole if role in roles)


def fit_name(name: str) -> str:
    """Return a name, or a token's label, as it is kept.

    Raises:
        UnfitError: It is empty, too long, or has characters that nobody sees.
    """
    found = composed(name)
    fault = name_fault(found)
    if fault is not None:
        raise UnfitError(_NAMES[fault])
    return found


def _check_password(password: str, name: str) -> None:
    fault = password_fault(password, name)
    if fault is not None:
        raise UnfitError(_PASSWORDS[fault])


def _csrf(token: str) -> str:
    """Return what a page shows beside the cookie, which it cannot read itself."""
    return hashlib.sha256(b"csrf " + token.encode("utf-8", "surrogatepass")).hexdigest()


def _crowded() -> ThrottledError:
    return ThrottledError("too many log in at this moment", round(BUSY_S))


_NAMES: Final = {
    NameFault.EMPTY: "a name is needed",
    NameFault.LONG: f"a name may have {LONGEST_NAME} characters at most",
    NameFault.UNSEEN: "a name may not have characters that cannot be seen",
}
_PASSWORDS: Final = {
    PasswordFault.LONG: f"a password may have {LONGEST} characters at most",
    PasswordFault.SHORT: f"a password needs {SHORTEST} characters or more",
    PasswordFault.MONOTONOUS: "this password repeats the same few characters",
    PasswordFault.NAME: "this password is little more than the operator's name",
}
