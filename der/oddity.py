"""What drivers notice that bears on security; who judges it stands above."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, runtime_checkable


class What(Enum):
    """What was noticed."""

    STRANGER = auto()
    """Somebody calls in whom no device stands for."""
    OTHER = auto()
    """Where a device should be, somebody answers who is no such device."""
    IMPOSTOR = auto()
    """Somebody calls in under a device's name and cannot prove it."""
    HANDSHAKE = auto()
    """A TLS handshake of somebody who called in failed."""
    HOSTILE = auto()
    """A device floods, or goes on saying what its protocol does not know."""
    MEDDLER = auto()
    """Somebody else writes where the hub alone keeps what it must know of a device."""
    REFUSED = auto()
    """What the hub calls does not let it in, or not hear what it must."""
    FALSE_SERVER = auto()
    """What the hub calls cannot prove that it is what it should be."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that was noticed.

    Attributes:
        what: What.
        why: One clause for the owner.
        about: Id of the device, or the name under which somebody called; empty for neither.
        source: Address that it comes from; empty where nobody knows.
    """

    what: What
    why: str
    about: str = ""
    source: str = ""


Tell = Callable[[Oddity], None]
"""Told of it; must not block, and may be called from the event loop only."""


def untold(oddity: Oddity) -> None:
    """Tell nobody."""
    del oddity


@runtime_checkable
class Telling(Protocol):
    """A shared part of drivers that tells what it notices."""

    def tell_by(self, tell: Tell) -> None:
        """Have somebody told from now on."""
        ...
