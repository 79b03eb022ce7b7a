"""The home's people under /api: accounts, tokens of other programs, and who did what."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from der.sentence import say
from hems.access.access import Access
from hems.access.errors import UnknownError
from hems.access.journal import Noted
from hems.access.lifetimes import over
from hems.access.people import NewPerson, Person
from hems.access.rights import RIGHTS, Right, Role, Who
from hems.access.tokens import NewToken
from hems.clock import Clock
from hems.store.people import TokenRow
from web.access_api import REFUSALS
from web.access_models import (
    ChangeOrder,
    CheckAnswer,
    CheckQuery,
    DeedAnswer,
    MadeTokenAnswer,
    NewPasswordOrder,
    PeopleAnswer,
    PersonAnswer,
    PersonOrder,
    RoleAnswer,
    RuleOrder,
    TokenAnswer,
    TokenOrder,
    TokensAnswer,
    TrailAnswer,
    TrailQuery,
)
from web.asked import asked_of
from web.operation import Operation
from web.whence import place_of

_LARGEST: Final = 18
"""Digits of a number that SQLite can have as a key."""


class PeopleApi:
    """Accounts, tokens and the trail.

    Args:
        access: Who may do what.
        clock: Where the time comes from.
        forget: Ends what somebody who has gone is told on their phones; None where nobody is.
    """

    def __init__(
        self,
        access: Access,
        clock: Clock,
        forget: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._access = access
        self._clock = clock
        self._forget = forget

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        own, audit, made = Right.OWN, Right.AUDIT, HTTPStatus.CREATED
        person, password = "/api/people/{person}", "/api/people/{person}/password"
        return [
            Operation("GET", "/api/people", cls.people, audit, refusals=REFUSALS),
            Operation(
                "POST", "/api/people", cls.add, own, status=made, refusals=REFUSALS, proof=True
            ),
            Operation("PUT", "/api/people/rules", cls.rule, own, refusals=REFUSALS, proof=True),
            Operation("POST", f"{person}/recover", cls.recover, own, refusals=REFUSALS, proof=True),
            Operation("PUT", person, cls.change, own, refusals=REFUSALS, proof=True),
            Operation("DELETE", person, cls.remove, own, refusals=REFUSALS, proof=True),
            Operation("PUT", password, cls.password, own, refusals=REFUSALS, proof=True),
            Operation("DELETE", f"{person}/sessions", cls.end, own, refusals=REFUSALS),
            Operation("GET", "/api/tokens", cls.tokens, audit, refusals=REFUSALS),
            Operation(
                "POST", "/api/tokens", cls.make, own, status=made, refusals=REFUSALS, proof=True
            ),
            Operation("DELETE", "/api/tokens/{token}", cls.take_back, own, refusals=REFUSALS),
            Operation("GET", "/api/trail", cls.trail, audit, refusals=REFUSALS),
            Operation("GET", "/api/trail/check", cls.check, audit, refusals=REFUSALS),
        ]

    async def people(self) -> PeopleAnswer:
        """Tell who has an account, and what each role may do."""
        return PeopleAnswer(
            people=[self._person(person) for person in self._access.people.all()],
            roles=[
                RoleAnswer(
                    role=role,
                    rights=[right for right in Right if right in RIGHTS[role]],
                    second=role in self._access.policy.roles,
                )
                for role in Role
            ],
        )

    async def add(self, body: PersonOrder, request: web.Request) -> PersonAnswer:
        """Make an account."""
        await self._access.ready()
        new = NewPerson(
            body.name, body.role, body.password.get_secret_value(), body.language, body.until
        )
        person = await self._access.people.add(new)
        asked_of(request).about = f"{person.name} ({person.role.value})"
        return self._person(person)

    async def change(self, person: str, body: ChangeOrder, request: web.Request) -> PersonAnswer:
        """Give an account another role or end."""
        before = self._access.people.get(number_of(person))
        changed = await self._access.change(before.id, body.role, body.until)
        asked = asked_of(request)
        asked.about = f"{changed.name} ({before.role.value} -> {changed.role.value})"
        own = None if asked.admitted is None else asked.admitted.login
        if own is not None and own.person.id == changed.id and changed.role is not before.role:
            asked.cookie, _ = await self._access.logins.open(changed, place_of(request))
        return self._person(changed)

    async def remove(self, person: str, request: web.Request) -> None:
        """Take an account away; its sessions end at once."""
        gone = await self._access.remove(number_of(person))
        asked_of(request).about = gone.name
        if self._forget is not None:
            await self._forget(gone.name)

    async def password(self, person: str, body: NewPasswordOrder, request: web.Request) -> None:
        """Give an account a new password; its sessions end at once."""
        number, new = number_of(person), body.new.get_secret_value()
        changed = await self._access.set_password(number, new)
        asked_of(request).about = changed.name

    async def recover(self, person: str, body: NewPasswordOrder, request: web.Request) -> None:
        """Let somebody in again who has lost their second factor; all owners are told."""
        changed = await self._access.recover(number_of(person), body.new.get_secret_value())
        asked_of(request).about = changed.name

    async def rule(self, body: RuleOrder, request: web.Request) -> PeopleAnswer:
        """Choose which roles need a second factor."""
        await self._access.require(body.second)
        asked_of(request).about = " ".join(sorted(body.second))
        return await self.people()

    async def end(self, person: str, request: web.Request) -> None:
        """Log somebody out everywhere."""
        found = self._access.people.get(number_of(person))
        asked_of(request).about = found.name
        await self._access.logins.end_all(found.id)

    async def tokens(self) -> TokensAnswer:
        """Tell what other programs get in by."""
        return TokensAnswer(tokens=[self._token(row) for row in self._access.tokens.all()])

    async def make(self, body: TokenOrder, who: Who, request: web.Request) -> MadeTokenAnswer:
        """Make a token for another program; it is told this once."""
        new = NewToken(body.name, body.role, body.until, body.rights, body.network, body.person)
        token, row = await self._access.tokens.make(new, who)
        held = f": {row.rights}" if row.rights else ""
        asked_of(request).about = f"{row.name} ({row.role}{held})"
        return MadeTokenAnswer(token=token, made=self._token(row))

    async def take_back(self, token: str, request: web.Request) -> None:
        """Take a token back; it works no more."""
        row = await self._access.tokens.end(number_of(token))
        asked_of(request).about = row.name

    async def trail(self, query: TrailQuery) -> TrailAnswer:
        """Tell who did what, the newest first."""
        rows = await self._access.journal.newest(query.most + 1, query.before)
        return TrailAnswer(
            deeds=[_deed(row) for row in rows[: query.most]], more=len(rows) > query.most
        )

    async def check(self, query: CheckQuery) -> CheckAnswer:
        """Tell whether the trail is as it was written."""
        noted = bytes.fromhex(query.link) if query.link else None
        verdict = await self._access.journal.verify(noted)
        return CheckAnswer(
            rows=verdict.rows,
            broken_at=verdict.broken_at,
            link=verdict.link.hex(),
            known=verdict.known,
        )

    def _person(self, person: Person) -> PersonAnswer:
        sessions = self._access.logins.of(person.id)
        return PersonAnswer(
            id=person.id,
            name=person.name,
            role=person.role,
            language=person.language,
            made_at=person.made_at,
            until=person.until,
            ended=over(person.until, self._clock.now()),
            seen_at=max((row.seen_at for row in sessions), default=None),
            sessions=len(sessions),
            second=self._access.factors.of(person.id).second,
        )

    def _token(self, row: TokenRow) -> TokenAnswer:
        who = self._access.tokens.holder(row)
        return TokenAnswer(
            id=row.id,
            name=row.name,
            role=Role(row.role),
            made_by=row.made_by,
            made_at=row.made_at,
            until=row.until,
            used_at=row.used_at,
            ended=who is None,
            rights=[] if who is None else [right for right in Right if who.may(right)],
            network=row.network or "",
            person=row.person,
        )


def number_of(text: str) -> int:
    """Return the number of something; raises UnknownError where that is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LARGEST):
        raise UnknownError(say("There is nothing of that number."))
    return int(text)


def _deed(row: Noted) -> DeedAnswer:
    deed = row.deed
    return DeedAnswer(
        seq=row.seq,
        at=row.at,
        who=None if deed is None else deed.who,
        role=None if deed is None else deed.role,
        way=None if deed is None else deed.way,
        origin=None if deed is None else deed.origin,
        did=None if deed is None else deed.did,
        about=None if deed is None else deed.about,
        outcome=None if deed is None else deed.outcome,
    )
