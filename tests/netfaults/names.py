"""`python -m tests.netfaults.names ADDRESS`: a small DNS server that misbehaves when it is told to.

It knows A and AAAA records (RFC 1035, RFC 3596) of the names that it is given. Orders come on
standard input, one JSON object a line (`Book`); each is answered by a line: how many questions
were asked before.
"""

import asyncio
import ipaddress
import struct
import sys
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

_HEADER: Final = struct.Struct(">6H")
_KINDS: Final = {1: 4, 28: 6}
"""Numbers of the record types A and AAAA, and the version of IP that each is for."""
_RESPONSE: Final = 0x8180
_NO_SUCH_NAME: Final = 3
_FAILED: Final = 2
_TTL_S: Final = 1


class Book(BaseModel):
    """What it knows, and how it behaves.

    Attributes:
        names: IP addresses by name.
        mood: "good"; "silent": no answer; "none": no name is known; "failing": SERVFAIL.
        slow_s: So late each answer goes out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: Mapping[str, tuple[str, ...]] = {}
    mood: Literal["good", "silent", "none", "failing"] = "good"
    slow_s: float = 0.0


class Server(asyncio.DatagramProtocol):
    """Answers what is asked."""

    def __init__(self) -> None:
        self.book = Book()
        self.asked = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(  # type: ignore[override] # the loop gives a datagram transport
        self, transport: asyncio.DatagramTransport
    ) -> None:
        """Take the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer, or not."""
        self.asked += 1
        if self.book.mood != "silent" and self._transport is not None:
            answer = answered(data, self.book)
            later = asyncio.get_running_loop().call_later
            later(self.book.slow_s, self._transport.sendto, answer, addr)


def answered(question: bytes, book: Book) -> bytes:
    """Return the answer to one question."""
    number, *_ = _HEADER.unpack_from(question)
    labels, at = [], _HEADER.size
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    asked = question[_HEADER.size : at + 5]
    (kind,) = struct.unpack_from(">H", question, at + 1)
    known = book.names.get(".".join(labels))
    code = {"none": _NO_SUCH_NAME, "failing": _FAILED}.get(book.mood, 0)
    if not code and known is None:
        code = _NO_SUCH_NAME
    found = [ipaddress.ip_address(text) for text in known or () if not code]
    fit = [each.packed for each in found if each.version == _KINDS.get(kind)]
    header = _HEADER.pack(number, _RESPONSE | code, 1, len(fit), 0, 0)
    records = (struct.pack(">3HLH", 0xC00C, kind, 1, _TTL_S, len(raw)) + raw for raw in fit)
    return header + asked + b"".join(records)


async def _serve(address: str) -> None:
    loop = asyncio.get_running_loop()
    _, server = await loop.create_datagram_endpoint(Server, local_addr=(address, 53))
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        server.book = Book.model_validate_json(line)
        print(server.asked, flush=True)
        server.asked = 0


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
