"""Second factors that are typed: codes by the clock (TOTP), and recovery codes that count once."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from der.sentence import say
from hems.access import random_token, totp
from hems.access.credentials import CODE, FACTORS, PASSKEY, TOTP, Credentials
from hems.access.errors import AccountError, UnknownError, WrongError
from hems.access.people import Person
from hems.clock import Clock

_log = logging.getLogger(__name__)

CODES: Final = 10
_GROUPS: Final = 4
_WAITS_S: Final = 900.0
"""How long an app may take to be set up."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which second factors somebody has.

    Attributes:
        app: Whether an app of theirs makes codes.
        passkeys: How many passkeys they have.
        codes: How many recovery codes are left.
    """

    app: bool
    passkeys: int
    codes: int

    @property
    def second(self) -> bool:
        """Whether their password alone is not enough."""
        return self.app or self.passkeys > 0


class Factors:
    """Codes that are typed; every method that is awaited raises StoreError if the store refuses.

    Args:
        credentials: Where they are kept.
        clock: Where the time comes from.
    """

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._begun: dict[int, tuple[str, float]] = {}

    def of(self, person: int) -> Standing:
        """Return which somebody has."""
        return Standing(
            app=bool(self._credentials.of(person, TOTP)),
            passkeys=len(self._credentials.of(person, PASSKEY)),
            codes=len(self._credentials.of(person, CODE)),
        )

    def begin(self, person: Person) -> str:
        """Have somebody set up an app; returns what it is to read (an otpauth URI).

        Nothing is different until a code of it was typed (`confirm`).

        Raises:
            AccountError: They have one.
        """
        if self.of(person.id).app:
            raise AccountError(say("There is an app for codes already. Remove that one first."))
        secret = totp.make()
        self._begun[person.id] = (secret, self._clock.monotonic())
        return totp.address(secret, person.name)

    async def confirm(self, person: Person, typed: str) -> Sequence[str]:
        """Have the app count from now on; returns recovery codes where these are the first.

        Args:
            person: Whose.
            typed: A code of the app.

        Raises:
            WrongError: It is no code of the app, or that took too long.
        """
        secret, at = self._begun.get(person.id, ("", 0.0))
        if not secret or self._clock.monotonic() - at >= _WAITS_S:
            raise WrongError(say("This took too long, or was done before. Try it once more."))
        step = totp.step_of(totp.Kept(secret=secret, step=-1), typed, self._clock.now())
        if step is None:
            raise WrongError(say("That is not the code that the app shows now."))
        del self._begun[person.id]
        kept = totp.Kept(secret=secret, step=step).model_dump_json()
        await self._credentials.add(person.id, TOTP, [("", kept)])
        return await self.first_codes(person)

    async def first_codes(self, person: Person) -> Sequence[str]:
        """Return new recovery codes for who has none; nothing for who has some."""
        return () if self.of(person.id).codes else await self.new_codes(person)

    async def new_codes(self, person: Person) -> Sequence[str]:
        """Return new recovery codes in place of all that there are; never told again."""
        codes = [random_token.make_code(_GROUPS) for _ in range(CODES)]
        old = self._credentials.of(person.id, CODE)
        kept = [("", _digest(person.id, code)) for code in codes]
        await self._credentials.add(person.id, CODE, kept)
        await self._credentials.remove(old)
        return codes

    async def remove_app(self, person: Person) -> None:
        """Have the app count no more; without another factor the password is enough again.

        Raises:
            UnknownError: There is none.
        """
        rows = self._credentials.of(person.id, TOTP)
        if not rows:
            raise UnknownError(say("There is no app for codes."))
        await self._credentials.remove(rows)
        await self.tidy(person.id)

    async def tidy(self, person: int) -> None:
        """Take out recovery codes of who has nothing to recover any more."""
        if not self.of(person).second:
            await self._credentials.remove_all(person, (CODE,))

    async def remove_all(self, person: int) -> None:
        """Take all second factors of somebody out: they have lost them."""
        self._begun.pop(person, None)
        await self._credentials.remove_all(person, FACTORS)

    async def take(self, person: Person, typed: str) -> bool:
        """Return whether a code is right: one of the app, or a recovery code; each counts once."""
        for row in self._credentials.of(person.id, TOTP):
            try:
                kept = totp.Kept.model_validate_json(row.secret)
            except ValidationError:
                _log.error("the app for codes of %r cannot be read", person.name)
                continue
            step = totp.step_of(kept, typed, self._clock.now())
            if step is not None:
                changed = totp.Kept(secret=kept.secret, step=step)
                await self._credentials.used(row, changed.model_dump_json())
                return True
        digest = _digest(person.id, typed)
        spent = [row for row in self._credentials.of(person.id, CODE) if row.secret == digest]
        await self._credentials.remove(spent)
        return bool(spent)


def _digest(person: int, code: str) -> str:
    """Return what is kept of a recovery code: with 79 bits it needs no slow hash."""
    said = f"{person} {random_token.plain(code)}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
