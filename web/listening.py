"""Listening at an address, and in one sentence why that cannot be."""

import errno

from aiohttp import web

from web.errors import AddressError


async def listen(runner: web.BaseRunner, site: web.BaseSite, place: str, key: str) -> int:
    """Begin to listen.

    Args:
        runner: What is served.
        site: Where; made for the runner.
        place: The same in words, such as "127.0.0.1 port 8080".
        key: The setting that the port comes from.

    Returns:
        The port that was taken.

    Raises:
        AddressError: The address is in use, forbidden or not this machine's.
    """
    try:
        await site.start()
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"another program is using it; choose another {key}",
            errno.EACCES: f"this user may not listen there; choose a {key} above 1023",
            errno.EADDRNOTAVAIL: "this machine does not have that address; check web.host",
        }
        why = reasons.get(error.errno or 0, error.strerror or str(error))
        raise AddressError(f"the page cannot be served on {place}: {why}") from error
    return int(runner.addresses[-1][1])
