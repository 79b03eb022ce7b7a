"""All that decides who may do what in a running home, put together."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from der.sentence import say
from hems.access import private_file, random_token
from hems.access.brake import Brake, Count
from hems.access.errors import WrongError
from hems.access.journal import Journal
from hems.access.logins import Logins, Place, too_often
from hems.access.passwords import Hasher
from hems.access.people import NewPerson, People, Person
from hems.access.rights import HERE, Right
from hems.access.tokens import Tokens
from hems.clock import Clock
from hems.store.people import PeopleStore
from hems.store.trail import TrailStore

_log = logging.getLogger(__name__)

_CODE_FREE: Final = 5
_CODE_LONGEST_S: Final = 60.0


class SetupCode:
    """The code by which the first account can be made from elsewhere than the hub's machine.

    It lies in a file that only the hub's user can read, and is logged, until it has been used.

    Args:
        path: Where it lies.
        clock: Where the time comes from.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._code: str | None = None
        self._brake = Brake()

    def show(self) -> None:
        """Make one and show it on this machine."""
        self._code = random_token.make_code()
        _log.info("set-up code for the first account, asked for elsewhere: %s", self._code)
        try:
            private_file.write(self._path, f"{self._code}\n")
        except (OSError, private_file.ExposedError) as error:
            _log.warning("`hems setup-code` cannot show the code: %s", error)

    def forget(self) -> None:
        """Have it mean nothing any more."""
        self._code = None
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("%s: a code that means nothing any more stays: %s", self._path, error)

    def check(self, typed: str, place: Place) -> None:
        """Refuse what is not the code.

        Raises:
            WrongError: It is another.
            TooOftenError: It was tried too often.
        """
        counted = (
            Count(("origin", place.origin), _CODE_FREE, _CODE_LONGEST_S),
            Count(("all",), 2 * _CODE_FREE, _CODE_LONGEST_S / 2),
        )
        now = self._clock.monotonic()
        wait_s = self._brake.wait_s(counted, now)
        if wait_s > 0:
            raise too_often(wait_s)
        self._brake.begin(counted, now)
        if self._code is None or not random_token.same_code(typed, self._code):
            raise WrongError(say("That is not the code that the hub shows."))
        self._brake.passed(counted)


@dataclass(slots=True)
class Access:
    """Accounts, sessions, tokens and the trail of a running home.

    Attributes:
        people: Who has an account.
        logins: Who is logged in.
        tokens: By which other programs get in.
        journal: What is written down of it all.
        code: By which the first account can be made from elsewhere.
        blank: Returns whether the store has never held anything, so no account either.
        machine: The token of the hub's own machine, made anew at each start.
    """

    people: People
    logins: Logins
    tokens: Tokens
    journal: Journal
    code: SetupCode
    blank: Callable[[], bool]
    machine: str = field(default_factory=random_token.make, repr=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _read: bool = False

    async def ready(self) -> None:
        """Read what is kept, the first time, and show the code where there is no account.

        Raises:
            StoreError: It cannot be read now; nobody is let in by what is not known.
        """
        if self._read:
            return
        async with self._reading:
            if self._read:
                return
            await self.people.ready()
            await self.logins.ready()
            await self.tokens.ready()
            if not self.people.exist:
                self.code.show()
            else:
                self.code.forget()
            self._read = True

    def told(self, name: str) -> bool:
        """Return whether somebody of a name is still one who is told what is new in the home."""
        if name == HERE.name:
            return True
        person = self.people.find(name)
        if person is not None:
            return self.people.valid(person.id) is not None and person.who.may(Right.STEER)
        return self.tokens.alive(name)

    def is_machine(self, token: str) -> bool:
        """Return whether a token is that of the hub's own machine."""
        return secrets.compare_digest(token.encode("utf-8", "surrogatepass"), self.machine.encode())

    async def first(self, new: NewPerson, place: Place, code: str | None) -> Person:
        """Make the first account, an owner's.

        Args:
            new: The account.
            place: Where it is asked for.
            code: What was typed as the set-up code; None for who needs none.

        Raises:
            FirstError: There is one already.
            WrongError: It is not the code.
            TooOftenError: Codes were tried too often.
            AccountError: The account cannot be so.
            StoreError: It cannot be kept.
        """
        self.people.check_first()
        if code is not None:
            self.code.check(code, place)
        person = await self.people.first(new)
        self.code.forget()
        return person


def access(
    store: PeopleStore, trail: TrailStore, code: Path, clock: Clock, hasher: Hasher | None = None
) -> Access:
    """Put it all together.

    Args:
        store: Where accounts are kept.
        trail: Where the trail is kept.
        code: Where the set-up code lies while it is needed.
        clock: Where the time comes from.
        hasher: By what passwords are kept; None for the usual.
    """
    people = People(store, hasher or Hasher(), clock)
    return Access(
        people=people,
        logins=Logins(people, store, clock),
        tokens=Tokens(store, clock),
        journal=Journal(trail, clock),
        code=SetupCode(code, clock),
        blank=store.blank,
    )
