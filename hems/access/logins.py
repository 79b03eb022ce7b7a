"""Who is logged in, and how somebody logs in."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der.sentence import say
from hems.access import random_token
from hems.access.errors import SecondError, UnknownError, WrongError
from hems.access.lifetimes import PROVED_S, TOUCH_S, ends_at, over
from hems.access.passkeys import Signed, Site
from hems.access.people import People, Person
from hems.access.proofs import Given, Place, Proofs
from hems.clock import Clock
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.errors import StoreError
from hems.store.people import PeopleStore, SessionRow

_log = logging.getLogger(__name__)

_MOST: Final = 20
"""Sessions of one account; of more the one that was used longest ago ends."""
_AGENT: Final = 200
_RETIRED_S: Final = 30.0
"""So long a session's token before the present one is taken too: for what is under way."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who is logged in.

    Attributes:
        person: Who.
        session: By which session.
        by: Digest of the token that they showed.
    """

    person: Person
    session: SessionRow
    by: bytes = field(default=b"", repr=False)


class Logins:
    """The sessions; every method that is awaited raises StoreError if the store refuses.

    Args:
        people: Who has an account.
        proofs: How they prove who they are.
        store: Where sessions are kept.
        clock: Where the time comes from.
        note: Told who gets in.
    """

    def __init__(
        self,
        people: People,
        proofs: Proofs,
        store: PeopleStore,
        clock: Clock,
        note: Note = unheard,
    ) -> None:
        self._people = people
        self._proofs = proofs
        self._store = store
        self._clock = clock
        self._note = note
        self._sessions: dict[bytes, SessionRow] = {}
        self._proved: dict[bytes, float] = {}
        self._retired: dict[bytes, tuple[int, float]] = {}

    async def ready(self) -> None:
        """Read the sessions."""
        self._sessions = {row.digest: row for row in await self._store.sessions()}

    async def log_in(
        self, name: str, password: str, place: Place, code: str = ""
    ) -> tuple[str, Login]:
        """Let somebody in by name, password and code; returns the token of a new session.

        Raises:
            SecondError: The password is right, and a code is needed too.
            WrongError: They do not fit, or the account has ended; nothing tells which.
            TooOftenError: It was tried too often.
        """
        found = self._people.find(name)
        person = None if found is None else self._people.valid(found.id)
        await self._proofs.typed(name, person, Given(password, code), place)
        if person is None:
            raise WrongError(say("Name and password do not fit."))
        return await self.open(person, place)

    async def log_in_by_passkey(
        self, site: Site, signed: Signed, place: Place
    ) -> tuple[str, Login]:
        """Let somebody in by a passkey alone; returns the token of a new session.

        Raises:
            WrongError: It is not good, or the account has ended.
            TooOftenError: It was tried too often.
        """
        return await self.open(await self._proofs.passkey_login(site, signed, place), place)

    async def confirm(
        self, login: Login, password: str, place: Place, code: str = ""
    ) -> tuple[str, Login]:
        """Have somebody who is logged in prove once more who they are.

        Returns:
            The session's token from now on: what was there before proves nothing.

        Raises:
            SecondError: The password is right, and a code is needed too.
            WrongError: It is not their password, or not their code.
            TooOftenError: It was tried too often.
        """
        person = login.person
        try:
            await self._proofs.typed(person.name, person, Given(password, code), place)
        except SecondError:
            raise
        except WrongError as error:
            if code:
                raise WrongError(say("Password and code do not fit.")) from error
            raise WrongError(say("That is not your password.")) from error
        return await self.renew(login)

    async def confirm_by_passkey(
        self, login: Login, site: Site, signed: Signed, place: Place
    ) -> tuple[str, Login]:
        """Have somebody who is logged in prove it once more by a passkey; likewise."""
        session = login.session.id
        await self._proofs.passkey(login.person, session, site, signed, place)
        return await self.renew(login)

    def proved(self, login: Login) -> bool:
        """Return whether who is logged in has proved lately who they are, by that very token."""
        at = self._proved.get(login.by)
        return at is not None and self._clock.monotonic() - at < PROVED_S

    async def renew(self, login: Login) -> tuple[str, Login]:
        """Give a session another token, as proved; what is under way by the old one may end.

        Raises:
            UnknownError: It has ended.
        """
        session, token = login.session.id, random_token.make()
        digest, now = random_token.digest(token), self._clock.monotonic()
        await self._store.renew_session(session, digest)
        row = self.get(session)  # it may have ended, or been renewed, meanwhile
        self._forget(row)
        self._retired = {
            each: kept for each, kept in self._retired.items() if now - kept[1] < _RETIRED_S
        }
        self._retired[row.digest] = (session, now)
        changed = self._sessions[digest] = replace(row, digest=digest)
        self._proved[digest] = now
        return token, Login(login.person, changed, digest)

    async def open(self, person: Person, place: Place) -> tuple[str, Login]:
        """Log somebody in who has proved who they are; returns the new session's token."""
        now = self._clock.now()
        await self._end([row for row in self._sessions.values() if self._over(row, now)])
        own = sorted(self.of(person.id), key=lambda row: row.seen_at)
        await self._end(own[: max(0, len(own) - _MOST + 1)])
        token = random_token.make()
        row = SessionRow(
            id=0,
            person=person.id,
            digest=random_token.digest(token),
            made_at=now,
            seen_at=now,
            origin=place.origin,
            agent=place.agent[:_AGENT],
        )
        row = replace(row, id=await self._store.add_session(row))
        self._sessions[row.digest] = row
        self._proved[row.digest] = self._clock.monotonic()
        text = say("{name} logged in.", name=person.name)
        self._note(SecurityEvent(EventKind.LOGGED_IN, text, person.name, place.origin))
        return token, Login(person, row, row.digest)

    def by_token(self, token: str) -> Login | None:
        """Return who is logged in by a token; None if nobody is, or not any more."""
        digest = random_token.digest(token)
        row = self._sessions.get(digest) or self._by_retired(digest)
        if row is None or self._over(row, self._clock.now()):
            return None
        person = self._people.valid(row.person)
        return None if person is None else Login(person, row, digest)

    def _by_retired(self, digest: bytes) -> SessionRow | None:
        number, at = self._retired.get(digest, (0, 0.0))
        if not number or self._clock.monotonic() - at >= _RETIRED_S:
            return None
        return next((row for row in self._sessions.values() if row.id == number), None)

    async def touch(self, login: Login) -> None:
        """Note that a session was used; written down now and then only."""
        row, now = login.session, self._clock.now()
        if row.digest not in self._sessions or 0 <= now - row.seen_at < TOUCH_S:
            return
        self._sessions[row.digest] = replace(row, seen_at=now)
        try:
            await self._store.touch_session(row.id, now)
        except StoreError as error:
            _log.warning("the use of a session is not written down: %s", error)

    def of(self, person: int) -> Sequence[SessionRow]:
        """Return where somebody is logged in, the newest first."""
        now = self._clock.now()
        rows = [r for r in self._sessions.values() if r.person == person and not self._over(r, now)]
        return tuple(sorted(rows, key=lambda row: -row.id))

    def get(self, session: int) -> SessionRow:
        """Return a session by its number; raises UnknownError if there is none."""
        for row in self._sessions.values():
            if row.id == session:
                return row
        raise UnknownError(say("Nobody is logged in by that any more."))

    async def end(self, session: int) -> None:
        """End a session; raises UnknownError if there is none."""
        await self._end([self.get(session)])

    async def drop(self, session: SessionRow) -> None:
        """End a session that may have ended already."""
        if session.digest in self._sessions:
            await self._end([session])

    async def set_password(self, person: int, password: str) -> Person:
        """Give somebody a new password and end all their sessions; raises as `People` does."""
        changed = await self._people.set_password(person, password)
        await self.end_all(person)
        return changed

    async def end_all(self, person: int) -> None:
        """End all sessions of somebody."""
        await self._end([row for row in self._sessions.values() if row.person == person])

    async def _end(self, rows: Sequence[SessionRow]) -> None:
        if rows:
            for row in rows:  # first here: what is ended must not work, whatever the disk does
                self._forget(row)
            await self._store.remove_sessions([row.id for row in rows])

    def _forget(self, row: SessionRow) -> None:
        self._sessions.pop(row.digest, None)
        self._proved.pop(row.digest, None)

    def _over(self, row: SessionRow, now: float) -> bool:
        person = self._people.valid(row.person)
        if person is None:
            return True
        return over(ends_at(person.role, row.made_at, row.seen_at, person.until), now)
