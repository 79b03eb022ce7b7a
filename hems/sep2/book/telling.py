"""What is in force at a server, in the home's own time; pure."""

from collections.abc import Mapping
from dataclasses import replace

from hems.sep2.book.book import Book
from hems.sep2.book.curves import named
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import Schedule


def at_home(schedule: Schedule, book: Book, offset_s: float) -> Schedule:
    """Return what is in force with its times by the home's clock, its baselines and its curves.

    Args:
        schedule: Times are the server's.
        book: What is known of its events.
        offset_s: The server's time less the home's.
    """
    return Schedule(
        at=schedule.at - offset_s,
        active={
            mode: replace(
                active,
                start=active.start - offset_s,
                end=active.end - offset_s,
                baseline_w=_baseline(book, active.event),
            )
            for mode, active in schedule.active.items()
        },
        next_change=schedule.next_change - offset_s,
        gradient=schedule.gradient,
        curves=_curves(book, schedule),
    )


def is_news(before: Schedule | None, after: Schedule) -> bool:
    """Return whether something else is in force than before."""
    return before is None or _said(before) != _said(after)


def _curves(book: Book, schedule: Schedule) -> Mapping[str, Curve]:
    """Return the curves that are in force, by href."""
    hrefs = named({mode: active.value for mode, active in schedule.active.items()})
    found = ((href, book.curves.get(href)) for href in hrefs.values())
    return {href: curve for href, curve in found if isinstance(curve, Curve)}


def _baseline(book: Book, mrid: str) -> float | None:
    entry = book.entries.get(mrid)
    return None if entry is None else entry.baseline_w


def _said(schedule: Schedule) -> tuple[object, ...]:
    return (schedule.active, schedule.gradient, schedule.curves)
