"""Getting in under /api: who asks, logging in and out, the first account, one's own password."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from der.sentence import say
from hems.access.access import Access
from hems.access.errors import (
    AccountError,
    FirstError,
    LastOwnerError,
    TooOftenError,
    UnknownError,
    WrongError,
)
from hems.access.lifetimes import ends_at
from hems.access.logins import Login
from hems.access.people import NewPerson
from hems.access.rights import Right, Role
from hems.store.errors import StoreError
from hems.surface import SurfaceError
from web.access_models import (
    AskedAnswer,
    FirstOrder,
    LanguageOrder,
    LoginOrder,
    MeAnswer,
    PasswordOrder,
    ProofOrder,
    SessionAnswer,
    SessionsAnswer,
    SignedOrder,
)
from web.asked import Pass, Way, asked_of
from web.operation import Operation, Refusals
from web.whence import place_of, site_of, site_or_none

REFUSALS: Final[Refusals] = {
    WrongError: HTTPStatus.FORBIDDEN,
    TooOftenError: HTTPStatus.TOO_MANY_REQUESTS,
    LastOwnerError: HTTPStatus.CONFLICT,
    FirstError: HTTPStatus.CONFLICT,
    AccountError: HTTPStatus.BAD_REQUEST,
    UnknownError: HTTPStatus.NOT_FOUND,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Errors of accounts, the special ones first, and how each is answered.

A wrong password is forbidden, not unauthorized: only who is not let in at all is asked to log in.
"""


class AccessApi:
    """Getting in.

    Args:
        access: Who may do what.
        set_up: Returns whether the hub has been set up.
    """

    def __init__(self, access: Access, set_up: Callable[[], Awaitable[bool]]) -> None:
        self._access = access
        self._set_up = set_up

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does; each looks itself at who asks, as it is about themselves."""
        anybody, made = Right.ANYBODY, HTTPStatus.CREATED
        return [
            Operation("GET", "/api/me", cls.me, anybody),
            Operation("POST", "/api/login", cls.log_in, anybody, refusals=REFUSALS),
            Operation("GET", "/api/login/passkey", cls.ask_passkey, anybody, refusals=REFUSALS),
            Operation("POST", "/api/login/passkey", cls.log_in_by, anybody, refusals=REFUSALS),
            Operation("POST", "/api/logout", cls.log_out, anybody, refusals=REFUSALS),
            Operation("POST", "/api/first", cls.first, anybody, status=made, refusals=REFUSALS),
            Operation("PUT", "/api/me/password", cls.password, anybody, refusals=OWN),
            Operation("POST", "/api/me/proof", cls.prove, anybody, refusals=OWN),
            Operation("PUT", "/api/me/language", cls.language, anybody, refusals=OWN),
            Operation("GET", "/api/me/sessions", cls.sessions, anybody, refusals=OWN),
            Operation("DELETE", "/api/me/sessions/{session}", cls.end, anybody, refusals=OWN),
        ]

    async def me(self, request: web.Request) -> MeAnswer:
        """Tell who asks, and what they may do."""
        return await self._me(request, asked_of(request).admitted)

    async def log_in(self, body: LoginOrder, request: web.Request) -> MeAnswer:
        """Log somebody in by name and password."""
        await self._access.ready()
        found = self._access.people.find(body.name)
        asked_of(request).about = "" if found is None else found.name
        token, login = await self._access.logins.log_in(
            body.name, body.password.get_secret_value(), place_of(request), body.code
        )
        return await self._let_in(request, token, login)

    async def ask_passkey(self, request: web.Request) -> AskedAnswer:
        """Tell what a passkey is to sign to log somebody in."""
        return AskedAnswer.model_validate(self._access.passkeys.begin_login(site_of(request)))

    async def log_in_by(self, body: SignedOrder, request: web.Request) -> MeAnswer:
        """Log somebody in by a passkey."""
        await self._access.ready()
        token, login = await self._access.logins.log_in_by_passkey(
            site_of(request), body.signed, place_of(request)
        )
        asked_of(request).about = login.person.name
        return await self._let_in(request, token, login)

    async def first(self, body: FirstOrder, request: web.Request) -> MeAnswer:
        """Make the first account, its owner's, and log it in; a command stays what it is."""
        await self._access.ready()
        admitted = asked_of(request).admitted
        trusted = admitted is not None and admitted.way in {Way.HERE, Way.MACHINE}
        new = NewPerson(body.name, Role.OWNER, body.password.get_secret_value(), body.language)
        place = place_of(request)
        person = await self._access.first(new, place, None if trusted else body.code)
        asked_of(request).about = person.name
        if admitted is not None and admitted.way is Way.MACHINE:
            return await self._me(request, admitted)
        token, login = await self._access.logins.open(person, place)
        return await self._let_in(request, token, login)

    async def log_out(self, request: web.Request) -> None:
        """End the session of who asks."""
        asked = asked_of(request)
        asked.cookie = ""
        if asked.admitted is not None and asked.admitted.login is not None:
            await self._access.logins.end(asked.admitted.login.session.id)

    async def password(self, body: PasswordOrder, request: web.Request) -> MeAnswer:
        """Change the password of who asks; they stay logged in here, and nowhere else."""
        login = login_of(request)
        logins, place = self._access.logins, place_of(request)
        _, login = await logins.confirm(login, body.present.get_secret_value(), place, body.code)
        person = await self._access.set_password(login.person.id, body.new.get_secret_value())
        token, login = await logins.open(person, place)
        return await self._let_in(request, token, login)

    async def prove(self, body: ProofOrder, request: web.Request) -> None:
        """Prove once more who asks, before what cannot be taken back; their session is renewed."""
        login, logins, place = login_of(request), self._access.logins, place_of(request)
        if body.passkey is not None:
            site, signed = site_of(request), body.passkey.signed
            token, _ = await logins.confirm_by_passkey(login, site, signed, place)
        else:
            password = "" if body.password is None else body.password.get_secret_value()
            token, _ = await logins.confirm(login, password, place, body.code)
        asked_of(request).cookie = token

    async def language(self, body: LanguageOrder, request: web.Request) -> MeAnswer:
        """Choose the language in which the page speaks to who asks."""
        login = login_of(request)
        person = await self._access.people.speak(login.person.id, body.language)
        return await self._me(request, self._pass(Login(person, login.session, login.by)))

    async def sessions(self, request: web.Request) -> SessionsAnswer:
        """Tell where who asks is logged in."""
        login = login_of(request)
        person = login.person
        return SessionsAnswer(
            sessions=[
                SessionAnswer(
                    id=row.id,
                    made_at=row.made_at,
                    seen_at=row.seen_at,
                    ends_at=ends_at(person.role, row.made_at, row.seen_at, person.until),
                    origin=row.origin,
                    agent=row.agent,
                    present=row.id == login.session.id,
                )
                for row in self._access.logins.of(person.id)
            ]
        )

    async def end(self, session: str, request: web.Request) -> None:
        """End one of the sessions of who asks."""
        login = login_of(request)
        own = {str(row.id): row.id for row in self._access.logins.of(login.person.id)}
        if session not in own:
            raise UnknownError(say("Nobody is logged in by that any more."))
        await self._access.logins.end(own[session])
        if own[session] == login.session.id:
            asked_of(request).cookie = ""

    async def _let_in(self, request: web.Request, token: str, login: Login) -> MeAnswer:
        """Answer with a session, always a new one: none that was there before becomes more."""
        asked = asked_of(request)
        before = asked.admitted
        if before is not None and before.login is not None:
            await self._access.logins.drop(before.login.session)
        asked.admitted = self._pass(login)
        asked.cookie = token
        browser = place_of(request).browser
        asked.known = await self._access.browsers.remember(login.person.id, browser)
        return await self._me(request, asked.admitted)

    def _pass(self, login: Login) -> Pass:
        person, access = login.person, self._access
        return Pass(access.who(person), Way.SESSION, login=login, lacks=access.lacks(person))

    async def _me(self, request: web.Request, admitted: Pass | None) -> MeAnswer:
        exist = self._access.people.exist
        site = site_or_none(request)
        passkeys = site is not None and self._access.passkeys.some(site.name)
        if admitted is None:
            return MeAnswer(accounts=exist, code_needed=not exist, set_up=True, passkeys=passkeys)
        person = None if admitted.login is None else admitted.login.person
        may_set_up = admitted.who.may(Right.SET_UP)
        return MeAnswer(
            name=admitted.who.name,
            role=admitted.who.role,
            rights=[right for right in Right if admitted.who.may(right)],
            way=admitted.way.value,
            accounts=exist,
            code_needed=not exist and admitted.way not in {Way.HERE, Way.MACHINE},
            set_up=await self._set_up() if may_set_up else True,
            language="" if person is None else person.language,
            until=None if person is None else person.until,
            session=None if admitted.login is None else admitted.login.session.id,
            second=person is not None and self._access.factors.of(person.id).second,
            lacks=admitted.lacks,
            passkeys=passkeys,
            site="" if site is None else site.name,
        )


class NotLoggedInError(SurfaceError):
    """Only somebody who is logged in has what is asked for."""


OWN: Final[Refusals] = {NotLoggedInError: HTTPStatus.UNAUTHORIZED, **REFUSALS}
"""The same, for what is about who asks."""


def login_of(request: web.Request) -> Login:
    """Return by which session somebody is logged in; raises NotLoggedInError."""
    admitted = asked_of(request).admitted
    if admitted is None or admitted.login is None:
        raise NotLoggedInError(say("Log in to do this."))
    return admitted.login
