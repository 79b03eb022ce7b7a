"""What the operator's door takes and gives of operators, as JSON."""

from collections.abc import Collection
from typing import Annotated, Self

from pydantic import BaseModel, Field, SecretStr, StrictBool, StrictInt

from hems.headend.operator_asks import In
from hems.headend.operators.accounts import in_order
from hems.headend.operators.records import Account, Token
from hems.headend.operators.roles import Identity, OperatorRole, Way
from hems.headend.operators.trail import Entry
from hems.store.chain import Verdict

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Password = Annotated[SecretStr, Field(min_length=1, max_length=1000)]
_Roles = Annotated[list[OperatorRole], Field(min_length=1, max_length=len(OperatorRole))]


class LoginIn(In):
    """Name and password."""

    name: _Name
    password: _Password


class PasswordIn(In):
    """One's own password, and the next one."""

    old: _Password
    new: _Password


class NewPasswordIn(In):
    """A password for somebody who has lost theirs."""

    password: _Password


class OperatorIn(In):
    """An operator to be made."""

    name: _Name
    roles: _Roles
    password: _Password


class RolesIn(In):
    """An operator's roles from now on."""

    roles: _Roles


class TokenIn(In):
    """A token that a program is to show."""

    label: _Name
    days: Annotated[StrictInt, Field(ge=1, le=3650)] | None = 365
    """How long it holds; None for ever."""


class SessionOut(BaseModel):
    """Who asks, and how they got in."""

    name: str
    roles: list[OperatorRole]
    way: Way
    csrf: str
    """To be shown with each change in the header X-CSRF-Token; empty where none is needed."""
    until: float | None

    @classmethod
    def of(cls, who: Identity) -> Self:
        """Take a record over."""
        roles = list(in_order(who.roles))
        return cls(name=who.name, roles=roles, way=who.way, csrf=who.csrf, until=who.until)


class OperatorOut(BaseModel):
    """An operator."""

    name: str
    roles: list[OperatorRole]
    made_at: float
    made_by: str

    @classmethod
    def of(cls, account: Account) -> Self:
        """Take a record over."""
        return cls(
            name=account.name,
            roles=list(account.roles),
            made_at=account.made_at,
            made_by=account.made_by,
        )


class OperatorsOut(BaseModel):
    """All operators, by name."""

    operators: list[OperatorOut]

    @classmethod
    def of(cls, accounts: Collection[Account]) -> Self:
        """Take records over."""
        return cls(operators=[OperatorOut.of(each) for each in accounts])


class TokenOut(BaseModel):
    """A token, without what is shown of it."""

    id: str
    label: str
    made_at: float
    made_by: str
    until: float | None
    last_used: float | None

    @classmethod
    def of(cls, token: Token) -> Self:
        """Take a record over."""
        return cls(
            id=token.id,
            label=token.label,
            made_at=token.made_at,
            made_by=token.made_by,
            until=token.until,
            last_used=token.used_at,
        )


class NewTokenOut(TokenOut):
    """A token that was just made; what is to be shown is told this once."""

    token: str


class TokensOut(BaseModel):
    """Somebody's tokens, the oldest first."""

    tokens: list[TokenOut]


class TrailEntryOut(BaseModel):
    """Something that was done; `outcome` is None where the worker ended meanwhile."""

    id: int
    at: float
    who: str
    roles: list[OperatorRole]
    way: Way
    origin: str
    did: str
    about: str
    detail: str
    outcome: int | None
    made: str
    reason: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Take a record over."""
        deed, end = entry.deed, entry.end
        return cls(
            id=entry.number,
            at=entry.at,
            who=deed.who,
            roles=list(deed.roles),
            way=deed.way,
            origin=deed.origin,
            did=deed.did,
            about=deed.about,
            detail=deed.detail,
            outcome=None if end is None else end.outcome,
            made="" if end is None else end.made,
            reason="" if end is None else end.reason,
        )


class TrailEntriesOut(BaseModel):
    """What was done, the latest first; `next` is to be asked for `before`, None at the end."""

    entries: list[TrailEntryOut]
    next: int | None


class VerdictOut(BaseModel):
    """Whether the trail is as it was written."""

    rows: int
    """How many were looked at, up to the first that is not."""
    whole: StrictBool
    broken_at: int | None
    link: str
    """Of the last good row: to be noted down, and compared another day."""

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """Take a record over."""
        return cls(
            rows=verdict.rows,
            whole=verdict.broken_at is None,
            broken_at=verdict.broken_at,
            link=verdict.link.hex(),
        )
