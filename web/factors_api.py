"""One's own second factors under /api/me: an app for codes, passkeys and recovery codes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from pydantic import Field

from der.sentence import say
from hems.access.access import Access
from hems.access.errors import AccountError
from hems.access.logins import Login
from hems.access.passkeys import Made
from hems.access.rights import Right
from hems.on_demand import on_demand
from hems.security_event import EventKind, SecurityEvent
from web.access_api import OWN, login_of
from web.access_models import AskedAnswer, Binary, Code, Order
from web.asked import asked_of
from web.models import Answer
from web.operation import Operation
from web.people_api import number_of
from web.whence import site_of

if TYPE_CHECKING:
    import segno
else:  # for the minute in which somebody sets up an app
    segno = on_demand("segno")

_LARGEST_BODY: Final = 32_768
_GROUP: Final = 4


class AppCodeOrder(Order):
    """A code of one's own app."""

    code: Code


class PasskeyOrder(Order):
    """A passkey that the browser has made; fields as in `hems.access.passkeys.Made`."""

    name: Annotated[str, Field(max_length=200)]
    credential: Binary
    client_data: Binary
    attestation: Annotated[str, Field(max_length=24_000, pattern="^[A-Za-z0-9_-]*$")]


class PasskeyAnswer(Answer):
    """A passkey; fields as in `hems.access.passkeys.PasskeyView`."""

    id: int
    name: str
    site: str
    made_at: float
    used_at: float | None


class FactorsAnswer(Answer):
    """One's own second factors.

    Attributes:
        app: Whether an app makes codes.
        codes: How many recovery codes are left.
        passkeys: The passkeys, the oldest first.
        needed: Whether one's role needs a second factor.
    """

    app: bool
    codes: int
    passkeys: Sequence[PasskeyAnswer]
    needed: bool


class AppAnswer(Answer):
    """What an app for codes is to know.

    Attributes:
        address: For the app, as a link (otpauth).
        secret: To be typed into it, in groups.
        picture: The same as a QR code, row by row: "1" for a dark module, "0" for a light one.
    """

    address: str
    secret: str
    picture: Sequence[str]


class CodesAnswer(Answer):
    """New recovery codes; they are told this once, and none where those before still count."""

    codes: Sequence[str]


class FactorsApi:
    """One's own second factors.

    Args:
        access: Who may do what.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does; each looks itself at who asks, as it is about themselves."""
        anybody, app, passkeys = Right.ANYBODY, "/api/me/app", "/api/me/passkeys"
        return [
            Operation("GET", "/api/me/factors", cls.factors, anybody, refusals=OWN),
            Operation("POST", app, cls.begin, anybody, refusals=OWN, proof=True),
            Operation("PUT", app, cls.confirm, anybody, refusals=OWN, proof=True),
            Operation("DELETE", app, cls.remove_app, anybody, refusals=OWN, proof=True),
            Operation("GET", passkeys, cls.ask, anybody, refusals=OWN),
            Operation(
                "POST",
                passkeys,
                cls.add,
                anybody,
                refusals=OWN,
                max_body_bytes=_LARGEST_BODY,
                proof=True,
            ),
            Operation(
                "DELETE", f"{passkeys}/{{passkey}}", cls.remove, anybody, refusals=OWN, proof=True
            ),
            Operation("POST", "/api/me/codes", cls.codes, anybody, refusals=OWN, proof=True),
            Operation("GET", "/api/me/proof", cls.ask_proof, anybody, refusals=OWN),
        ]

    async def factors(self, request: web.Request) -> FactorsAnswer:
        """Tell which second factors who asks has."""
        return self._factors(login_of(request))

    async def begin(self, request: web.Request) -> AppAnswer:
        """Have an app be set up that makes codes; it counts once a code of it was typed."""
        address = self._access.factors.begin(login_of(request).person)
        drawn = segno.make(address, error="m", micro=False)
        rows = ["".join("1" if dark else "0" for dark in row) for row in drawn.matrix]
        return AppAnswer(address=address, secret=_grouped(address), picture=rows)

    async def confirm(self, body: AppCodeOrder, request: web.Request) -> CodesAnswer:
        """Have the app count from now on; the first second factor brings recovery codes."""
        login = login_of(request)
        first = not self._access.factors.of(login.person.id).second
        codes = await self._access.factors.confirm(login.person, body.code)
        await self._changed(request, login, others=first)
        return CodesAnswer(codes=codes)

    async def remove_app(self, request: web.Request) -> FactorsAnswer:
        """Have the app count no more."""
        login = login_of(request)
        self._check_left(login, app=1)
        await self._access.factors.remove_app(login.person)
        await self._changed(request, login, others=True)
        return self._factors(login)

    async def ask(self, request: web.Request) -> AskedAnswer:
        """Tell what the browser is to make a passkey for."""
        login, site = login_of(request), site_of(request)
        asked = self._access.passkeys.begin_add(login.person, login.session.id, site)
        return AskedAnswer.model_validate(asked)

    async def add(self, body: PasskeyOrder, request: web.Request) -> CodesAnswer:
        """Keep a passkey; the first second factor brings recovery codes."""
        login, site = login_of(request), site_of(request)
        made = Made(body.credential, body.client_data, body.attestation)
        person, session = login.person, login.session.id
        first = not self._access.factors.of(person.id).second
        await self._access.passkeys.add(person, session, site, made, body.name)
        codes = await self._access.factors.first_codes(person)
        await self._changed(request, login, others=first)
        asked_of(request).about = body.name
        return CodesAnswer(codes=codes)

    async def remove(self, passkey: str, request: web.Request) -> FactorsAnswer:
        """Have a passkey prove nothing any more."""
        login, number = login_of(request), number_of(passkey)
        self._check_left(login, passkeys=1)
        name = await self._access.passkeys.remove(login.person.id, number)
        await self._access.factors.tidy(login.person.id)
        await self._changed(request, login, others=True)
        asked_of(request).about = name
        return self._factors(login)

    async def codes(self, request: web.Request) -> CodesAnswer:
        """Make new recovery codes; those before count no more."""
        login = login_of(request)
        if not self._access.factors.of(login.person.id).second:
            raise AccountError(say("Recovery codes are for who has a second factor."))
        codes = await self._access.factors.new_codes(login.person)
        await self._changed(request, login, others=False)
        return CodesAnswer(codes=codes)

    async def ask_proof(self, request: web.Request) -> AskedAnswer:
        """Tell what a passkey is to sign to prove once more who asks."""
        login, site = login_of(request), site_of(request)
        asked = self._access.passkeys.begin_proof(login.person.id, login.session.id, site)
        return AskedAnswer.model_validate(asked)

    def _factors(self, login: Login) -> FactorsAnswer:
        person = login.person
        standing = self._access.factors.of(person.id)
        found = self._access.passkeys.of(person.id)
        return FactorsAnswer(
            app=standing.app,
            codes=standing.codes,
            passkeys=[PasskeyAnswer.model_validate(each) for each in found],
            needed=person.role in self._access.policy.roles,
        )

    def _check_left(self, login: Login, *, app: int = 0, passkeys: int = 0) -> None:
        """Refuse to remove the last one where the role needs one; raises AccountError."""
        standing = self._access.factors.of(login.person.id)
        left = int(standing.app) - app + standing.passkeys - passkeys
        if left <= 0 and login.person.role in self._access.policy.roles:
            raise AccountError(say("Your role needs a second factor. Set up another one first."))

    async def _changed(self, request: web.Request, login: Login, *, others: bool) -> None:
        """Give the session that did it a new token; `others` end where they proved less."""
        logins, person = self._access.logins, login.person
        if others:
            for row in logins.of(person.id):
                if row.id != login.session.id:
                    await logins.drop(row)
        asked_of(request).cookie, _ = await logins.renew(login)
        text = say("{name} changed how they prove who they are.", name=person.name)
        self._access.note(SecurityEvent(EventKind.ACCOUNT_CHANGED, text, person.name))


def _grouped(address: str) -> str:
    """Return what of an app's link people can type, in groups of four."""
    secret = parse_qs(urlsplit(address).query)["secret"][0]
    return " ".join(secret[start : start + _GROUP] for start in range(0, len(secret), _GROUP))
