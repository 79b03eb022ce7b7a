"""What the protocol notices that bears on security; who judges it stands above."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from hems.sep2.errors import Sep2Error


class What(Enum):
    """What was noticed."""

    SERVER = auto()
    """Asking the server failed in a new way."""
    NOTIFICATION = auto()
    """A notification was not taken."""
    EVENT = auto()
    """An event is not carried out, or not as it was meant."""
    REPLAY = auto()
    """An event that is over is said to be coming once more."""
    CLOCK = auto()
    """A server's clock was set by more than any clock goes wrong; `why` says by how much."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that was noticed.

    Attributes:
        what: What.
        why: In words.
        source: The address that it comes from, where it is not the server that was asked.
        about: mRID of the event concerned; empty for none.
        error: What was raised; None for nothing.
    """

    what: What
    why: str
    source: str = ""
    about: str = ""
    error: Sep2Error | None = None


Notice = Callable[[Noticed], None]
"""Told of it; must not block."""


def unnoticed(noticed: Noticed) -> None:
    """Tell nobody."""
    del noticed
