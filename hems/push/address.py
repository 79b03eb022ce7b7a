"""Push services' addresses: given by browsers, so no way into the home's own network.

What a browser says is checked when it says it; what its name resolves to is checked each time it
is used, by `hems.outward`.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from der.sentence import say
from hems.outward import public
from hems.push.errors import BadSubscriptionError

_LONGEST: Final = 1024
_HTTPS: Final = 443


def check_endpoint(endpoint: str, *, private: bool = False) -> None:
    """Check where a browser wants its messages sent.

    Args:
        endpoint: The address, a URL.
        private: Whether private addresses and other ports are taken.

    Raises:
        BadSubscriptionError: It is no https address of a push service.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if len(endpoint) > _LONGEST or not endpoint.isascii() or not endpoint.isprintable():
        raise BadSubscriptionError(say("The push service's address is too long or not plain text."))
    if parts.scheme != "https" or not host or parts.username is not None or parts.fragment:
        raise BadSubscriptionError(say("The push service's address is no plain https address."))
    if private:
        return
    if port not in {None, _HTTPS}:
        raise BadSubscriptionError(say("A push service answers at port 443 only."))
    if not (_named(host) if _address(host) is None else public(host)):
        raise BadSubscriptionError(say("The push service's address is not on the internet."))


def _named(host: str) -> bool:
    """Return whether it is a name of the internet's, and none of the older ways to write IPv4."""
    label = host.rstrip(".").rpartition(".")[2]
    return "." in host.rstrip(".") and not label.isdigit() and not label.startswith("0x")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
