"""What an event asks of a home in watts, and where that is measured: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hems.headend.modes import Mode, Value
from hems.headend.settle.power import At

_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Move:
    """By how much a home is to move.

    Attributes:
        at: Where its own method measures it, unless a setting says otherwise.
        power_w: So much less taken, or more given; negative for more taken. None where the event
            says it in no watts.
    """

    at: At
    power_w: float | None


@dataclass(frozen=True, slots=True)
class Limit:
    """What a home may do at most.

    Attributes:
        at: Where it is measured.
        sign: 1 where what is taken is limited, -1 where what is given is.
        power_w: At most, W; never negative.
    """

    at: At
    sign: int
    power_w: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked.

    Attributes:
        move: By how much to move; None for nothing of the kind.
        limits: What may be done at most.
        unrated: Whether it is a share of what the home never told.
    """

    move: Move | None = None
    limits: tuple[Limit, ...] = ()
    unrated: bool = False

    @property
    def measured(self) -> bool:
        """Whether meters show anything of it."""
        return self.move is not None or bool(self.limits)


@dataclass(frozen=True, slots=True)
class Ratings:
    """What percentages are of, W; None where the home never told.

    Attributes:
        most_w: Its set or rated power.
        charge_w: Its rated charge.
        discharge_w: Its rated discharge.
    """

    most_w: float | None = None
    charge_w: float | None = None
    discharge_w: float | None = None


PERCENTS: Final = frozenset({Mode.FIXED_PERCENT, Mode.MAX_PERCENT})
"""Modes for which ratings are needed."""
_UNSAID: Final = frozenset({Mode.DUTY, Mode.COOLING, Mode.HEATING, Mode.LOAD_PERCENT})
"""Modes that move load by what nobody can say in watts."""


def wanted(values: Mapping[Mode, Value], duration_s: float, ratings: Ratings) -> Wanted:
    """Return what an event asks of a home.

    Of what no meter at the connection point or at a DER shows (a load limit, reactive power, a
    curve, a switch) there is nothing.

    Args:
        values: What it asks, by mode.
        duration_s: How long.
        ratings: The home's.
    """
    numbers = {mode: float(v) for mode, v in values.items() if isinstance(v, int | float)}
    move, limits = _move(numbers, duration_s, ratings), _limits(numbers, ratings)
    unsaid = Mode.FIXED_PERCENT in numbers and move is not None and move.power_w is None
    unlimited = Mode.MAX_PERCENT in numbers and ratings.most_w is None
    return Wanted(move, limits, unsaid or unlimited)


def _move(numbers: Mapping[Mode, float], duration_s: float, ratings: Ratings) -> Move | None:
    for mode, value in numbers.items():
        match mode:
            case Mode.SHED:
                return Move(At.SITE, value)
            case Mode.ENERGY:
                return Move(At.SITE, value * _HOUR_S / duration_s)
            case Mode.TARGET_W | Mode.STORAGE_W:
                return Move(At.DER, value)
            case Mode.FIXED_PERCENT:
                rated_w = ratings.discharge_w if value >= 0 else ratings.charge_w
                whole_w = ratings.most_w if rated_w is None else rated_w
                return Move(At.DER, None if whole_w is None else value / 100.0 * whole_w)
            case _ if mode in _UNSAID:
                return Move(At.SITE, None)
            case _:
                continue
    return None


def _limits(numbers: Mapping[Mode, float], ratings: Ratings) -> tuple[Limit, ...]:
    found: list[Limit] = []
    for mode, value in numbers.items():
        match mode:
            case Mode.IMPORT:
                found.append(Limit(At.SITE, 1, value))
            case Mode.EXPORT:
                found.append(Limit(At.SITE, -1, value))
            case Mode.GENERATION:
                found.append(Limit(At.DER, -1, value))
            case Mode.MAX_PERCENT if ratings.most_w is not None:
                found.append(Limit(At.SITE, -1, value / 100.0 * ratings.most_w))
            case _:
                continue
    return tuple(found)
