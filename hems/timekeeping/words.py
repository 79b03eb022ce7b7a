"""How the hub's time stands, in sentences for people."""

from typing import Final

from der.sentence import say
from hems.timekeeping.quality import Standing
from hems.timekeeping.reading import Source, Upstream

_FINE_S: Final = 0.001


def standing(found: Standing) -> str:
    """Return how the time stands, in one sentence."""
    error = span(found.error_s)
    match found.source:
        case Source.CHRONY | Source.TIMESYNCD if found.name:
            return say(
                "Kept by {program} from {name}, right to {error}.",
                program=found.source.value,
                name=found.name,
                error=error,
            )
        case Source.CHRONY | Source.TIMESYNCD | Source.KERNEL:
            return say("Kept by a program of this machine, right to {error}.", error=error)
        case Source.UTILITY:
            return say("As {name} tells it, right to {error}.", name=found.name, error=error)
        case Source.HELD_OVER:
            return say("As it was last known; it may be off by {error} by now.", error=error)
        case Source.NOBODY:
            return say("Not known.")
    return say("By this machine's own clock; nobody says how right that is.")


def hub_time(found: Standing) -> str:
    """Return the same where it does not stand beside its name."""
    return say("Time of the hub: {standing}", standing=standing(found))


def unknown(path: str) -> str:
    """Return what the owner should know while the time is not known.

    Args:
        path: The file that says when it was known last.
    """
    return say(
        "The hub does not know what time it is: its machine's clock stood still or was set wrong. "
        "Until a time server or the utility tells it, what the utility asked last goes on, nothing "
        "new begins and nothing is recorded. Look at the machine's network and its clock. If its "
        "clock is right, stop the hub, remove {file}, and start it again.",
        file=path,
    )


def set_back(path: str) -> str:
    """Return what the owner should know of a machine whose clock was set to what is over."""
    return say(
        "The clock of the hub's machine was set to a time that is over; the hub goes on with its "
        "own. If the machine's clock is right, stop the hub, remove {file}, and start it again.",
        file=path,
    )


def unkept() -> str:
    """Return what should be seen to where nobody keeps the clock."""
    return say(
        "Nobody keeps the clock of the hub's machine: install chrony, or let it reach a time "
        "server."
    )


def apart(name: str, apart_s: float) -> str:
    """Return that a utility's clock and the hub's do not agree."""
    return say(
        "The clock of {name} is {seconds} s off the hub's, which a time server keeps. Its events "
        "are run by its own clock; tell it.",
        name=name,
        seconds=f"{apart_s:+.0f}",
    )


def too_often(each: Upstream) -> str:
    """Return that a time server is asked more often than is right."""
    return say(
        "chrony asks {name} every {seconds} s; set its minpoll to 2 or more, so that it is asked "
        "no more often than every 4 s.",
        name=each.name,
        seconds=f"{each.poll_s:g}",
    )


def leap() -> str:
    """Return that a leap second comes."""
    return say("A leap second comes at the end of this day (UTC); nothing needs to be done.")


def span(seconds: float | None) -> str:
    """Return an error in words."""
    if seconds is None:
        return "?"
    if seconds < _FINE_S:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1.0 else f"{seconds:.0f} s"
