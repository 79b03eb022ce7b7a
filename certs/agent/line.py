"""The agent's end of the line to its hub: a socket in the hub's folder."""

import json
import os
import select
import socket
import struct
from typing import Any, Final

from certs.agent.seal import MOST_LINE, NONCE, Seal, SealError, hello, read_hello

AGAIN_S: Final = 2.0
_PATIENCE_S: Final = 5.0
_CREDENTIALS: Final = struct.Struct("3i")


class Line:
    """Connects, and connects again.

    Args:
        path: Of the socket.
        secret: Shared with the hub.
    """

    def __init__(self, path: str, secret: bytes) -> None:
        self._path = path
        self._secret = secret
        self._socket: socket.socket | None = None
        self._out = self._in = Seal(b"", b"", "")
        self._left = b""
        self._next_at = 0.0
        self.nonce = b""
        """Of the hub, for this session."""
        self.hub = 0
        """Process id of the hub."""

    @property
    def up(self) -> bool:
        """Whether the hub listens."""
        return self._socket is not None

    def connect(self, now: float) -> bool:
        """Connect if that is due; returns whether a session has just begun.

        Args:
            now: Monotonic seconds.
        """
        if self._socket is not None or now < self._next_at:
            return False
        self._next_at = now + AGAIN_S
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(_PATIENCE_S)
        try:
            _reach(made, self._path)
            found = made.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            self.hub = _CREDENTIALS.unpack(found)[0]
            own = os.urandom(NONCE)
            self.nonce = read_hello(_first_line(made))
            made.sendall(hello(own))
        except (OSError, SealError):
            made.close()
            return False
        self._out = Seal(self._secret, self.nonce + own, "agent")
        self._in = Seal(self._secret, self.nonce + own, "hub")
        self._left, self._socket = b"", made
        return True

    def say(self, words: dict[str, Any]) -> bool:
        """Tell the hub something; returns whether it was taken."""
        if self._socket is None:
            return False
        try:
            self._socket.sendall(self._out.seal(json.dumps(words).encode()))
        except OSError:
            self.drop()
            return False
        return True

    def listen(self, within_s: float) -> list[dict[str, Any]]:
        """Wait a while for what the hub says; returns it.

        Args:
            within_s: How long at most.
        """
        wait = [] if self._socket is None else [self._socket]
        ready, _, _ = select.select(wait, [], [], within_s)
        if not ready or self._socket is None:
            return []
        try:
            piece = self._socket.recv(65_536)
        except OSError:
            piece = b""
        *lines, self._left = (self._left + piece).split(b"\n")
        if not piece or len(self._left) > MOST_LINE:
            self.drop()
            return []
        try:
            return [json.loads(self._in.opened(line)) for line in lines]
        except ValueError:  # SealError is one: not the hub, or one that has lost the thread
            self.drop()
            return []

    def drop(self) -> None:
        """End the session; another one is tried soon."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _reach(made: socket.socket, path: str) -> None:
    """Connect by a name of any length: the kernel takes 107 octets, folders are deeper."""
    folder, _, name = path.rpartition("/")
    held = os.open(folder or "/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        made.connect(f"/proc/self/fd/{held}/{name}")
    finally:
        os.close(held)


def _first_line(made: socket.socket) -> bytes:
    """Return the hub's first line, octet by octet: what follows it belongs to the session."""
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = made.recv(1)
        if not piece or len(line) > 4 * NONCE:
            raise SealError("the hub does not begin as it should")
        line += piece
    return bytes(line)
