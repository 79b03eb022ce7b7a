"""Old readings as quarters of an hour: pure rules. What they add up to stays exact.

A slot keeps the sums that its readings are merged into, whenever they come, and which ones it has:
one that a home posts again long after is known, and counts no second time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SLOT_S: Final = 900

_ENERGIES: Final = frozenset({71, 72, 73, 106})
"""Units of what adds up: VAh, Wh, varh, Ah."""
_GREATEST, _LEAST = 8, 9
"""dataQualifier of readings that are the greatest, or least, of something."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A reading as it was posted.

    Attributes:
        start: Begin of its interval, epoch s.
        duration_s: Its length; 0 for a momentary value.
        local_id: localID, or "".
        value: In SI units.
    """

    start: int
    duration_s: int
    local_id: str
    value: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the readings of a meter mean, as codes of its ReadingType; None where never told.

    Attributes:
        uom: Unit.
        qualifier: dataQualifier.
    """

    uom: int | None = None
    qualifier: int | None = None


Key = tuple[int, int]
"""Of a slot of one meter: when it begins, epoch s, and its kind: 0 for momentary values, else the
length of the interval that it stands for, s."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What is kept of the readings of a slot.

    Attributes:
        count: How many they were.
        total: Their sum.
        weighted: The sum of each times its duration.
        covered_s: The sum of their durations.
        least: The least.
        greatest: The greatest.
        last: The one that began last.
        last_at: When that was, epoch s.
        marks: Which ones they were: begin within the slot, s, and localID.
    """

    count: int
    total: float
    weighted: float
    covered_s: int
    least: float
    greatest: float
    last: float
    last_at: int
    marks: frozenset[str]


def key_of(reading: Raw) -> Key:
    """Return the slot of a reading; one of a slot's length or longer keeps its own interval."""
    if reading.duration_s >= SLOT_S:
        return reading.start, reading.duration_s
    return reading.start - reading.start % SLOT_S, SLOT_S if reading.duration_s else 0


def merged(slot: Slot | None, key: Key, readings: Iterable[Raw]) -> Slot | None:
    """Return a slot with readings that belong to it; those that it has already change nothing.

    Args:
        slot: As it was; None for none yet.
        key: Its key.
        readings: In any order.
    """
    for reading in sorted(readings, key=lambda each: (each.start, each.local_id)):
        mark = f"{reading.start - key[0]}:{reading.local_id}"
        if slot is None:
            slot = _first(reading, mark)
        elif mark not in slot.marks:
            slot = _more(slot, reading, mark)
    return slot


def value_of(slot: Slot, meaning: Meaning, kind: int) -> float:
    """Return the one value that stands for a slot.

    Args:
        slot: The slot.
        meaning: Of its meter.
        kind: The slot's; see `Key`.

    Returns:
        What adds up is added up; a register's is what it stood at last; of the greatest the
        greatest, of the least the least; else the mean, over time where readings have durations.
    """
    if meaning.uom in _ENERGIES:
        return slot.total if kind else slot.last
    if meaning.qualifier == _GREATEST:
        return slot.greatest
    if meaning.qualifier == _LEAST:
        return slot.least
    return slot.weighted / slot.covered_s if slot.covered_s else slot.total / slot.count


def begins(slot: Slot, meaning: Meaning, key: Key) -> int:
    """Return when what a slot says holds from, epoch s: a register's since it was read last."""
    start, kind = key
    return slot.last_at if not kind and meaning.uom in _ENERGIES else start


def written(marks: Iterable[str]) -> str:
    """Return marks as text."""
    return " ".join(sorted(marks))


def read(text: str) -> frozenset[str]:
    """Return the marks that were written."""
    return frozenset(text.split(" "))


def _first(reading: Raw, mark: str) -> Slot:
    value, span_s = reading.value, reading.duration_s
    return Slot(
        1, value, value * span_s, span_s, value, value, value, reading.start, frozenset({mark})
    )


def _more(slot: Slot, reading: Raw, mark: str) -> Slot:
    value, span_s = reading.value, reading.duration_s
    later = reading.start >= slot.last_at
    return Slot(
        slot.count + 1,
        slot.total + value,
        slot.weighted + value * span_s,
        slot.covered_s + span_s,
        min(slot.least, value),
        max(slot.greatest, value),
        value if later else slot.last,
        reading.start if later else slot.last_at,
        slot.marks | {mark},
    )
