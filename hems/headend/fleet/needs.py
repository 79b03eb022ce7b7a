"""What a request of a home needs to be allowed; pure."""

from typing import Final

from hems.headend import hrefs
from hems.headend.fleet.access import Access

_READS: Final = frozenset({"GET", "HEAD"})
_EVENTS: Final = (hrefs.TARIFFS, hrefs.MESSAGE_PROGRAMS, hrefs.RESPONSE_SETS)
_PROGRAMS: Final = (hrefs.DER_PROGRAMS, hrefs.DR_PROGRAMS)
_OWN_EVENTS: Final = frozenset({"sub", "frp"})
_OWN_PROGRAMS: Final = frozenset({"derp", "drp"})


def needed(method: str, path: str) -> Access:
    """Return what a request needs.

    Lists of events are read by whoever may read the programmes: who is served no events sees them
    empty, so that what was in force ends, and its defaults hold.

    Args:
        method: HTTP method.
        path: Of the resource.
    """
    top, below = _parts(path)
    if top in _PROGRAMS or (top == hrefs.DEVICES and below in _OWN_PROGRAMS):
        return Access.DEFAULTS
    if top in _EVENTS or (top == hrefs.DEVICES and below in _OWN_EVENTS):
        return Access.EVENTS
    return Access.OWN if method in _READS else Access.REPORTS


def _parts(path: str) -> tuple[str, str]:
    """Return the first part of a path, and the third: what of an EndDevice is meant."""
    parts = path.split("/", 4)
    return f"/{parts[1]}" if len(parts) > 1 else "/", parts[3] if len(parts) > 3 else ""  # noqa: PLR2004
