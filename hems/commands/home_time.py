"""Instants by the home's clock, as the commands print them: this machine may keep another."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone(name: str) -> tzinfo:
    """Return the zone that the home's page names; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def words(at: float, home: tzinfo) -> str:
    """Return an instant, UTC epoch seconds, as day of the week and time."""
    return datetime.fromtimestamp(at, home).strftime("%a %H:%M")
