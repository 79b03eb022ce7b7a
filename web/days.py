"""Days as the home counts them: by its own calendar (`hems.cem.civil`), or by the machine's.

The machine's own zone counts only where nobody has said the home's, and the machine does not tell
what its zone is called.
"""

import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hems.cem.civil import day_of, day_start
from web.errors import SettingsError

_LOCALTIME = Path("/etc/localtime")


def check_zone(name: str) -> None:
    """Refuse a time zone that this machine does not know.

    Raises:
        SettingsError: `name` is neither empty nor an IANA time zone.
    """
    if not name:
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"web.time_zone: {name!r} is not a known time zone") from error


def zone_name(configured: str) -> str:
    """Return the IANA name of the home's time zone.

    Args:
        configured: The name from the settings; empty for the machine's own zone.

    Returns:
        The name, or "" where the machine does not tell what its zone is called.
    """
    if configured:
        return configured
    from_environment = os.environ.get("TZ", "").removeprefix(":")
    linked = _LOCALTIME.resolve().as_posix().partition("/zoneinfo/")[2]
    for name in (from_environment, linked):
        try:
            if name:
                return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ""


def day_at(at: float, zone: str) -> date:
    """Return the day in which an instant lies.

    Args:
        at: UTC epoch seconds.
        zone: IANA name; empty for the machine's own zone.
    """
    if zone:
        return day_of(at, ZoneInfo(zone))
    return datetime.fromtimestamp(at, UTC).astimezone().date()


def day_bounds(day: date, zone: str) -> tuple[float, float]:
    """Return when a day begins and ends, 23 to 25 hours apart, in UTC epoch seconds.

    Args:
        day: The day.
        zone: IANA name; empty for the machine's own zone.

    Raises:
        OverflowError: The day lies outside what the calendar can count.
    """
    following = day + timedelta(days=1)
    if zone:
        named = ZoneInfo(zone)
        return day_start(day, named), day_start(following, named)
    # A naive local datetime's timestamp follows the machine's own zone and its DST.
    return (
        datetime.combine(day, time(), None).timestamp(),
        datetime.combine(following, time(), None).timestamp(),
    )
