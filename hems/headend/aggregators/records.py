"""An aggregator, as the operator has entered it; frozen, no I/O."""

from dataclasses import dataclass
from typing import Final

MOST_HOMES: Final = 100_000
"""Homes that one aggregator may speak for, where the operator says nothing else."""


@dataclass(frozen=True, slots=True)
class Aggregator:
    """What a certificate may do for others.

    Attributes:
        lfdi: Its LFDI, 40 upper-case hex digits.
        may_register: Whether it may enter and remove homes by itself (POST and DELETE of
            EndDevices).
        most: Homes that it may speak for at most.
    """

    lfdi: str
    may_register: bool = False
    most: int = MOST_HOMES


@dataclass(frozen=True, slots=True)
class Wanted:
    """A home that an aggregator is to speak for.

    Attributes:
        lfdi: Its LFDI.
        pin: Its registration PIN; None for one that is registered, or to have one drawn.
    """

    lfdi: str
    pin: int | None = None
