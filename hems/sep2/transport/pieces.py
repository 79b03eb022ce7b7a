"""Part of a file, as an HTTP range request brings it (RFC 9110, 14)."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from hems.sep2.errors import MalformedError
from hems.sep2.transport.connections import Answer

# No file is longer than 18 digits can tell, and Python refuses to read thousands of them.
_RANGE: Final = re.compile(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some octets of a file.

    Attributes:
        start: Where in the file they begin; 0 where a server gave the whole.
        data: They.
        total: Length of the file in octets; None where the server does not say.
        validator: What tells this state of the file from others; None if the server has nothing.
    """

    start: int
    data: bytes
    total: int | None
    validator: str | None


def piece_of(place: str, answer: Answer, asked: int) -> Piece:
    """Return what an answer of the 2xx kind brings.

    Args:
        place: For messages.
        answer: The answer.
        asked: First octet that was asked for.

    Raises:
        MalformedError: It is not the range that was asked for.
    """
    tag = answer.headers.get("ETag", "")
    validator = tag if tag and not tag.startswith("W/") else None
    if answer.status != HTTPStatus.PARTIAL_CONTENT:
        return Piece(0, answer.body, len(answer.body), validator)
    said = answer.headers.get("Content-Range", "")
    found = _RANGE.fullmatch(said)
    if found is None:
        raise MalformedError(place, f"part of a file with a Content-Range of {said!r}")
    first, last, total = int(found[1]), int(found[2]), found[3]
    if first != asked or last - first + 1 != len(answer.body):
        raise MalformedError(place, f"{len(answer.body)} octets come as {said!r}, not from {asked}")
    return Piece(first, answer.body, None if total == "*" else int(total), validator)
