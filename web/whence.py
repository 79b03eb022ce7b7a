"""From where somebody asks: by which address, browser and name of the hub."""

import ipaddress
from typing import Final

from aiohttp import web

from der.sentence import say
from hems.access.errors import AccountError
from hems.access.passkeys import Site
from hems.access.proofs import Place
from hems.emg.threats.origin import address_of, origin
from web.cookies import known_browser
from web.security import LOOPBACK_NAMES

_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


def place_of(request: web.Request) -> Place:
    """Return where somebody asks from."""
    return Place(
        origin=origin(request.remote or ""),
        agent=request.headers.get("User-Agent", ""),
        here=at_home(request),
        near=near(request.remote or "", _own_address(request)),
        browser=known_browser(request),
    )


def site_of(request: web.Request) -> Site:
    """Return under which name the page is open, for passkeys.

    Who asks for another site's sake was refused before (`web.security`): where a browser says an
    origin, it is the page's own.

    Raises:
        AccountError: Browsers keep no passkeys for it: it is an address, or not by HTTPS.
    """
    name = request.url.host or ""
    said = request.headers.get("Origin", "")
    secure = said.startswith("https://") or (request.secure and not said)
    if address_of(name) is not None or not (secure or name == "localhost"):
        raise AccountError(
            say("Passkeys work where the page is open by HTTPS and by a name, not an address.")
        )
    return Site(name, said or f"{request.scheme}://{request.host}")


def site_or_none(request: web.Request) -> Site | None:
    """Return the same; None where there can be no passkeys."""
    try:
        return site_of(request)
    except AccountError:
        return None


def near(address: str, own: str) -> bool:
    """Return whether an address is on the home's own network.

    Args:
        address: Of who asks.
        own: Of the hub, that it was asked at.
    """
    found = address_of(address)
    if found is None:
        return False
    if found.is_private or found.is_link_local or found.is_loopback:
        return True
    # A home's devices have global addresses by IPv6: they are of one network with the hub's.
    return isinstance(found, ipaddress.IPv6Address) and origin(address) == origin(own)


def at_home(request: web.Request) -> bool:
    """Return whether somebody asks at the hub's own machine: not through anything before it."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    found = address_of(request.remote or "")
    return found is not None and found.is_loopback and (request.url.host or "") in LOOPBACK_NAMES


def _own_address(request: web.Request) -> str:
    name = None if request.transport is None else request.transport.get_extra_info("sockname")
    return str(name[0]) if isinstance(name, tuple) else ""
