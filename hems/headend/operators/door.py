"""The operator's door for operators themselves: who is logged in, who there is, their tokens."""

import logging

from aiohttp import web

from hems.access.credential_rules import key
from hems.headend.errors import BusyError, ForbiddenError, RequestError
from hems.headend.operator_door import json_answer, read_model
from hems.headend.operators.accounts import Accounts, fit_name
from hems.headend.operators.attempts import Attempts
from hems.headend.operators.gate import StrangerError, cookie_of, origin_of, session_of
from hems.headend.operators.keys import Keys
from hems.headend.operators.models import (
    LoginIn,
    NewPasswordIn,
    NewTokenOut,
    OperatorIn,
    OperatorOut,
    OperatorsOut,
    PasswordIn,
    RolesIn,
    SessionOut,
    TokenIn,
    TokenOut,
    TokensOut,
)
from hems.headend.operators.records import WHOLE_S, Account
from hems.headend.operators.roles import Identity, OperatorRole, Way, asker
from hems.headend.operators.trail import Deed, End, Trail

_DAY_S = 86_400.0
_log = logging.getLogger(__name__)


class OperatorDoor:
    """Sessions, accounts and tokens.

    Args:
        accounts: Who there is.
        keys: What lets them in.
        attempts: Counts who guesses.
        trail: Where it is written down who logs in.
    """

    def __init__(self, accounts: Accounts, keys: Keys, attempts: Attempts, trail: Trail) -> None:
        self._accounts = accounts
        self._keys = keys
        self._attempts = attempts
        self._trail = trail

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        operator = "/operators/{name}"
        return [
            web.post("/session", self.post_session),
            web.get("/session", self.get_session),
            web.delete("/session", self.delete_session),
            web.put("/session/password", self.put_own_password),
            web.get("/operators", self.get_operators),
            web.post("/operators", self.post_operator),
            web.put(operator, self.put_operator),
            web.delete(operator, self.delete_operator),
            web.put(f"{operator}/password", self.put_password),
            web.get(f"{operator}/tokens", self.get_tokens),
            web.post(f"{operator}/tokens", self.post_token),
            web.delete(f"{operator}/tokens/{{id}}", self.delete_token),
        ]

    async def post_session(self, request: web.Request) -> web.Response:
        """Log in by name and password."""
        wish = await read_model(request, LoginIn)
        try:
            await self._prove(request, wish.name, wish.password.get_secret_value())
        except StrangerError:
            await self._failed(request, wish.name)
            raise
        account = self._accounts.get(wish.name)
        origin = origin_of(request)
        who = Identity(account.name, frozenset(account.roles), Way.SESSION)
        number = await self._trail.begin(Deed.of(who, "POST /session", origin))
        token = await self._keys.log_in(key(account.name), origin)
        found = await self._accounts.by_session(token)
        if found is None:
            raise StrangerError("this operator has just been removed")
        await self._trail.end(End(of=number, outcome=200))
        answer = json_answer(SessionOut.of(found))
        answer.set_cookie(
            cookie_of(request),
            token,
            max_age=int(WHOLE_S),
            path="/",
            secure=request.secure,
            httponly=True,
            samesite="Strict",
        )
        return answer

    async def get_session(self, request: web.Request) -> web.Response:
        """Answer who asks."""
        return json_answer(SessionOut.of(asker(request)))

    async def delete_session(self, request: web.Request) -> web.Response:
        """Log out."""
        token = session_of(request)
        if token:
            await self._keys.log_out(token)
        answer = web.Response(status=204)
        answer.del_cookie(
            cookie_of(request), path="/", secure=request.secure, httponly=True, samesite="Strict"
        )
        return answer

    async def put_own_password(self, request: web.Request) -> web.Response:
        """Give oneself another password; all sessions end, this one too."""
        wish = await read_model(request, PasswordIn)
        who = asker(request)
        if who.way is not Way.SESSION:
            raise ForbiddenError("only who is logged in by their password changes it so")
        await self._prove(request, who.name, wish.old.get_secret_value(), ForbiddenError)
        await self._accounts.set_password(who.name, wish.new.get_secret_value())
        return web.Response(status=204)

    async def get_operators(self, _request: web.Request) -> web.Response:
        """Answer all operators, by name."""
        return json_answer(OperatorsOut.of(self._accounts.all))

    async def post_operator(self, request: web.Request) -> web.Response:
        """Make an operator."""
        wish = await read_model(request, OperatorIn)
        account = await self._accounts.add(
            wish.name, wish.roles, wish.password.get_secret_value(), asker(request).name
        )
        return json_answer(OperatorOut.of(account), 201)

    async def put_operator(self, request: web.Request) -> web.Response:
        """Give an operator other roles, at once."""
        wish = await read_model(request, RolesIn)
        account = await self._accounts.set_roles(_name(request), wish.roles)
        return json_answer(OperatorOut.of(account))

    async def delete_operator(self, request: web.Request) -> web.Response:
        """Remove an operator, with all that lets them in."""
        return json_answer(OperatorOut.of(await self._accounts.remove(_name(request))))

    async def put_password(self, request: web.Request) -> web.Response:
        """Give an operator a new password; their sessions end."""
        wish = await read_model(request, NewPasswordIn)
        await self._accounts.set_password(_name(request), wish.password.get_secret_value())
        return web.Response(status=204)

    async def get_tokens(self, request: web.Request) -> web.Response:
        """Answer an operator's tokens, the oldest first."""
        found = self._keys.tokens(key(self._own(request).name))
        return json_answer(TokensOut(tokens=[TokenOut.of(each) for each in found]))

    async def post_token(self, request: web.Request) -> web.Response:
        """Make a token for a program of an operator; it is told this once."""
        account, who = self._own(request), asker(request)
        wish = await read_model(request, TokenIn)
        lasting_s = None if wish.days is None else wish.days * _DAY_S
        shown, made = await self._keys.make(
            key(account.name),
            fit_name(wish.label),
            lasting_s,
            who.name,
            within=who.until if who.way is Way.TOKEN else None,
        )
        out = NewTokenOut(token=shown, **TokenOut.of(made).model_dump())
        return json_answer(out, 201)

    async def delete_token(self, request: web.Request) -> web.Response:
        """Take a token back."""
        await self._keys.end(key(self._own(request).name), request.match_info["id"])
        return web.Response(status=204)

    async def _prove(
        self,
        request: web.Request,
        name: str,
        password: str,
        wrong: type[RequestError] = StrangerError,
    ) -> None:
        """Check a password, and hold up who guesses.

        Raises:
            RequestError: It is wrong; of the kind that is given.
            ThrottledError: It was tried too often.
            BusyError: The database cannot count it now.
        """
        counted = await self._attempts.begin(key(name), origin_of(request))
        if not await self._accounts.proves(name, password):
            raise wrong("name and password do not fit")
        await self._attempts.passed(counted)

    async def _failed(self, request: web.Request, name: str) -> None:
        """Write down that somebody tried; so many as are not held up."""
        who, origin = Identity(name[:_SHOWN], frozenset(), Way.SESSION), origin_of(request)
        _log.warning("a wrong password for operator %r from %s", name[:_SHOWN], origin)
        try:
            number = await self._trail.begin(Deed.of(who, "POST /session", origin))
            await self._trail.end(End(of=number, outcome=401, reason="a wrong password"))
        except BusyError as error:
            _log.warning("the trail lacks a wrong password: %s", error)

    def _own(self, request: web.Request) -> Account:
        """Return the operator in the path, who must be who asks, unless an admin does.

        Raises:
            ForbiddenError: It is somebody else.
            UnknownItemError: There is no such operator.
        """
        who, name = asker(request), _name(request)
        if OperatorRole.ADMIN not in who.roles and who.person != key(name):
            raise ForbiddenError("only an admin may do this for somebody else")
        return self._accounts.get(name)


_SHOWN = 64


def _name(request: web.Request) -> str:
    return request.match_info["name"]
