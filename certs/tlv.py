"""DER elements, as far as names, requests and lists need them by hand: tag, length, content.

Only DER is read: one way to write a value, or none.
"""

import re
from collections.abc import Iterator
from typing import Final

INTEGER: Final = 0x02
OCTETS: Final = 0x04
OID: Final = 0x06
SEQUENCE: Final = 0x30
SET: Final = 0x31

_DOTTED = re.compile(r"([01]\.[1-3]?[0-9]|2\.[0-9]+)(\.[0-9]+)*")
_SHORT: Final = 0x80
"""Lengths below it take one byte; longer ones name their number of length bytes first."""
_ROOT_ARCS: Final = 40
_LAST_ROOT: Final = 2


def tlv(tag: int, content: bytes) -> bytes:
    """Return an element."""
    size = len(content)
    if size < _SHORT:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length))) + length + content


def take(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Split `data` into the content of its first element and what follows it.

    Raises:
        ValueError: It does not begin with a whole element of this tag.
    """
    if len(data) < 2 or data[0] != tag:  # noqa: PLR2004 - a tag and a length byte
        raise ValueError(f"no element with tag {tag:#04x} where one is needed")
    size, start = data[1], 2
    if size & _SHORT:
        start += size & ~_SHORT
        size = int.from_bytes(data[2:start], "big")
    content = data[start : start + size]
    if tlv(tag, content) != data[: start + size]:
        raise ValueError(f"the element with tag {tag:#04x} is cut short or not DER")
    return content, data[start + size :]


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element of a row of them.

    Raises:
        ValueError: One of them is not whole.
    """
    while data:
        tag = data[0]
        content, data = take(data, tag)
        yield tag, content


def oid(dotted: str) -> bytes:
    """Return an object identifier as an element.

    Raises:
        ValueError: `dotted` is none.
    """
    if _DOTTED.fullmatch(dotted) is None:
        raise ValueError(f"{dotted!r} is not an object identifier")
    first, second, *rest = map(int, dotted.split("."))
    return tlv(OID, b"".join(_base128(arc) for arc in (first * _ROOT_ARCS + second, *rest)))


def read_oid(content: bytes) -> str:
    """Return the content of an object identifier in dots.

    Raises:
        ValueError: It is none.
    """
    arcs: list[int] = []
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & _SHORT:
            arcs.append(value)
            value = 0
    if not arcs or b"".join(map(_base128, arcs)) != content:
        raise ValueError("not an object identifier")
    first = min(arcs[0] // _ROOT_ARCS, _LAST_ROOT)
    return ".".join(map(str, (first, arcs[0] - first * _ROOT_ARCS, *arcs[1:])))


def _base128(arc: int) -> bytes:
    out = bytearray((arc & 0x7F,))
    while arc := arc >> 7:
        out.insert(0, _SHORT | arc & 0x7F)
    return bytes(out)
