"""What the owner granted to installers, service providers and aggregators; see `consent_rules`."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from der.sentence import say
from hems.access.consent_rules import Consent, ConsentPurpose, added, check
from hems.access.errors import UnknownError
from hems.access.people import People
from hems.access.rights import PARTIES, Right, Who
from hems.clock import Clock
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.consents import ConsentRow, ConsentStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewConsent:
    """A consent to be given; fields as in `hems.access.consent_rules.Consent`."""

    person: int
    purpose: ConsentPurpose
    rights: frozenset[Right]
    until: float


class Consents:
    """The consents; every method that is awaited raises StoreError if the store refuses.

    Args:
        store: Where they are kept.
        people: Who has an account.
        clock: Where the time comes from.
        note: Told what changes.
    """

    def __init__(
        self, store: ConsentStore, people: People, clock: Clock, note: Note = unheard
    ) -> None:
        self._store = store
        self._people = people
        self._clock = clock
        self._note = note
        self._consents: dict[int, Consent] = {}

    async def ready(self) -> None:
        """Read them."""
        found = [_consent(row) for row in await self._store.all()]
        self._consents = {each.id: each for each in found if each is not None}

    def all(self) -> Sequence[Consent]:
        """Return all of them, those that are over too, the newest first."""
        return tuple(sorted(self._consents.values(), key=lambda each: -each.id))

    def holds(self, consent: Consent) -> bool:
        """Return whether a consent holds: its account may have ended before it does."""
        person = self._people.valid(consent.person)
        at = self._clock.now()
        return person is not None and person.role in PARTIES and consent.holds(at)

    def added(self, person: int) -> tuple[tuple[Right, int], ...]:
        """Return what an account may do beyond its role now, and the consent for each of it."""
        found = self._people.valid(person)
        if found is None or found.role not in PARTIES:
            return ()
        return added(self._consents.values(), person, self._clock.now())

    async def grant(self, new: NewConsent, by: Who) -> Consent:
        """Allow something; it ends with the account, where that ends before.

        Raises:
            UnknownError: There is no such account.
            AccountError: It makes no sense; see `consent_rules.check`.
        """
        person = self._people.get(new.person)
        now = self._clock.now()
        rights = check(person.role, new.purpose, new.rights, new.until, now)
        until = new.until if person.until is None else min(new.until, person.until)
        made = Consent(0, person.id, person.name, new.purpose, rights, by.name, now, until)
        made = replace(made, id=await self._store.add(_row(made)))
        self._consents[made.id] = made
        self._tell(made, say("{name} may see or do more in the home now.", name=person.name))
        return made

    async def withdraw(self, number: int) -> Consent:
        """Take a consent back, at once.

        Raises:
            UnknownError: There is none.
        """
        if number not in self._consents:
            raise UnknownError(say("There is no such consent."))
        await self._end([self._consents[number]])
        return self._consents[number]

    async def withdraw_all(self, person: int) -> None:
        """Take all consents of an account back: it has gone, or is something else now."""
        await self._end([each for each in self._consents.values() if each.person == person])

    async def _end(self, consents: Iterable[Consent]) -> None:
        now = self._clock.now()
        ended = [each for each in consents if each.withdrawn_at is None]
        for each in ended:  # first here: what is taken back must not work, whatever the disk does
            self._consents[each.id] = replace(each, withdrawn_at=now)
            if now < each.until:
                self._tell(each, say("A consent to {name} is taken back.", name=each.name))
        if ended:  # those that are over too: a clock that is put right may find that they are not
            await self._store.withdraw([each.id for each in ended], now)

    def _tell(self, consent: Consent, text: str) -> None:
        self._note(SecurityEvent(EventKind.ACCOUNT_CHANGED, text, consent.name))


def _row(consent: Consent) -> ConsentRow:
    return ConsentRow(
        id=consent.id,
        person=consent.person,
        name=consent.name,
        purpose=consent.purpose.value,
        rights=",".join(sorted(consent.rights)),
        granted_by=consent.granted_by,
        granted_at=consent.granted_at,
        until=consent.until,
        withdrawn_at=consent.withdrawn_at,
    )


def _consent(row: ConsentRow) -> Consent | None:
    try:
        purpose = ConsentPurpose(row.purpose)
        rights = frozenset(Right(each) for each in row.rights.split(","))
    except ValueError:
        _log.error("consent %d is none that is known: it allows nothing", row.id)
        return None
    return Consent(
        id=row.id,
        person=row.person,
        name=row.name,
        purpose=purpose,
        rights=rights,
        granted_by=row.granted_by,
        granted_at=row.granted_at,
        until=row.until,
        withdrawn_at=row.withdrawn_at,
    )
