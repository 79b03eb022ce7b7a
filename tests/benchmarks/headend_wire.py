"""The lean end of a home's connection: prebuilt requests, replies read no further than needed.

What drives a server must not be what is measured: TLS is OpenSSL's, straight on the socket, and of
a reply only the status and the length are read.
"""

import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
GCM: Final = "ECDHE-ECDSA-AES128-GCM-SHA256"
CCM8: Final = "ECDHE-ECDSA-AES128-CCM8"
MEDIA_TYPE: Final = "application/sep+xml"

_WITHIN_S: Final = 30.0
_CHUNK: Final = 1 << 16
_END: Final = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LOCATION = re.compile(rb"\r\nlocation: *([^\r]+)\r\n", re.IGNORECASE)
_EMPTY: Final = frozenset({204, 304})


class ReplyError(RuntimeError):
    """A server answered what it should not have."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or a request of the other side.

    Attributes:
        status: Its status; 0 of a request.
        head: First line and headers.
        body: The rest.
        length: Of all of it, octets.
    """

    status: int
    head: bytes
    body: bytes
    length: int

    @property
    def location(self) -> str:
        """Where what was made stands.

        Raises:
            ReplyError: It does not say.
        """
        found = _LOCATION.search(self.head)
        if found is None:
            raise ReplyError(f"no Location: {self.head!r}")
        return found[1].decode()


def parse_reply(data: bytes, *, request: bool = False) -> Reply | None:
    """Return the message at the begin of `data`; None if it is not all there.

    Args:
        data: What has come.
        request: It is a request; an answer else.

    Raises:
        ReplyError: It is none, or does not say how long it is.
    """
    end = data.find(_END) + len(_END)
    if end < len(_END):
        return None
    head, status = data[:end], 0
    if not request:
        line = _STATUS.match(head)
        if line is None:
            raise ReplyError(f"not an answer of HTTP/1.1: {head[:80]!r}")
        status = int(line[1])
    found = _LENGTH.search(head)
    if found is None and status not in _EMPTY:
        raise ReplyError(f"it does not say how long it is: {head[:200]!r}")
    whole = end + (0 if found is None else int(found[1]))
    if len(data) < whole:
        return None
    return Reply(status, head, data[end:whole], whole)


def request_of(method: str, path: str, body: bytes = b"") -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Accept: {MEDIA_TYPE}"]
    if body:
        lines += [f"Content-Type: {MEDIA_TYPE}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def context_of(home: Path, roots: Path, cipher: str, *, server: bool = False) -> ssl.SSLContext:
    """Return a home's TLS context, which has OpenSSL check the chain, and nothing else.

    Args:
        home: PEM file of its key and its certificates.
        roots: PEM file of the trusted roots.
        cipher: The only one that it speaks.
        server: For a home that listens.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0" if cipher == CCM8 else cipher)
    context.load_verify_locations(roots)
    context.load_cert_chain(home)
    return context


def connected(context: ssl.SSLContext, port: int) -> ssl.SSLSocket:
    """Return a connection to the server, after its handshake."""
    raw = socket.create_connection((HOST, port), _WITHIN_S)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw)


def ask(tls: ssl.SSLSocket, request: bytes, *wanted: int) -> Reply:
    """Send a request and wait for its answer.

    Raises:
        ReplyError: It is not of a wanted status.
    """
    tls.sendall(request)
    data = b""
    while True:
        got = tls.recv(_CHUNK)
        if not got:
            raise ReplyError(f"the connection ended within an answer: {data[:200]!r}")
        data += got
        reply = parse_reply(data)
        if reply is not None:
            break
    if reply.status not in wanted:
        raise ReplyError(f"answered {reply.status}, not {wanted}: {reply.body[:300]!r}")
    return reply
