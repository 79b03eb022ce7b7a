"""The accounts of a home: who has one, in what role, and by which password.

They are read from the store once and kept in memory; the hub alone writes them.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from der.sentence import say
from hems.access import names, passwords
from hems.access.errors import AccountError, FirstError, LastOwnerError, UnknownError
from hems.access.lifetimes import over
from hems.access.passwords import Hasher
from hems.access.rights import PARTIES, Role, Who
from hems.clock import Clock
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.people import PeopleStore, PersonRow

_log = logging.getLogger(__name__)

PASSWORD = "password"  # noqa: S105 - the kind of a credential
_RESERVED = frozenset({"this machine", "somebody"})
_MOST = 64
_PARTY_S = 366 * 86_400.0
"""How long an account of a party lasts where nothing else is said."""
_PARTY_LONGEST_S = 2 * _PARTY_S


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account.

    Attributes:
        id: Its number, never given twice.
        name: By which the home knows them.
        role: In what capacity they ask.
        language: Of the page; empty where none was chosen.
        made_at: UTC epoch seconds.
        until: When it ends, likewise; None for never.
    """

    id: int
    name: str
    role: Role
    language: str
    made_at: float
    until: float | None = None

    @property
    def who(self) -> Who:
        """Who asks when they do."""
        return Who(self.name, self.role)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """An account to be made; fields as in `Person`.

    Attributes:
        password: As it was typed.
        until: None for never; of a party's account (`PARTIES`) for a year.
    """

    name: str
    role: Role
    password: str
    language: str = ""
    until: float | None = None


class People:
    """The accounts; every method that is awaited raises StoreError if the store refuses.

    Args:
        store: Where they are kept.
        hasher: What their passwords are kept by.
        clock: Where the time comes from.
        note: Told what changes.
    """

    def __init__(
        self, store: PeopleStore, hasher: Hasher, clock: Clock, note: Note = unheard
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._note = note
        self._changing = asyncio.Lock()
        self._read = False
        self._people: dict[int, Person] = {}
        self._secrets: dict[int, str] = {}

    async def ready(self) -> None:
        """Read the accounts, the first time."""
        if self._read:
            return
        async with self._changing:
            if self._read:
                return
            found = [_person(row) for row in await self._store.people()]
            secrets = await self._store.credentials()
            self._people = {person.id: person for person in found if person is not None}
            self._secrets = {each.person: each.secret for each in secrets if each.kind == PASSWORD}
            self._read = True

    @property
    def exist(self) -> bool:
        """Whether the home has an account."""
        return bool(self._people)

    def all(self) -> Sequence[Person]:
        """Return all of them, the oldest first."""
        return tuple(self._people.values())

    def get(self, person: int) -> Person:
        """Return an account by its number.

        Raises:
            UnknownError: There is none.
        """
        try:
            return self._people[person]
        except KeyError as error:
            raise UnknownError(say("There is no such account.")) from error

    def valid(self, person: int) -> Person | None:
        """Return an account that has not ended; None where there is none."""
        found = self._people.get(person)
        return None if found is None or over(found.until, self._clock.now()) else found

    def find(self, name: str) -> Person | None:
        """Return the account of a name, however it was typed."""
        wanted = names.key(name)
        return next((p for p in self._people.values() if names.key(p.name) == wanted), None)

    async def proves(self, person: Person | None, password: str, *, ours: bool = False) -> bool:
        """Return whether a password is somebody's; takes as long for nobody's (None).

        Args:
            person: Whose it should be.
            password: As it was typed.
            ours: Whether that was where they have been in before, or at the hub's own machine.

        Raises:
            TooOftenError: Too many wait for the same already.
        """
        kept = None if person is None else self._secrets.get(person.id)
        if not await self._hasher.fits(password[: passwords.LONGEST + 1], kept, ours=ours):
            return False
        if person is not None and kept is not None and self._hasher.outdated(kept):
            await self._keep(person, await self._hasher.hash(password))
        return True

    def check_first(self) -> None:
        """Refuse to make a first account where there is one; raises FirstError."""
        if self._people:
            raise FirstError(say("The first account of this home has been made already."))

    async def first(self, new: NewPerson) -> Person:
        """Make the first account, an owner's.

        Raises:
            FirstError: There is one already.
            AccountError: It cannot be so.
        """
        return await self._make(replace(new, role=Role.OWNER, until=None), first=True)

    async def add(self, new: NewPerson) -> Person:
        """Make another account.

        Raises:
            AccountError: It cannot be so.
        """
        return await self._make(new, first=False)

    async def _make(self, new: NewPerson, *, first: bool) -> Person:
        name = names.cleaned(new.name)
        passwords.check(new.password, name)
        until = self._end(new.role, new.until)
        secret = await self._hasher.hash(new.password)
        async with self._changing:
            if first:
                self.check_first()
            elif not self._people:
                raise AccountError(say("The first account is its owner's. Make that one first."))
            self._check_name(name)
            if len(self._people) >= _MOST:
                raise AccountError(say("A home has {most} accounts at most.", most=_MOST))
            now = self._clock.now()
            person = Person(0, name, new.role, new.language, now, until)
            number = await self._store.add_person(_row(person), PASSWORD, secret)
            person = replace(person, id=number)
            self._people[number] = person
            self._secrets[number] = secret
        self._tell(person, say("{name} has an account now.", name=name))
        return person

    async def change(self, person: int, role: Role, until: float | None) -> Person:
        """Give somebody another role or end.

        Raises:
            UnknownError: There is no such account.
            LastOwnerError: They are the last owner.
            AccountError: It cannot end then.
        """
        until = self._end(role, until)
        async with self._changing:
            changed = replace(self.get(person), role=role, until=until)
            self._check_owner({**self._people, person: changed})
            await self._store.put_person(_row(changed))
            self._people[person] = changed
        self._tell(changed, say("The account of {name} is changed.", name=changed.name))
        return changed

    async def speak(self, person: int, language: str) -> Person:
        """Have the page speak somebody's language; raises UnknownError."""
        async with self._changing:
            changed = replace(self.get(person), language=language)
            await self._store.put_person(_row(changed))
            self._people[person] = changed
            return changed

    async def remove(self, person: int) -> Person:
        """Take an account away, with all that gets in by it.

        Raises:
            UnknownError: There is no such account.
            LastOwnerError: They are the last owner.
        """
        async with self._changing:
            gone = self.get(person)
            self._check_owner({key: p for key, p in self._people.items() if key != person})
            await self._store.remove_person(person)
            del self._people[person]
            self._secrets.pop(person, None)
        self._tell(gone, say("The account of {name} is removed.", name=gone.name))
        return gone

    async def set_password(self, person: int, password: str) -> Person:
        """Give somebody a new password; who is logged in stays so, see `Logins.set_password`.

        Raises:
            UnknownError: There is no such account.
            AccountError: The password is not good enough.
            TooOftenError: Too many wait for the same already.
        """
        found = self.get(person)
        passwords.check(password, found.name)
        await self._keep(found, await self._hasher.hash(password))
        self._tell(found, say("{name} has a new password.", name=found.name))
        return found

    async def _keep(self, person: Person, secret: str) -> None:
        async with self._changing:
            self.get(person.id)  # it may have gone while its password was hashed
            await self._store.put_secret(person.id, PASSWORD, secret, self._clock.now())
            self._secrets[person.id] = secret

    def _check_name(self, name: str) -> None:
        if names.key(name) in _RESERVED:
            raise AccountError(say("This name is the hub's own. Choose another one."))
        if self.find(name) is not None:
            raise AccountError(say("There is an account of this name already."))

    def _end(self, role: Role, until: float | None) -> float | None:
        """Return when an account ends; those of parties do; raises AccountError."""
        now = self._clock.now()
        if until is None:
            return now + _PARTY_S if role in PARTIES else None
        if not now < until < LATEST:
            raise AccountError(say("An account's end must lie ahead."))
        if role in PARTIES and until > now + _PARTY_LONGEST_S:
            raise AccountError(say("An account of this role lasts for two years at most."))
        return until

    def _tell(self, person: Person, text: str) -> None:
        self._note(SecurityEvent(EventKind.ACCOUNT_CHANGED, text, person.name))

    def _check_owner(self, people: dict[int, Person]) -> None:
        if not any(p.role is Role.OWNER and p.until is None for p in people.values()):
            raise LastOwnerError(
                say("The home needs one owner whose account does not end. Make another one first.")
            )


LATEST = 253_402_300_799.0
"""The last second of the year 9999, UTC epoch seconds."""


def _row(person: Person) -> PersonRow:
    return PersonRow(
        id=person.id,
        name=person.name,
        key=names.key(person.name),
        role=person.role.value,
        language=person.language,
        made_at=person.made_at,
        until=person.until,
    )


def _person(row: PersonRow) -> Person | None:
    try:
        role = Role(row.role)
    except ValueError:
        _log.error(
            "account %r has the role %r, which is none: it is not let in", row.name, row.role
        )
        return None
    return Person(row.id, row.name, role, row.language, row.made_at, row.until)
