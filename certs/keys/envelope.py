"""The files in which a store keeps its keys: PEM around a few fields; pure.

-----BEGIN HEMS SEALED KEY-----
base64 of: version, then each field behind its length in two octets, big-endian
-----END HEMS SEALED KEY-----
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

VERSION: Final = 1
LONGEST: Final = 0xFFFF
"""Octets that fit a field."""

_LENGTH: Final = 2
_WIDTH: Final = 64
_BLOCK: Final = re.compile(
    rb"\s*-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]*)-----END \1-----\s*"
)
_BEGIN: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One key, as a store keeps it.

    Attributes:
        label: Which kind of store wrote it.
        fields: What it needs to find or open the key.
    """

    label: str
    fields: tuple[bytes, ...]


def labels_of(content: bytes) -> tuple[str, ...]:
    """Return the labels of all PEM blocks, in their order."""
    return tuple(found.decode() for found in _BEGIN.findall(content))


def packed(fields: Sequence[bytes]) -> bytes:
    """Return the fields in one row of octets, so that no two lists of fields give the same.

    Raises:
        ValueError: A field is too long.
    """
    for each in fields:
        if len(each) > LONGEST:
            raise ValueError(f"a field of {len(each)} octets is too long")
    return bytes((VERSION,)) + b"".join(
        len(each).to_bytes(_LENGTH, "big") + each for each in fields
    )


def encode(envelope: Envelope) -> bytes:
    """Return the file's content.

    Raises:
        ValueError: A field is too long.
    """
    text = base64.b64encode(packed(envelope.fields))
    lines = [text[i : i + _WIDTH] for i in range(0, len(text), _WIDTH)]
    label = envelope.label.encode()
    return b"\n".join(
        (b"-----BEGIN " + label + b"-----", *lines, b"-----END " + label + b"-----", b"")
    )


def decode(content: bytes) -> Envelope:
    """Read a file's content.

    Raises:
        ValueError: It is not one whole block of this form.
    """
    found = _BLOCK.fullmatch(content)
    if found is None:
        raise ValueError("it is not one whole PEM block")
    try:
        body = base64.b64decode(re.sub(rb"[\r\n]", b"", found[2]), validate=True)
    except binascii.Error as error:
        raise ValueError("its base64 is damaged") from error
    if body[:1] != bytes((VERSION,)):
        raise ValueError("it is of a version that is not known here")
    return Envelope(found[1].decode(), tuple(_fields(body[1:])))


def _fields(body: bytes) -> Sequence[bytes]:
    found = []
    while body:
        size = int.from_bytes(body[:_LENGTH], "big")
        field, rest = body[_LENGTH : _LENGTH + size], body[_LENGTH + size :]
        if len(body) < _LENGTH + size:
            raise ValueError("it is cut short")
        found.append(field)
        body = rest
    return found
