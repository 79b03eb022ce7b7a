"""By which other programs get in: named tokens, until they end or are taken back.

A token holds some of the rights of one role. One that belongs to an account may no more than that
account may at the time, and ends with it.
"""

import ipaddress
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.sentence import say
from hems.access import names, random_token
from hems.access.errors import AccountError, UnknownError
from hems.access.lifetimes import TOUCH_S, over
from hems.access.people import LATEST
from hems.access.rights import RIGHTS, Right, Role, Who
from hems.clock import Clock
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.errors import StoreError
from hems.store.people import PeopleStore, TokenRow

_log = logging.getLogger(__name__)

_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be made.

    Attributes:
        name: What it is for.
        role: What whoever has it may do.
        until: When it ends, UTC epoch seconds; None for never.
        rights: Which of the role's it holds; None for all of them.
        network: From where it may be used, an address or CIDR; empty for anywhere.
        person: Number of the account that it belongs to; None for the home's own.
    """

    name: str
    role: Role
    until: float | None = None
    rights: frozenset[Right] | None = None
    network: str = ""
    person: int | None = None


class Tokens:
    """The tokens; every method that is awaited raises StoreError if the store refuses.

    Args:
        store: Where they are kept.
        clock: Where the time comes from.
        who: Returns what the account of a number may do now; None where there is none any more.
        note: Told what changes, and what is used from where it may not be.
    """

    def __init__(
        self,
        store: PeopleStore,
        clock: Clock,
        who: Callable[[int], Who | None],
        note: Note = unheard,
    ) -> None:
        self._store = store
        self._clock = clock
        self._who = who
        self._note = note
        self._tokens: dict[bytes, TokenRow] = {}

    async def ready(self) -> None:
        """Read the tokens."""
        self._tokens = {row.digest: row for row in await self._store.tokens()}

    def all(self) -> Sequence[TokenRow]:
        """Return all of them, those that have ended too, the oldest first."""
        return tuple(self._tokens.values())

    async def make(self, new: NewToken, by: Who) -> tuple[str, TokenRow]:
        """Make one; returns the token, which is never told again.

        Raises:
            AccountError: It cannot be so.
        """
        name = names.cleaned(new.name)
        now = self._clock.now()
        if new.until is not None and not now < new.until < LATEST:
            raise AccountError(say("A token's end must lie ahead."))
        if any(names.key(row.name) == names.key(name) for row in self._tokens.values()):
            raise AccountError(say("There is a token of this name already."))
        if len(self._tokens) >= _MOST:
            raise AccountError(say("A home has {most} tokens at most.", most=_MOST))
        rights = self._rights(new, by)
        network = _network(new.network)
        token = random_token.make()
        row = TokenRow(
            id=0,
            name=name,
            role=new.role.value,
            digest=random_token.digest(token),
            made_by=by.name,
            made_at=now,
            until=new.until,
            used_at=None,
            rights=None if rights is None else ",".join(sorted(rights)),
            network=network,
            person=new.person,
        )
        row = replace(row, id=await self._store.add_token(row))
        self._tokens[row.digest] = row
        self._tell(row, say("The token {name} lets a program in now.", name=row.name))
        return token, row

    def by_token(self, token: str, address: str = "") -> tuple[Who, TokenRow] | None:
        """Return who asks by a token; None if it is none, or not any more, or not from there.

        Args:
            token: What was shown.
            address: IP address that it was shown from.
        """
        row = self._tokens.get(random_token.digest(token))
        if row is None:
            return None
        if not _within(address, row.network):
            text = say("The token {name} was shown from outside its network.", name=row.name)
            self._note(SecurityEvent(EventKind.LOGIN_FAILED, text, row.name, address))
            return None
        who = self.holder(row)
        return None if who is None else (who, row)

    def alive(self, name: str) -> bool:
        """Return whether there is a token of a name by which somebody still gets in."""
        found = (row for row in self._tokens.values() if row.name == name)
        return any(self.holder(row) is not None for row in found)

    def forget(self, person: int) -> None:
        """Know nothing any more of the tokens of an account that has gone; nor does the store."""
        self._tokens = {d: row for d, row in self._tokens.items() if row.person != person}

    def holder(self, row: TokenRow) -> Who | None:
        """Return who asks by a token now, whatever its network."""
        if over(row.until, self._clock.now()):
            return None
        try:
            role = Role(row.role)
            held = RIGHTS[role] if row.rights is None else _held(row.rights)
        except ValueError:
            return None
        if row.person is None:
            return Who(row.name, role, None if row.rights is None else held)
        owner = self._who(row.person)
        if owner is None:
            return None
        rights = owner.all_rights
        if row.rights is not None or owner.role is not role:
            rights &= held  # an account that becomes more does not make its programs more
        consents = tuple(pair for pair in owner.by_consent if pair[0] in rights)
        return Who(row.name, owner.role, rights | {Right.ANYBODY}, consents)

    def _rights(self, new: NewToken, by: Who) -> frozenset[Right] | None:
        """Return what a new token is to hold; raises AccountError where that cannot be."""
        held = RIGHTS[new.role]
        if new.person is not None:
            owner = self._who(new.person)
            if owner is None or owner.role is not new.role:
                raise AccountError(say("A token of an account has that account's role."))
            held = owner.all_rights
        asked = held if new.rights is None else new.rights | {Right.ANYBODY}
        if new.rights is not None and not new.rights - {Right.ANYBODY}:
            raise AccountError(say("A token holds at least one right."))
        if not asked <= held:
            raise AccountError(say("This role does not have all these rights."))
        if not asked <= by.all_rights:
            raise AccountError(say("Nobody makes a token that may do more than they may."))
        return None if new.rights is None else asked

    def _tell(self, row: TokenRow, text: str) -> None:
        self._note(SecurityEvent(EventKind.ACCOUNT_CHANGED, text, row.name))

    async def touch(self, row: TokenRow) -> None:
        """Note that a token was used; written down now and then only."""
        now = self._clock.now()
        if row.digest not in self._tokens or (row.used_at and 0 <= now - row.used_at < TOUCH_S):
            return
        self._tokens[row.digest] = replace(row, used_at=now)
        try:
            await self._store.touch_token(row.id, now)
        except StoreError as error:
            _log.warning("the use of a token is not written down: %s", error)

    async def end(self, token: int) -> TokenRow:
        """Take a token back.

        Raises:
            UnknownError: There is none.
        """
        for row in self._tokens.values():
            if row.id == token:
                del self._tokens[row.digest]  # first here, whatever the disk does
                self._tell(row, say("The token {name} is taken back.", name=row.name))
                await self._store.remove_token(token)
                return row
        raise UnknownError(say("There is no such token."))


def _held(rights: str) -> frozenset[Right]:
    return frozenset(Right(each) for each in rights.split(","))


def _network(typed: str) -> str | None:
    """Return a network as it is kept; raises AccountError where that is none."""
    if not typed.strip():
        return None
    try:
        return str(ipaddress.ip_network(typed.strip(), strict=False))
    except ValueError as error:
        raise AccountError(
            say("{network} is no network: it is like 192.168.1.0/24.", network=typed.strip())
        ) from error


def _within(address: str, network: str | None) -> bool:
    if network is None:
        return True
    try:
        asked = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = asked.ipv4_mapped if isinstance(asked, ipaddress.IPv6Address) else None
    return (mapped or asked) in ipaddress.ip_network(network)
