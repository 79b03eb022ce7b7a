"""What is asked and answered about accounts, as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from der.sentence import say
from hems.access.passkeys import Signed
from hems.access.rights import Right, Role
from web.models import Answer, Input

Name = Annotated[str, Field(max_length=200)]
Secret = Annotated[SecretStr, Field(max_length=1000)]
Until = Annotated[float | None, Field(allow_inf_nan=False)]
Code = Annotated[str, Field(max_length=40, repr=False)]
Binary = Annotated[str, Field(max_length=8000, pattern="^[A-Za-z0-9_-]*$", repr=False)]
"""Binary, as base64url without padding."""
Language = Literal["", "en", "fr", "de", "es"]


class Order(Input):
    """Base of what is asked for."""


class NamedOrder(Order):
    """A name, and a password to go with it."""

    name: Name
    password: Secret


class LoginOrder(NamedOrder):
    """Name and password of who wants to log in, and a code where they have one."""

    code: Code = ""


class FirstOrder(NamedOrder):
    """The first account; `code` is needed from elsewhere than the hub's own machine."""

    code: Annotated[str, Field(max_length=40)] = ""
    language: Language = ""


class PasswordOrder(Order):
    """A password of one's own to be changed."""

    present: Secret
    new: Secret
    code: Code = ""


class SignedOrder(Order):
    """A passkey's answer; fields as in `hems.access.passkeys.Signed`."""

    credential: Binary
    client_data: Binary
    authenticator_data: Binary
    signature: Binary

    @property
    def signed(self) -> Signed:
        """The same, as it is looked at."""
        return Signed(self.credential, self.client_data, self.authenticator_data, self.signature)


class ProofOrder(Order):
    """One's own password once more, with a code where there is one; or a passkey's answer."""

    password: Secret | None = None
    code: Code = ""
    passkey: SignedOrder | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.password is None) is (self.passkey is None):
            raise ValueError(say("prove it by a password or by a passkey"))
        return self


class NewPasswordOrder(Order):
    """A password of somebody else's to be changed."""

    new: Secret


class LanguageOrder(Order):
    """The language of one's own account."""

    language: Language


class PersonOrder(NamedOrder):
    """An account to be made."""

    role: Role
    language: Language = ""
    until: Until = None


class ChangeOrder(Order):
    """What is to be changed of an account."""

    role: Role
    until: Until = None


class RuleOrder(Order):
    """Which roles are to need a second factor."""

    second: frozenset[Role]


class TokenOrder(Order):
    """A token to be made for another program; fields as in `hems.access.tokens.NewToken`."""

    name: Name
    role: Role
    until: Until = None
    rights: frozenset[Right] | None = None
    network: Annotated[str, Field(max_length=50)] = ""
    person: int | None = None


class TrailQuery(Input):
    """Which rows of the trail are asked for: the newest, or those before one of them."""

    before: Annotated[int | None, Field(ge=1)] = None
    most: Annotated[int, Field(ge=1, le=500)] = 50


class CheckQuery(Input):
    """A link of the trail that was noted down earlier, in hexadecimal."""

    link: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""


class MeAnswer(Answer):
    """Who asks, and what they may do.

    Attributes:
        name: By which the home knows them; null for somebody who has not logged in.
        role: In what capacity.
        rights: What they may do.
        way: How they got in.
        accounts: Whether the home has accounts.
        code_needed: Whether making the first one takes the code that the hub shows on its own
            machine.
        set_up: Whether the hub has been set up, as far as who asks could do it.
        language: Of their account; empty where none was chosen.
        until: When their account ends, UTC epoch seconds.
        session: The session they are logged in by.
        second: Whether their password alone is not enough.
        lacks: Whether they may do nothing before they have a second factor.
        passkeys: Whether somebody could log in by a passkey, the page being open as it is.
        site: Name of the hub that a new passkey would be for; empty where there can be none.
    """

    name: str | None = None
    role: Role | None = None
    rights: Sequence[Right] = (Right.ANYBODY,)
    way: Literal["session", "token", "machine", "here"] | None = None
    accounts: bool
    code_needed: bool
    set_up: bool
    language: str = ""
    until: float | None = None
    session: int | None = None
    second: bool = False
    lacks: bool = False
    passkeys: bool = False
    site: str = ""


class AskedAnswer(Answer):
    """What a passkey is to sign; fields as in `hems.access.passkeys.Asked`."""

    challenge: str
    site: str
    credentials: Sequence[str]
    handle: str
    name: str


class SessionAnswer(Answer):
    """Somebody logged in; times in UTC epoch seconds.

    Attributes:
        agent: What the browser calls itself.
        present: Whether it is the one that asks.
    """

    id: int
    made_at: float
    seen_at: float
    ends_at: float
    origin: str
    agent: str
    present: bool


class SessionsAnswer(Answer):
    """Where somebody is logged in, the newest first."""

    sessions: Sequence[SessionAnswer]


class PersonAnswer(Answer):
    """An account; times in UTC epoch seconds.

    Attributes:
        seen_at: When they were last seen, as far as they are still logged in; null if they are not.
        sessions: In how many places they are logged in.
        ended: Whether the account has ended.
        second: Whether their password alone is not enough.
    """

    id: int
    name: str
    role: Role
    language: str
    made_at: float
    until: float | None
    ended: bool
    seen_at: float | None
    sessions: int
    second: bool


class RoleAnswer(Answer):
    """A role, what it may do, and whether it needs a second factor."""

    role: Role
    rights: Sequence[Right]
    second: bool


class PeopleAnswer(Answer):
    """All accounts, the oldest first, and all roles that there are."""

    people: Sequence[PersonAnswer]
    roles: Sequence[RoleAnswer]


class TokenAnswer(Answer):
    """A token of another program; times in UTC epoch seconds.

    Attributes:
        rights: What it holds now; none where whoever it belongs to may do nothing any more.
        network: From where it may be used, as CIDR; empty for anywhere.
        person: Number of the account that it belongs to; null for the home's own.
    """

    id: int
    name: str
    role: Role
    made_by: str
    made_at: float
    until: float | None
    used_at: float | None
    ended: bool
    rights: Sequence[Right]
    network: str
    person: int | None


class TokensAnswer(Answer):
    """All tokens, the oldest first."""

    tokens: Sequence[TokenAnswer]


class MadeTokenAnswer(Answer):
    """A token that was made; what it is, is told this once."""

    token: str
    made: TokenAnswer


class DeedAnswer(Answer):
    """A row of the trail; fields as in `hems.access.trail.Deed`, null in a row of old age."""

    seq: int
    at: float
    who: str | None
    role: str | None
    way: str | None
    origin: str | None
    did: str | None
    about: str | None
    outcome: int | None


class TrailAnswer(Answer):
    """Rows of the trail, the newest first; `more` tells whether there are older ones."""

    deeds: Sequence[DeedAnswer]
    more: bool


class CheckAnswer(Answer):
    """Whether the trail is as it was written; fields as in `hems.access.trail.Verdict`."""

    rows: int
    broken_at: int | None
    link: str
    known: bool | None
