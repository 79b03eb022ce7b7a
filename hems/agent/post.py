"""The hub's end of the line to its agent: a socket in the hub's folder, for its user alone."""

import asyncio
import json
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from certs.agent.seal import MOST_LINE, NONCE, Seal, SealError, hello, read_hello
from hems.agent.letters import LetterError, State, read_state

_log = logging.getLogger(__name__)

_MODE: Final = 0o600
_PATIENCE_S: Final = 10.0
_CREDENTIALS: Final = struct.Struct("3i")


class Post:
    """Takes the agent's letters.

    Args:
        path: Of the socket.
        secret: Shared with the agent.
        take: Given each letter, and the nonce of its session.
    """

    def __init__(self, path: Path, secret: bytes, take: Callable[[State, bytes], None]) -> None:
        self._path = path
        self._secret = secret
        self._take = take
        self._present: asyncio.StreamWriter | None = None
        self._out: Seal | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listen meanwhile.

        Raises:
            OSError: That cannot be.
        """
        server = await asyncio.start_unix_server(
            self._serve, sock=_listening(self._path), limit=MOST_LINE
        )
        try:
            yield
        finally:
            server.close()
            for writer in self._serving.values():
                writer.close()  # the session ends by it; a cancelled one asyncio calls a fault
            await asyncio.gather(*self._serving, return_exceptions=True)
            with suppress(OSError):
                self._path.unlink()

    def order(self, what: str) -> None:
        """Tell the agent to do something, if there is one."""
        if self._present is not None and self._out is not None:
            self._present.write(self._out.seal(json.dumps({"order": what}).encode()))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving[task] = writer
        try:
            await self._session(reader, writer)
        except (OSError, SealError, LetterError, TimeoutError, ValueError) as error:
            _log.warning("what calls itself the agent is not listened to: %s", error)
        finally:
            if self._present is writer:
                self._present = self._out = None
            writer.close()
            if task is not None:
                self._serving.pop(task, None)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        _check_user(connection)
        nonce = os.urandom(NONCE)
        writer.write(hello(nonce))
        async with asyncio.timeout(_PATIENCE_S):
            session = nonce + read_hello(await reader.readline())
        theirs = Seal(self._secret, session, "agent")
        known = False
        while line := await reader.readline():
            state = read_state(theirs.opened(line))
            if not known:  # from here on it is the one
                known = True
                self._present, self._out = writer, Seal(self._secret, session, "hub")
            self._take(state, nonce)


def _check_user(connection: socket.socket) -> None:
    """Check that whoever calls runs as this user, or as root."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(found)
    if user not in {0, os.getuid()}:
        raise SealError(f"it runs as user {user}")


def _listening(path: Path) -> socket.socket:
    """Return a socket in a folder whose name may be of any length: the kernel takes 107 octets."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            path.unlink(missing_ok=True)
            before = os.umask(0o777 & ~_MODE)
            try:
                made.bind(f"/proc/self/fd/{held}/{path.name}")
            finally:
                os.umask(before)
        finally:
            os.close(held)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
