"""Why a message is refused: what goes into the reply, and with which HTTP status."""

from enum import Enum
from http import HTTPStatus
from typing import Final

from hems.headend.errors import HeadEndError


class Fault(Enum):
    """Kind of refusal: its code in a reply (IEC 61968-9), HTTP status, whether it is final.

    What is not final may be sent again, under the same message id, and may then be done.
    """

    HEADER = ("1.5", HTTPStatus.BAD_REQUEST, True)
    """The header lacks something, or has what it must not."""
    REQUEST = ("1.6", HTTPStatus.BAD_REQUEST, True)
    """The same of the request part."""
    PAYLOAD = ("1.7", HTTPStatus.BAD_REQUEST, True)
    """The same of the payload."""
    FORM = ("1.8", HTTPStatus.BAD_REQUEST, True)
    """The document is not of the form that it must have."""
    REVISION = ("1.9", HTTPStatus.BAD_REQUEST, True)
    """Another revision of the message."""
    MEDIA = ("1.8", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, True)
    """It is not sent as XML."""
    METER = ("2.4", HTTPStatus.NOT_FOUND, True)
    """There is no such device."""
    NOUN = ("2.5", HTTPStatus.UNPROCESSABLE_ENTITY, True)
    """The noun is not served."""
    READING_TYPE = ("2.10", HTTPStatus.UNPROCESSABLE_ENTITY, True)
    """Nothing of this kind is read."""
    VERB = ("2.9", HTTPStatus.UNPROCESSABLE_ENTITY, True)
    """The verb is not for this noun, or not for this kind of message."""
    SOURCE = ("2.14", HTTPStatus.FORBIDDEN, True)
    """Who sends it is not who the header says."""
    UNKNOWN = ("2.15", HTTPStatus.NOT_FOUND, True)
    """There is nothing of this id."""
    RELATION = ("2.29", HTTPStatus.CONFLICT, True)
    """It contradicts what is there, or itself."""
    TOO_MANY = ("3.1", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, True)
    """It is longer, or asks for more, than is taken."""
    BUSY = ("5.1", HTTPStatus.SERVICE_UNAVAILABLE, False)
    """The head-end cannot do it now."""
    NOT_TRIED = ("5.2", HTTPStatus.UNPROCESSABLE_ENTITY, True)
    """The head-end cannot do this at all; nothing was begun."""
    TOO_LATE = ("6.1", HTTPStatus.CONFLICT, True)
    """It can be done no more."""
    STRANGER = ("7.4", HTTPStatus.UNAUTHORIZED, True)
    """Nobody knows who sends it."""
    FORBIDDEN = ("7.5", HTTPStatus.FORBIDDEN, True)
    """Who sends it may not do this."""
    POLICY = ("7.7", HTTPStatus.CONFLICT, True)
    """A message of another time, or another message of the same id."""

    def __init__(self, code: str, status: int, final: bool) -> None:
        self.code = code
        self.status = status
        self.final = final


class CimError(HeadEndError):
    """A message that is refused.

    Attributes:
        fault: Of what kind the refusal is.
        where: Path of the element concerned; empty for the whole.
        reason: One sentence, fit to be shown, and to stand in XML.
    """

    def __init__(self, fault: Fault, reason: str, where: str = "") -> None:
        reason, where = _printable(reason), _printable(where)
        super().__init__(f"{where}: {reason}" if where else reason)
        self.fault = fault
        self.where = where
        self.reason = reason


LONGEST_REASON: Final = 1000
"""Characters: a name in it may be as long as any value, and what quotes it must fit one too."""


def _printable(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text).strip()
    return shown if len(shown) <= LONGEST_REASON else f"{shown[:LONGEST_REASON]}..."
