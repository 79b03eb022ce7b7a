"""Attempts to prove who somebody is: by password and, where they have one, a second factor."""

from dataclasses import dataclass, field
from typing import Final

from der.sentence import say
from hems.access import names
from hems.access.brake import Brake, Count, From, code_counts, counts
from hems.access.browsers import Browsers
from hems.access.errors import SecondError, TooOftenError, WrongError
from hems.access.factors import Factors
from hems.access.passkeys import Passkeys, Signed, Site
from hems.access.people import People, Person
from hems.clock import Clock
from hems.security_event import EventKind, Note, SecurityEvent, unheard

_PASSKEYS_FREE: Final = 20
_PASSKEYS_LONGEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody asks from.

    Attributes:
        origin: Their address; of IPv6 what is before the interface's part.
        agent: What their browser calls itself.
        here: Whether it is the hub's own machine.
        near: Whether it is on the home's own network.
        browser: By which token their browser is known; empty where it has none.
    """

    origin: str
    agent: str = ""
    here: bool = False
    near: bool = False
    browser: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody typed to prove who they are.

    Attributes:
        password: As it was typed.
        code: Of their app, or a recovery code; empty for none.
    """

    password: str = field(repr=False)
    code: str = field(default="", repr=False)


class Proofs:
    """Takes attempts, and holds up who guesses; awaited methods raise StoreError too.

    Args:
        people: Who has an account.
        factors: Codes that are typed.
        passkeys: Keys that prove it alone.
        browsers: From which they have been in before.
        clock: Where the time comes from.
        note: Told who failed.
    """

    def __init__(
        self,
        people: People,
        factors: Factors,
        passkeys: Passkeys,
        browsers: Browsers,
        *,
        clock: Clock,
        note: Note = unheard,
    ) -> None:
        self._people = people
        self._factors = factors
        self._passkeys = passkeys
        self._browsers = browsers
        self._clock = clock
        self._note = note
        self._brake = Brake()

    async def typed(self, name: str, person: Person | None, given: Given, place: Place) -> None:
        """Refuse what does not prove who somebody is.

        Args:
            name: Under which they want to get in.
            person: Whose account that is; None where there is none to get into.
            given: What they typed.
            place: Where they ask from.

        Raises:
            SecondError: The password is right, and a code is missing.
            WrongError: It does not fit; nothing tells what.
            TooOftenError: It was tried too often.
        """
        key, where = names.key(name), self._from(person, place)
        counted, codes = counts(key, where), code_counts(key, where)
        self._wait((*counted, *codes) if given.code else counted, person, place)
        self._brake.begin(counted, self._clock.monotonic())
        ours = where.here or bool(where.browser)
        if not await self._people.proves(person, given.password, ours=ours):
            self._failed(person, place, say("A wrong password was tried."))
            raise WrongError(say("Name and password do not fit."))
        if person is not None and self._factors.of(person.id).second:
            if not given.code:
                self._brake.undo(counted)
                raise SecondError(say("Type the code of your app too, or a recovery code."))
            await self._code(person, given.code, codes, place)
        self._brake.passed(counted)

    async def passkey_login(self, site: Site, signed: Signed, place: Place) -> Person:
        """Return who a passkey says that they are.

        Raises:
            WrongError: It is not good, or their account has ended.
            TooOftenError: It was tried too often.
        """
        counted = self._begin_passkey(place)
        try:
            number = await self._passkeys.log_in(site, signed)
        except WrongError:
            self._failed(None, place, say("A passkey that is not good was tried."))
            raise
        person = self._people.valid(number)
        if person is None:
            raise WrongError(say("This passkey is not known here."))
        self._brake.passed(counted)
        return person

    async def passkey(
        self, person: Person, session: int, site: Site, signed: Signed, place: Place
    ) -> None:
        """Refuse a passkey that does not prove who somebody is who is logged in.

        Raises:
            WrongError: It does not.
            TooOftenError: It was tried too often.
        """
        counted = self._begin_passkey(place)
        try:
            await self._passkeys.prove(person.id, session, site, signed)
        except WrongError:
            self._failed(person, place, say("A passkey that is not good was tried."))
            raise
        self._brake.passed(counted)

    async def _code(
        self, person: Person, code: str, counted: tuple[Count, ...], place: Place
    ) -> None:
        self._wait(
            counted, person, place
        )  # many may have come this far while passwords were hashed
        self._brake.begin(counted, self._clock.monotonic())
        if not await self._factors.take(person, code):
            text = say("Somebody who knows the password tried a wrong code.")
            self._failed(person, place, text)
            raise WrongError(say("That code does not fit, or was used before."))
        self._brake.passed(counted)

    def _begin_passkey(self, place: Place) -> tuple[Count, ...]:
        key = ("passkey", place.origin)
        counted = (Count(key, _PASSKEYS_FREE, _PASSKEYS_LONGEST_S),)
        self._wait(counted, None, place)
        self._brake.begin(counted, self._clock.monotonic())
        return counted

    def _wait(self, counted: tuple[Count, ...], person: Person | None, place: Place) -> None:
        wait_s = self._brake.wait_s(counted, self._clock.monotonic())
        if wait_s > 0:
            about = "" if person is None else person.name
            text = say("So many attempts failed that no more are taken for a while.")
            self._note(SecurityEvent(EventKind.LOGIN_BLOCKED, text, about, place.origin))
            raise too_often(wait_s)

    def _failed(self, person: Person | None, place: Place, text: str) -> None:
        # Never what was typed as a name: people type passwords there.
        about = "" if person is None else person.name
        self._note(SecurityEvent(EventKind.LOGIN_FAILED, text, about, place.origin))

    def _from(self, person: Person | None, place: Place) -> From:
        known = person is not None and self._browsers.known(person.id, place.browser)
        browser = place.browser if known else ""
        return From(place.origin, place.near, place.here, browser)


def too_often(wait_s: float) -> TooOftenError:
    """Return the refusal of somebody who has to wait, in s."""
    seconds = max(1, round(wait_s + 0.5))
    sentence = say("That was tried too often. Try again in {seconds} s.", seconds=seconds)
    return TooOftenError(sentence, wait_s)
