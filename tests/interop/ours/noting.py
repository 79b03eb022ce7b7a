"""Our client's transport, with what goes over it noted where the server is a real one."""

import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from yarl import URL

from hems.sep2.resources.wire import Record
from hems.sep2.transport.http import Limits, Transport, _Reply
from tests.interop.grid.record import Exchange
from tests.interop.grid.server import Grid
from tests.interop.ours.hosted import HostedGrid


class _Noting(Transport):
    """A transport whose exchanges go into a utility's log."""

    grid: Grid
    sender: str

    async def _once(
        self,
        method: str,
        url: URL,
        body: bytes | None,
        expected: type[Record] | None,
        more: Mapping[str, str],
    ) -> _Reply:
        at = time.time()
        reply = await super()._once(method, url, body, expected, more)
        self.grid.note(
            Exchange(
                at=at,
                method=method,
                target=urlsplit(str(url))._replace(scheme="", netloc="").geturl(),
                body=body or b"",
                status=reply.answer.status,
                answer=reply.answer.body,
                headers=dict(reply.answer.headers),
                sender=self.sender,
            )
        )
        return reply


def noting(
    grid: Grid,
    sender: str,
    base: str,
    context: ssl.SSLContext,
    *,
    limits: Limits,
    schema_ver: str | None,
) -> Transport:
    """Return a transport to a utility.

    Args:
        grid: The utility; one that is a script notes by itself what it is asked.
        sender: LFDI of the client.
        base: See `Transport`, as for all that follows.
        context: The client's side of TLS.
        limits: Bounds.
        schema_ver: schemaVer of bodies.
    """
    kind = _Noting if isinstance(grid, HostedGrid) else Transport
    made = kind(base, context, limits=limits, schema_ver=schema_ver)
    if isinstance(made, _Noting):
        made.grid, made.sender = grid, sender
    return made
