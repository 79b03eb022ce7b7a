"""Who asks: by session, by token, as a program of this machine, or as nobody known.

Once the home has an account, everybody proves who they are; programs of the hub's own machine do
so with a token out of a file that only the hub's user can read. Before, who asks at this machine
is at home. Every change, and every look at what is private, leaves a row in the trail.
"""

import logging
from typing import Final

from aiohttp import web

from der.sentence import say
from hems.access.access import Access
from hems.access.rights import AT_HOME, HERE, Right, Who
from hems.access.trail import Deed
from hems.store.errors import StoreError
from hems.surface import SurfaceError
from web.asked import Asked, Pass, Way, asked_of, begin
from web.cookies import give, known_browser, session_token
from web.handler import Handler
from web.operation import DOOR
from web.whence import at_home

_log = logging.getLogger(__name__)

_BEARER: Final = "Bearer "
_SAFE: Final = frozenset({"GET", "HEAD"})
_PRIVATE: Final = frozenset({Right.HISTORY, Right.GRANT, Right.AUDIT, Right.OWN})
"""What needs one of these is looked at on the record, by whomever."""
_REFUSED: Final = frozenset({401, 403, 429})
_SAID: Final = ("day", "month", "year", "from", "to", "start_day", "end_day")
"""What of a query goes into the trail: which days were looked at."""
_LONGEST: Final = 200


class Door:
    """The hub's `Doorkeeper`.

    Args:
        access: Who may do what.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    async def who(self, request: web.Request) -> Who | None:
        """Return who asks; None for somebody who has not proved it.

        Raises:
            SurfaceError: Accounts cannot be read now.
        """
        admitted = asked_of(request).admitted = await self._admit(request)
        return None if admitted is None else admitted.who

    async def familiar(self, request: web.Request) -> bool:
        """Return whether it comes from a browser in which somebody is or has been logged in.

        Such a browser is held up by what it tries itself alone (`hems.access.brake`), so that
        nobody who shares its address, such as a page of another site, keeps its owner out.

        Raises:
            SurfaceError: Accounts cannot be read now.
        """
        known = await self.who(request) is not None
        return known or self._access.browsers.ours(known_browser(request))

    async def _admit(self, request: web.Request) -> Pass | None:
        authorization = request.headers.get("Authorization")
        bearer = None
        if authorization is not None:
            if not authorization.startswith(_BEARER):
                return None
            bearer = authorization.removeprefix(_BEARER).strip()
            if self._access.is_machine(bearer):
                return Pass(HERE, Way.MACHINE)
        if not await self._ready():
            return Pass(HERE, Way.HERE) if bearer is None and at_home(request) else None
        if bearer is not None:
            found = self._access.tokens.by_token(bearer, request.remote or "")
            if found is None:
                return None
            # A program cannot be asked for a password: what takes one is not for programs.
            return Pass(found[0], Way.TOKEN, token=found[1], proved=False)
        if not self._access.people.exist:
            return Pass(HERE, Way.HERE) if at_home(request) else None
        login = self._access.logins.by_token(session_token(request))
        if login is None:
            return None
        person, access = login.person, self._access
        return Pass(
            access.who(person),
            Way.SESSION,
            login=login,
            proved=access.logins.proved(login),
            lacks=access.lacks(person),
        )

    async def _ready(self) -> bool:
        """Return whether accounts are known; not, where a full disk has no store yet."""
        try:
            await self._access.ready()
        except StoreError as error:
            if self._access.blank():
                return False
            _log.warning("nobody is let in: %s", error)
            raise SurfaceError(
                say("The hub cannot read its accounts now. Try again in a minute.")
            ) from error
        return True

    async def leave(self, request: web.Request, asked: Asked, status: int) -> None:
        """Write down what was asked and how it ended, as far as that is to be."""
        if not asked.did:
            return
        await self._touch(asked.admitted)
        journal, deed = self._access.journal, _deed(request, asked, status)
        changes = request.method not in _SAFE
        if status in _REFUSED and (changes or asked.right in _PRIVATE):
            await journal.refused(deed)
        elif changes:
            await journal.did(deed)
        elif asked.right in _PRIVATE or _is_guest(asked):
            await journal.saw(deed)

    async def _touch(self, admitted: Pass | None) -> None:
        if admitted is not None and admitted.login is not None:
            await self._access.logins.touch(admitted.login)
        if admitted is not None and admitted.token is not None:
            await self._access.tokens.touch(admitted.token)


@web.middleware
async def witnessed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have the doorkeeper take note of what was asked, before its answer leaves."""
    asked, status = begin(request), 500
    try:
        answer = await handler(request)
        status = answer.status
        give(request, asked, answer)
        return answer
    finally:
        await request.app[DOOR].leave(request, asked, status)


def _is_guest(asked: Asked) -> bool:
    """Return whether it is looked at by somebody who does not live here: all of that is noted."""
    admitted = asked.admitted
    known = admitted is not None and admitted.who.role not in AT_HOME
    return known and asked.right is not Right.ANYBODY


def _deed(request: web.Request, asked: Asked, status: int) -> Deed:
    admitted = asked.admitted
    named = [value for _, value in sorted(request.match_info.items())]
    days = [f"{name}={request.query[name]}" for name in _SAID if name in request.query]
    consent = None if admitted is None else admitted.who.consent_for(asked.right)
    under = "" if consent is None else f"consent {consent}"
    about = " ".join(part for part in (asked.about, *named, *days, under) if part)
    return Deed(
        who="" if admitted is None else admitted.who.name,
        role="" if admitted is None else admitted.who.role.value,
        way="" if admitted is None else admitted.way.value,
        origin=request.remote or "",
        did=asked.did,
        about="".join(char if char.isprintable() else "?" for char in about)[:_LONGEST],
        outcome=status,
    )
