"""Times of telecontrol (CP56Time2a): seven octets; this head-end writes and reads UTC; pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

from hems.headend.telecontrol.errors import AsduError

SIZE: Final = 7
_CENTURY: Final = 2000
_YEARS: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_INVALID: Final = 0x80
_MINUTE_MS: Final = 60_000


def encode(at: float) -> bytes:
    """Return a time's octets, to the millisecond.

    Args:
        at: Epoch s, of the years 2000 to 2099.
    """
    when = _EPOCH + round(at * 1000) * _MILLISECOND
    milliseconds = when.second * 1000 + when.microsecond // 1000
    return milliseconds.to_bytes(2, "little") + bytes(
        (
            when.minute,
            when.hour,
            when.day | when.isoweekday() << 5,
            when.month,
            when.year % _YEARS,
        )
    )


def decode(octets: bytes) -> float | None:
    """Return a time, epoch s; None where its sender says that it is not valid.

    The weekday and the mark of summer time are not looked at.

    Raises:
        AsduError: There is no such time.
    """
    if octets[2] & _INVALID:
        return None
    milliseconds = int.from_bytes(octets[0:2], "little")
    try:
        when = datetime(
            _CENTURY + (octets[6] & 0x7F),
            octets[5] & 0x0F,
            octets[4] & 0x1F,
            octets[3] & 0x1F,
            octets[2] & 0x3F,
            tzinfo=UTC,
        )
    except ValueError as error:
        raise AsduError(f"the time {octets.hex(' ')} is none: {error}") from error
    if milliseconds >= _MINUTE_MS or when.year >= _CENTURY + _YEARS:
        raise AsduError(f"the time {octets.hex(' ')} is none")
    return ((when - _EPOCH) // _MILLISECOND + milliseconds) / 1000.0
