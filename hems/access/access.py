"""All that decides who may do what in a running home, put together."""

import asyncio
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from der.sentence import say
from hems.access import random_token
from hems.access.browsers import Browsers
from hems.access.challenges import Challenges
from hems.access.consent_rules import Consent
from hems.access.consents import Consents, NewConsent
from hems.access.credentials import Credentials
from hems.access.factors import Factors
from hems.access.journal import Journal
from hems.access.logins import Logins
from hems.access.passkeys import Passkeys
from hems.access.passwords import Hasher
from hems.access.people import NewPerson, People, Person
from hems.access.policy import Policy
from hems.access.proofs import Place, Proofs
from hems.access.rights import HERE, RIGHTS, Right, Role, Who
from hems.access.setup_code import SetupCode
from hems.access.tokens import Tokens
from hems.clock import Clock
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.people import PeopleStore
from hems.store.trail import TrailStore


def _silent(text: str) -> None:
    """Alarm nobody: for accounts that stand alone."""
    del text


@dataclass(slots=True)
class Access:
    """Accounts, sessions, tokens, consents and the trail of a running home.

    Attributes:
        people: Who has an account.
        credentials: By what they prove who they are beside their passwords.
        factors: Of these what is typed.
        passkeys: Of these what proves it alone.
        browsers: From which they have been in before.
        policy: Who needs a second factor.
        logins: Who is logged in.
        tokens: By which other programs get in.
        consents: What parties may do beyond their roles.
        journal: What is written down of it all.
        code: By which the first account can be made from elsewhere.
        blank: Returns whether the store has never held anything, so no account either.
        note: Told what bears on security.
        alarm: Told, in one sentence, what all owners are to know at once.
        machine: The token of the hub's own machine, made anew at each start.
    """

    people: People
    credentials: Credentials
    factors: Factors
    passkeys: Passkeys
    browsers: Browsers
    policy: Policy
    logins: Logins
    tokens: Tokens
    consents: Consents
    journal: Journal
    code: SetupCode
    blank: Callable[[], bool]
    note: Note = unheard
    alarm: Callable[[str], None] = _silent
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
            await self.credentials.ready()
            await self.policy.ready()
            await self.consents.ready()
            await self.logins.ready()
            await self.tokens.ready()
            if not self.people.exist:
                self.code.show()
            else:
                self.code.forget()
            self._read = True

    def who(self, person: Person) -> Who:
        """Return what somebody with an account may do now.

        By their role and by consents; nothing but to set up a second factor, where their role
        needs one that they do not have.
        """
        if self.lacks(person):
            return Who(person.name, person.role, frozenset({Right.ANYBODY}))
        added = self.consents.added(person.id)
        if not added:
            return person.who
        rights = RIGHTS[person.role] | {right for right, _ in added}
        own = RIGHTS[person.role]
        return Who(person.name, person.role, rights, tuple(p for p in added if p[0] not in own))

    def lacks(self, person: Person) -> bool:
        """Return whether somebody has to set up a second factor before anything else."""
        return person.role in self.policy.roles and not self.factors.of(person.id).second

    def told(self, name: str) -> bool:
        """Return whether somebody of a name is still one who is told what is new in the home."""
        if name == HERE.name:
            return True
        person = self.people.find(name)
        if person is not None:
            return self.people.valid(person.id) is not None and self.who(person).may(Right.STEER)
        return self.tokens.alive(name)

    def is_machine(self, token: str) -> bool:
        """Return whether a token is that of the hub's own machine."""
        return secrets.compare_digest(token.encode("utf-8", "surrogatepass"), self.machine.encode())

    async def change(self, person: int, role: Role, until: float | None) -> Person:
        """Give somebody another role or end; with another role they log in anew.

        Consents end with the role that they were given to. Raises as `People.change` does.
        """
        before = self.people.get(person)
        changed = await self.people.change(person, role, until)
        if changed.role is not before.role:
            await self.consents.withdraw_all(person)
            await self.logins.end_all(person)
        return changed

    async def remove(self, person: int) -> Person:
        """Take an account away with all that gets in by it; raises as `People.remove` does."""
        gone = await self.people.remove(person)
        self.tokens.forget(person)
        self.credentials.forget(person)
        await self.consents.withdraw_all(person)
        await self.logins.end_all(person)
        return gone

    async def set_password(self, person: int, password: str) -> Person:
        """Give somebody a new password and end all their sessions; raises as `People` does."""
        changed = await self.logins.set_password(person, password)
        await self.browsers.forget(person)
        return changed

    async def recover(self, person: int, password: str) -> Person:
        """Let somebody in again who has lost their second factor: by a new password alone.

        All owners are told. Raises as `People.set_password` does.
        """
        changed = await self.set_password(person, password)
        await self.factors.remove_all(person)
        text = say("The account of {name} was recovered with a new password.", name=changed.name)
        self.note(SecurityEvent(EventKind.ACCOUNT_CHANGED, text, changed.name))
        self.alarm(text)
        return changed

    async def grant(self, new: NewConsent, by: Who) -> Consent:
        """Let a party see or do more; they log in anew for it. Raises as `Consents.grant` does."""
        made = await self.consents.grant(new, by)
        await self.logins.end_all(made.person)
        return made

    async def withdraw(self, consent: int) -> Consent:
        """Take a consent back and log out whose it was; raises as `Consents.withdraw` does."""
        ended = await self.consents.withdraw(consent)
        await self.logins.end_all(ended.person)
        return ended

    async def require(self, roles: Collection[Role]) -> None:
        """Have these roles, and no others, need a second factor."""
        await self.policy.put(roles)
        text = say("Which roles need a second factor was changed.")
        self.note(SecurityEvent(EventKind.ACCOUNT_CHANGED, text))

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
    store: PeopleStore,
    trail: TrailStore,
    code: Path,
    clock: Clock,
    hasher: Hasher | None = None,
    *,
    note: Note = unheard,
    alarm: Callable[[str], None] = _silent,
) -> Access:
    """Put it all together.

    Args:
        store: Where accounts are kept.
        trail: Where the trail is kept.
        code: Where the set-up code lies while it is needed.
        clock: Where the time comes from.
        hasher: By what passwords are kept; None for the usual.
        note: Told what bears on security.
        alarm: Told, in one sentence, what all owners are to know at once.
    """
    people = People(store, hasher or Hasher(), clock, note)
    credentials = Credentials(store, clock)
    factors = Factors(credentials, clock)
    passkeys = Passkeys(credentials, Challenges(clock))
    browsers = Browsers(credentials)
    proofs = Proofs(people, factors, passkeys, browsers, clock=clock, note=note)

    def who(number: int) -> Who | None:
        person = people.valid(number)
        return None if person is None else made.who(person)

    made = Access(
        people=people,
        credentials=credentials,
        factors=factors,
        passkeys=passkeys,
        browsers=browsers,
        policy=Policy(store.consents),
        logins=Logins(people, proofs, store, clock, note),
        tokens=Tokens(store, clock, who, note),
        consents=Consents(store.consents, people, clock, note),
        journal=Journal(trail, clock),
        code=SetupCode(code, clock),
        blank=store.blank,
        note=note,
        alarm=alarm,
    )
    return made
