"""Whether two links lead to the same place on one server."""

from urllib.parse import urlsplit

from hems.sep2.errors import MalformedError


def place_of(href: str) -> str:
    """Return the path and query of an href, which may be absolute or relative to the root.

    Raises:
        MalformedError: It is no URI reference.
    """
    try:
        parts = urlsplit(href)
    except ValueError as error:
        raise MalformedError("", f"{href!r} is not a usable link: {error}") from None
    path = "/" + parts.path.strip("/")
    return f"{path}?{parts.query}" if parts.query else path


def same_place(a: str, b: str) -> bool:
    """Whether two hrefs of one server name the same resource."""
    return place_of(a) == place_of(b)
