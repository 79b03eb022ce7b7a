"""Who may see and do what in the home, until when, under /api: those who do not live here.

Consents are given here, and listed beside what the parties' roles and tokens allow them; who may
see what is measured of the grid stands at `/api/grants`.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from hems.access.access import Access
from hems.access.consent_rules import FITS, LONGEST_S, Consent, ConsentPurpose
from hems.access.consents import NewConsent
from hems.access.lifetimes import over
from hems.access.people import Person
from hems.access.rights import PARTIES, RIGHTS, Right, Role, Who
from hems.clock import Clock
from web.access_api import REFUSALS
from web.asked import asked_of
from web.models import Answer, Input
from web.operation import Operation
from web.people_api import number_of

_MOST: Final = 200
"""Consents that are over, as listed: the newest."""


class ConsentAnswer(Answer):
    """A consent; fields as in `hems.access.consent_rules.Consent`.

    Attributes:
        holds: Whether it holds now.
    """

    id: int
    person: int
    name: str
    purpose: ConsentPurpose
    rights: Sequence[Right]
    granted_by: str
    granted_at: float
    until: float
    withdrawn_at: float | None
    holds: bool


class PartyAnswer(Answer):
    """Somebody with an account who does not live here; times in UTC epoch seconds.

    Attributes:
        id: Number of the account.
        rights: What their role lets them do.
        until: When the account ends; null for never.
        ended: Whether it has.
        tokens: How many programs get in for them.
    """

    id: int
    name: str
    role: Role
    rights: Sequence[Right]
    until: float | None
    ended: bool
    tokens: int


class PurposeAnswer(Answer):
    """What a consent can be for, and what it may allow at most."""

    purpose: ConsentPurpose
    rights: Sequence[Right]


class ConsentsAnswer(Answer):
    """Who may see and do what.

    Attributes:
        parties: Those who do not live here, the oldest first.
        consents: What they may do beyond their roles, those that hold first.
        purposes: What consents can be for.
        longest_s: How long one lasts at most, in s.
    """

    parties: Sequence[PartyAnswer]
    consents: Sequence[ConsentAnswer]
    purposes: Sequence[PurposeAnswer]
    longest_s: float


class ConsentOrder(Input):
    """What the owner consents to; fields as in `hems.access.consents.NewConsent`."""

    person: int
    purpose: ConsentPurpose
    rights: frozenset[Right]
    until: Annotated[float, Field(allow_inf_nan=False)]


class ConsentsApi:
    """Consents.

    Args:
        access: Who may do what.
        clock: Where the time comes from.
    """

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        grant, made = Right.GRANT, HTTPStatus.CREATED
        one = "/api/consents/{consent}"
        return [
            Operation("GET", "/api/consents", cls.consents, Right.AUDIT, refusals=REFUSALS),
            Operation(
                "POST",
                "/api/consents",
                cls.grant,
                grant,
                status=made,
                refusals=REFUSALS,
                proof=True,
            ),
            Operation("DELETE", one, cls.withdraw, grant, refusals=REFUSALS),
        ]

    async def consents(self) -> ConsentsAnswer:
        """Tell who may see and do what, until when."""
        found = [self._answer(each) for each in self._access.consents.all()]
        holding = [each for each in found if each.holds]
        past = [each for each in found if not each.holds]
        people = [each for each in self._access.people.all() if each.role in PARTIES]
        return ConsentsAnswer(
            parties=[self._party(each) for each in people],
            consents=[*holding, *past[:_MOST]],
            purposes=[
                PurposeAnswer(purpose=each, rights=_in_order(rights))
                for each, rights in FITS.items()
            ],
            longest_s=LONGEST_S,
        )

    async def grant(self, body: ConsentOrder, who: Who, request: web.Request) -> ConsentAnswer:
        """Let a party see or do something for one purpose, until a day."""
        new = NewConsent(body.person, body.purpose, body.rights, body.until)
        made = await self._access.grant(new, who)
        rights = ", ".join(_in_order(made.rights))
        asked_of(request).about = f"{made.name}: {rights} ({made.purpose}) consent {made.id}"
        return self._answer(made)

    async def withdraw(self, consent: str, request: web.Request) -> None:
        """Take a consent back; it ends at once."""
        ended = await self._access.withdraw(number_of(consent))
        asked_of(request).about = ended.name

    def _answer(self, consent: Consent) -> ConsentAnswer:
        return ConsentAnswer(
            id=consent.id,
            person=consent.person,
            name=consent.name,
            purpose=consent.purpose,
            rights=_in_order(consent.rights),
            granted_by=consent.granted_by,
            granted_at=consent.granted_at,
            until=consent.until,
            withdrawn_at=consent.withdrawn_at,
            holds=self._access.consents.holds(consent),
        )

    def _party(self, person: Person) -> PartyAnswer:
        return PartyAnswer(
            id=person.id,
            name=person.name,
            role=person.role,
            rights=_in_order(RIGHTS[person.role] - {Right.ANYBODY}),
            until=person.until,
            ended=over(person.until, self._clock.now()),
            tokens=sum(row.person == person.id for row in self._access.tokens.all()),
        )


def _in_order(rights: frozenset[Right]) -> list[Right]:
    return [right for right in Right if right in rights]
