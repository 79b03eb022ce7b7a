"""Who is let in at the operator's door, and what the trail says of it."""

import hmac
import json
import logging
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from hems.headend.errors import BusyError, ForbiddenError, RequestError, ThrottledError
from hems.headend.exchange import RETRY_AFTER_S
from hems.headend.operator_door import MAX_BODY, body_in, refusal
from hems.headend.operators.accounts import Accounts
from hems.headend.operators.roles import IDENTITY, MACHINE, Identity, OperatorRole, Way
from hems.headend.operators.rules import Rule, Rules
from hems.headend.operators.trail import Deed, End, Trail

COOKIE: Final = "hems-operator"
COOKIE_BY_HTTPS: Final = "__Host-hems-operator"
"""The prefix has browsers take it by HTTPS only, and for this one host (RFC 6265bis 4.1.3.2)."""
CSRF: Final = "X-CSRF-Token"
_SAFE: Final = frozenset({"GET", "HEAD"})
_SECRET: Final = frozenset({"password", "old", "new", "pin", "code", "token"})
_MOST_DETAIL: Final = 4_000
_SHOWN: Final = 200

_log = logging.getLogger(__name__)


class StrangerError(RequestError):
    """Nobody knows who asks."""

    status = 401


class Gate:
    """Lets requests through, as the table has it.

    Args:
        accounts: Who there is.
        trail: Where it is written down.
        rules: The table.
        token: The machine's own.
    """

    def __init__(self, accounts: Accounts, trail: Trail, rules: Rules, token: str) -> None:
        self._accounts = accounts
        self._trail = trail
        self._rules = rules
        self._token = token

    def middleware(self, *, remote: bool) -> Middleware:
        """Return what every request goes through.

        Args:
            remote: Whether it may come from another machine: the machine's own token is worth
                nothing then.
        """

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await self._asked(request, handler, remote)
            except (RequestError, BusyError, web.HTTPException) as error:
                return answer_to(request, error)

        return middleware

    async def _asked(
        self, request: web.Request, handler: Handler, remote: bool
    ) -> web.StreamResponse:
        rule = self._rules.find(request.method, path_of(request))
        if rule.who is None:
            return await handler(request)
        who = await self._who(request, remote)
        if who is None:
            raise StrangerError("log in, or show a token: nobody is known by what was shown")
        request[IDENTITY] = who
        if request.match_info.http_exception is not None:
            return await handler(request)  # there is nothing there
        if request.method not in _SAFE and not rule.harmless:
            return await self._done(request, handler, rule, who)
        self._check(request, rule, who)
        return await handler(request)

    async def _done(
        self, request: web.Request, handler: Handler, rule: Rule, who: Identity
    ) -> web.StreamResponse:
        """Have something done, and written down before and after."""
        about = " ".join(request.match_info.values())[:_SHOWN]
        detail = "" if rule.quiet else detail_of(await body_in(request))
        did = f"{request.method} {rule.path}"
        number = await self._trail.begin(Deed.of(who, did, origin_of(request), about, detail))
        outcome, made, reason = 500, "", "it went wrong"
        try:
            self._check(request, rule, who)
            answer = await handler(request)
            outcome, made, reason = answer.status, answer.headers.get(hdrs.LOCATION, ""), ""
        except (RequestError, BusyError, web.HTTPException) as error:
            outcome = answer_to(request, error).status
            reason = str(error)[:_SHOWN]
            raise
        finally:
            await self._ended(End(of=number, outcome=outcome, made=made, reason=reason))
        return answer

    async def _ended(self, end: End) -> None:
        try:
            await self._trail.end(end)
        except BusyError as error:
            _log.error("the trail lacks the end of %d (%d): %s", end.of, end.outcome, error)

    def _check(self, request: web.Request, rule: Rule, who: Identity) -> None:
        """Refuse what somebody may not do.

        Raises:
            ForbiddenError: Their role does not allow it, or another site may have sent it.
        """
        if rule.who is not None and not (rule.who & who.roles):
            needed = " or ".join(role.value for role in OperatorRole if role in rule.who)
            raise ForbiddenError(f"this takes the role of {needed}")
        if who.way is Way.SESSION and request.method not in _SAFE:
            shown = request.headers.get(CSRF, "").encode("utf-8", "replace")
            if not hmac.compare_digest(shown, who.csrf.encode()):
                raise ForbiddenError(f"the header {CSRF} is missing or not this session's")

    async def _who(self, request: web.Request, remote: bool) -> Identity | None:
        shown = request.headers.get(hdrs.AUTHORIZATION)
        if shown is None:
            return await self._accounts.by_session(session_of(request))
        kind, _, token = shown.partition(" ")
        if kind != "Bearer":
            return None
        ours = hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode())
        if ours and not remote:
            return MACHINE
        return await self._accounts.by_token(token)


def path_of(request: web.Request) -> str:
    """Return a request's path as the table has it; as it came where there is nothing."""
    resource = request.match_info.route.resource
    return request.path if resource is None else resource.canonical


def session_of(request: web.Request) -> str:
    """Return the token of the session that a browser shows; empty for none."""
    return request.cookies.get(cookie_of(request), "")


def cookie_of(request: web.Request) -> str:
    """Return the name of the session's cookie."""
    return COOKIE_BY_HTTPS if request.secure else COOKIE


def origin_of(request: web.Request) -> str:
    """Return the address that somebody asks from."""
    return request.remote or ""


def detail_of(body: bytes) -> str:
    """Return what was asked for as the trail has it: without secrets, and not too long."""
    try:
        told = json.dumps(_open(json.loads(body)), ensure_ascii=False) if body else ""
        told.encode()  # halves of a surrogate pair are JSON, but no text
    except (ValueError, RecursionError):
        return "(not JSON)"
    return told if len(told) <= _MOST_DETAIL else told[:_MOST_DETAIL] + "..."


def _open(value: object) -> object:
    """Return JSON without its secrets."""
    match value:
        case dict():
            return {k: "***" if k in _SECRET else _open(v) for k, v in value.items()}
        case list():
            return [_open(each) for each in value]
        case _:
            return value


def answer_to(
    request: web.Request, error: RequestError | BusyError | web.HTTPException
) -> web.StreamResponse:
    """Answer why not."""
    match error:
        case BusyError():
            return refusal(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        case ThrottledError():
            return refusal(error.status, str(error), {"Retry-After": str(error.again_s)})
        case RequestError():
            return refusal(error.status, str(error))
        case web.HTTPRequestEntityTooLarge():
            return refusal(413, f"the body is longer than {MAX_BODY} octets")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            message = f"{request.method} is not for {request.raw_path[:_SHOWN]}; {allowed} is"
            return refusal(405, message, {"Allow": allowed})
        case web.HTTPNotFound():
            return refusal(404, f"there is nothing at {request.raw_path[:80]}")
        case _:
            if error.status < 400:  # noqa: PLR2004 - a redirection
                raise error
            return refusal(error.status, error.reason)
