"""From an event of the utility to what a group is asked for; pure.

Signs are the standard's: what a DER gives is positive. A percentage is of the ratings of the whole
group. What cannot be shared, such as a curve or a power factor, is not carried out, which the
client tells the utility of its own accord.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.headend.modes import Mode, Value
from hems.headend.sharing.model import Ability, Kind, percent_of
from hems.sep2.rules.events import ModeValue

_LIMITS: Final[Mapping[str, Kind]] = {
    "opModImpLimW": Kind.IMPORT,
    "opModExpLimW": Kind.EXPORT,
    "opModGenLimW": Kind.GENERATION,
    "opModLoadLimW": Kind.LOAD,
    "opModMaxLimWAbsorb": Kind.IMPORT,
    "opModMaxLimWInject": Kind.EXPORT,
}
_TARGET: Final = "opModTargetW"
_FIXED: Final = "opModFixedW"
_MOST: Final = "opModMaxLimW"
_SHED: Final = "TargetReduction.W"

SHARED_MODES: Final = frozenset({*_LIMITS, _TARGET, _FIXED, _MOST, _SHED})
"""What can be shared over a group, by 2030.5 name."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that an event asks of a group.

    Attributes:
        kind: What.
        amount: How much, never negative: W, or per cent of what the group is rated for.
        percent: Whether it is a percentage.
    """

    kind: Kind
    amount: float
    percent: bool = False


def wishes(modes: Mapping[str, ModeValue]) -> Sequence[Wish]:
    """Return what an event asks that can be shared."""
    found = (_wish(name, v) for name, v in sorted(modes.items()) if isinstance(v, int | float))
    return [wish for wish in found if wish is not None]


def total_w(asked: Iterable[Wish], kind: Kind, homes: Collection[Ability]) -> int:
    """Return what a group is asked for, W; the least where several wishes are of one kind.

    Args:
        asked: What the event asks.
        kind: Which of it; there is at least one.
        homes: The whole group.
    """
    mine = [wish for wish in asked if wish.kind is kind]
    return min(
        percent_of(wish.amount, homes) if wish.percent else round(wish.amount) for wish in mine
    )


def _wish(name: str, value: float) -> Wish | None:
    if name in _LIMITS:
        return Wish(_LIMITS[name], max(0.0, value))
    if name in {_TARGET, _FIXED}:
        kind = Kind.GENERATE if value >= 0 else Kind.ABSORB
        return Wish(kind, abs(value), percent=name == _FIXED)
    if name == _MOST:
        return Wish(Kind.GENERATION, max(0.0, value), percent=True)
    return Wish(Kind.SHED, max(0.0, value)) if name == _SHED else None


_MODES: Final[Mapping[Kind, Mode]] = {
    Kind.SHED: Mode.SHED,
    Kind.GENERATE: Mode.TARGET_W,
    Kind.ABSORB: Mode.TARGET_W,
    Kind.IMPORT: Mode.IMPORT,
    Kind.EXPORT: Mode.EXPORT,
    Kind.GENERATION: Mode.GENERATION,
    Kind.LOAD: Mode.LOAD,
}


def mode_of(kind: Kind) -> Mode:
    """Return the mode by which our own head-end asks for a kind."""
    return _MODES[kind]


def values_of(kind: Kind, value_w: int) -> Mapping[Mode, Value]:
    """Return a share as our own head-end dispatches it."""
    return {_MODES[kind]: float(-value_w if kind is Kind.ABSORB else value_w)}
