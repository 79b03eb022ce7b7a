"""What an HTTP status that is no success means to an IEEE 2030.5 client."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from hems.sep2.errors import (
    BusyError,
    ForbiddenError,
    NotFoundError,
    PermanentError,
    RejectedError,
    Sep2Error,
)
from hems.sep2.resources.base import Error
from hems.sep2.xml import parse

_MISSING: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_FORBIDDEN: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_BUSY: Final = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_NEVER: Final = (HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
_LONGEST_WAIT_S: Final = 86_400.0
"""A server that asks for more is asked again after a day all the same."""


def error_of(
    place: str, status: int, retry_after: float | None, reason_code: int | None
) -> Sep2Error:
    """Return the error for a status.

    Args:
        place: Method and address, for the message.
        status: HTTP status code, 300 or above.
        retry_after: Seconds that the server asked to wait, None if it did not.
        reason_code: Code of the Error resource in the body, None if there was none.
    """
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unknown status"
    message = f"{place}: {status} {phrase}"
    if reason_code is not None:
        message += f", reason code {reason_code}"
    if status in _MISSING:
        return NotFoundError(message)
    if status in _FORBIDDEN:
        return ForbiddenError(message, status=status)
    if status in _NEVER:
        return PermanentError(message)
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return BusyError(message, retry_after_s=retry_after)
    if status >= HTTPStatus.BAD_REQUEST:
        return RejectedError(message, status=status)
    return PermanentError(message)


def reason_code(body: bytes) -> int | None:
    """Return the reason code of an Error resource, None if the body is none."""
    try:
        return parse(body, Error).reason_code
    except PermanentError:
        return None


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Return the wait that a Retry-After header asks for, in s, at most a day.

    Args:
        headers: Of the answer, matched without regard to case.
        now: UTC epoch seconds, for a Retry-After that is a date; the answer's own Date is used
            before it, so that a local clock that is wrong does no harm.
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_WAIT_S)
    until = http_epoch(value)
    if until is None:
        return None
    sent = http_epoch(headers.get("Date", ""))
    wait = until - (now if sent is None else sent)
    return min(max(wait, 0.0), _LONGEST_WAIT_S) if math.isfinite(wait) else None


def http_epoch(date: str) -> float | None:
    """Return the UTC epoch seconds of a date as in an HTTP header; None if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
