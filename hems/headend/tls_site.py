"""Where homes call: TLS with a small buffer for each connection.

A home keeps its connection for days and says little. The event loop's own TLS holds a quarter of a
MiB for each, by which ten thousand homes would fill the memory of a machine.
"""

import asyncio
from asyncio.sslproto import SSLProtocol
from ssl import SSLContext
from typing import Final

from aiohttp import web

READ_SIZE: Final = 4096
"""Octets read at once: nearly all requests are shorter."""

_BACKLOG: Final = 1024
"""Connections waiting to be accepted: after a restart all homes come at once."""


class TlsSite(web.BaseSite):
    """A port of an aiohttp server that speaks TLS.

    Args:
        runner: The server, set up.
        host: Address to listen on.
        port: Its port; 0 for any.
        tls: Its context.
        reuse_port: Whether other processes listen there too.
    """

    def __init__(
        self, runner: web.BaseRunner, host: str, port: int, tls: SSLContext, *, reuse_port: bool
    ) -> None:
        super().__init__(runner, ssl_context=tls)
        self._tls = tls
        self._host = host
        self._port = port
        self._reuse_port = reuse_port

    @property
    def name(self) -> str:
        """Where it listens, as asked for."""
        return f"https://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen."""
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            self._connection,
            self._host,
            self._port,
            backlog=_BACKLOG,
            reuse_port=self._reuse_port or None,
        )

    def _connection(self) -> SSLProtocol:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the server is not set up")
        return _Connection(
            asyncio.get_running_loop(),
            server(),
            self._tls,
            None,  # type: ignore[arg-type] # nobody waits for the handshake, which may be
            server_side=True,
        )


class _Connection(SSLProtocol):
    """TLS of one home."""

    max_size = READ_SIZE
