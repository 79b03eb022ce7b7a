"""Who is logged in, and how somebody logs in."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.sentence import say
from hems.access import names, random_token
from hems.access.brake import Brake, counts
from hems.access.errors import TooOftenError, UnknownError, WrongError
from hems.access.lifetimes import PROVED_S, TOUCH_S, ends_at, over
from hems.access.people import People, Person
from hems.clock import Clock
from hems.store.errors import StoreError
from hems.store.people import PeopleStore, SessionRow

_log = logging.getLogger(__name__)

_MOST: Final = 20
"""Sessions of one account; of more the one that was used longest ago ends."""
_AGENT: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody asks from.

    Attributes:
        origin: Their address; of IPv6 what is before the interface's part.
        agent: What their browser calls itself.
        here: Whether it is the hub's own machine.
    """

    origin: str
    agent: str = ""
    here: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who is logged in.

    Attributes:
        person: Who.
        session: By which session.
    """

    person: Person
    session: SessionRow


class Logins:
    """The sessions; every method that is awaited raises StoreError if the store refuses.

    Args:
        people: Who has an account.
        store: Where sessions are kept.
        clock: Where the time comes from.
    """

    def __init__(self, people: People, store: PeopleStore, clock: Clock) -> None:
        self._people = people
        self._store = store
        self._clock = clock
        self._brake = Brake()
        self._sessions: dict[bytes, SessionRow] = {}
        self._proved: dict[bytes, float] = {}

    async def ready(self) -> None:
        """Read the sessions."""
        self._sessions = {row.digest: row for row in await self._store.sessions()}

    async def log_in(self, name: str, password: str, place: Place) -> tuple[str, Login]:
        """Let somebody in by name and password; returns the token of a new session.

        Raises:
            WrongError: They do not fit, or the account has ended; nothing tells which.
            TooOftenError: It was tried too often.
        """
        found = self._people.find(name)
        person = None if found is None else self._people.valid(found.id)
        await self._tried(names.key(name), person, password, place)
        if person is None:
            raise WrongError(say("Name and password do not fit."))
        return await self.open(person, place)

    async def confirm(self, login: Login, password: str, place: Place) -> None:
        """Have somebody who is logged in prove once more who they are.

        Raises:
            WrongError: It is not their password.
            TooOftenError: It was tried too often.
        """
        person = login.person
        try:
            await self._tried(names.key(person.name), person, password, place)
        except WrongError as error:
            raise WrongError(say("That is not your password.")) from error
        self._prove(login.session)

    def proved(self, session: SessionRow) -> bool:
        """Return whether who is logged in by a session has typed their password lately."""
        at = self._proved.get(session.digest)
        return at is not None and self._clock.monotonic() - at < PROVED_S

    def _prove(self, session: SessionRow) -> None:
        if session.digest in self._sessions:
            self._proved[session.digest] = self._clock.monotonic()

    async def _tried(self, name: str, person: Person | None, password: str, place: Place) -> None:
        known = place.here or (person is not None and self._is_known(person, place))
        counted = counts(name, place.origin, known=known)
        now = self._clock.monotonic()
        wait_s = self._brake.wait_s(counted, now)
        if wait_s > 0:
            raise too_often(wait_s)
        self._brake.begin(counted, now)
        if not await self._people.proves(person, password):
            raise WrongError(say("Name and password do not fit."))
        self._brake.passed(counted)

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
        self._prove(row)
        return token, Login(person, row)

    def by_token(self, token: str) -> Login | None:
        """Return who is logged in by a token; None if nobody is, or not any more."""
        row = self._sessions.get(random_token.digest(token))
        if row is None or self._over(row, self._clock.now()):
            return None
        person = self._people.valid(row.person)
        return None if person is None else Login(person, row)

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
                self._sessions.pop(row.digest, None)
                self._proved.pop(row.digest, None)
            await self._store.remove_sessions([row.id for row in rows])

    def _is_known(self, person: Person, place: Place) -> bool:
        return any(row.origin == place.origin for row in self.of(person.id))

    def _over(self, row: SessionRow, now: float) -> bool:
        person = self._people.valid(row.person)
        if person is None:
            return True
        return over(ends_at(person.role, row.made_at, row.seen_at, person.until), now)


def too_often(wait_s: float) -> TooOftenError:
    """Return the refusal of somebody who has to wait, in s."""
    seconds = max(1, round(wait_s + 0.5))
    sentence = say("That was tried too often. Try again in {seconds} s.", seconds=seconds)
    return TooOftenError(sentence, wait_s)
