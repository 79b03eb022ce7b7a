"""The name of a 2030.5 device certificate: hardwareModuleName (RFC 4108, clause 5), in DER.

    HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }

It is the value of the SAN's OtherName 1.3.6.1.5.5.7.8.4. Only DER is read: one way to write a
name, or none.
"""

import re
from dataclasses import dataclass
from typing import Final

from cryptography.x509 import ObjectIdentifier, OtherName

HARDWARE_MODULE_NAME: Final = ObjectIdentifier("1.3.6.1.5.5.7.8.4")
"""id-on-hardwareModuleName."""

_DOTTED = re.compile(r"([01]\.[1-3]?[0-9]|2\.[0-9]+)(\.[0-9]+)*")
_SEQUENCE: Final = 0x30
_OID: Final = 0x06
_OCTETS: Final = 0x04
_SHORT: Final = 0x80
"""Lengths below it take one byte; longer ones name their number of length bytes first."""
_ROOT_ARCS: Final = 40
_LAST_ROOT: Final = 2


@dataclass(frozen=True, slots=True)
class HardwareName:
    """Which piece of hardware a certificate belongs to.

    Attributes:
        kind: hwType, a dotted object identifier of the manufacturer.
        serial: hwSerialNum, unique within `kind`.
    """

    kind: str
    serial: bytes

    def other_name(self) -> OtherName:
        """Return the name as it stands in a subjectAltName.

        Raises:
            ValueError: `kind` is no object identifier.
        """
        body = _tlv(_OID, _encode_oid(self.kind)) + _tlv(_OCTETS, self.serial)
        return OtherName(HARDWARE_MODULE_NAME, _tlv(_SEQUENCE, body))


def read_hardware_name(value: bytes) -> HardwareName:
    """Read the DER value of an OtherName.

    Raises:
        ValueError: It is not a hardwareModuleName, or has an empty serial number.
    """
    body, rest = _take(value, _SEQUENCE)
    if rest:
        raise ValueError("there are bytes behind the hardwareModuleName")
    oid, body = _take(body, _OID)
    serial, body = _take(body, _OCTETS)
    if body:
        raise ValueError("the hardwareModuleName has more than two fields")
    if not serial:
        raise ValueError("hwSerialNum is empty")
    return HardwareName(_decode_oid(oid), serial)


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _SHORT:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length))) + length + content


def _take(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Split `data` into the content of its first element and what follows it."""
    if len(data) < 2 or data[0] != tag:  # noqa: PLR2004 - a tag and a length byte
        raise ValueError(f"no element with tag {tag:#04x} where one is needed")
    size, start = data[1], 2
    if size & _SHORT:
        start += size & ~_SHORT
        size = int.from_bytes(data[2:start], "big")
    content = data[start : start + size]
    if _tlv(tag, content) != data[: start + size]:
        raise ValueError(f"the element with tag {tag:#04x} is cut short or not DER")
    return content, data[start + size :]


def _encode_oid(dotted: str) -> bytes:
    if _DOTTED.fullmatch(dotted) is None:
        raise ValueError(f"{dotted!r} is not an object identifier")
    first, second, *rest = map(int, dotted.split("."))
    return b"".join(_base128(arc) for arc in (first * _ROOT_ARCS + second, *rest))


def _base128(arc: int) -> bytes:
    out = bytearray((arc & 0x7F,))
    while arc := arc >> 7:
        out.insert(0, _SHORT | arc & 0x7F)
    return bytes(out)


def _decode_oid(content: bytes) -> str:
    arcs: list[int] = []
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & _SHORT:
            arcs.append(value)
            value = 0
    if not arcs or b"".join(map(_base128, arcs)) != content:
        raise ValueError("hwType is not an object identifier")
    first = min(arcs[0] // _ROOT_ARCS, _LAST_ROOT)
    return ".".join(map(str, (first, arcs[0] - first * _ROOT_ARCS, *arcs[1:])))
