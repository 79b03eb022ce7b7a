"""What a device is told in its test move, by what a set-point means to it. Pure.

A move is small and short: a tenth of the range, or of the present power, for ten seconds; it
returns to rest before and after, so that the meter shows the difference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from der.model import Control, DeviceSpec, Reading, Setpoint
from der.sentence import say

SHARE: Final = 0.1
"""Of the range, or of the present power."""
LEAST_MOVE_W: Final = 200.0
"""A limit cuts as much where it can: less drowns in what a house does by itself."""
IDLE_W: Final = 50.0
"""Who draws or produces less than this has nothing to show."""
LONGEST_HOLD_S: Final = 60.0
"""Nobody waits longer than this for a compressor's minimum times to pass."""
_FULL_SOC: Final = 0.97
_EMPTY_SOC: Final = 0.05
_CURRENT_STEP: Final = 0.25
_LAPSE_FACTOR: Final = 3.0
_LAPSE_MORE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the device is told, and held at.

    Attributes:
        setpoint: What it is told; it lapses soon after, should the test die.
        hold_s: For how long at least.
        asked_w: What it should then run at; None where it runs as it likes.
        words: What it is told, for people ("charge with 500 W").
        limit: Whether it may also run at less than asked.
    """

    setpoint: Setpoint
    hold_s: float
    asked_w: float | None
    words: str
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A test move; at its end the device is given back, which is no step.

    Attributes:
        steps: In order; they begin and end at rest where the device is moved.
        moves: Whether its power should change; else only that it accepts is shown.
        note: Why its power is not moved, one sentence without its name; empty if it is.
    """

    steps: tuple[Step, ...]
    moves: bool
    note: str = ""


def plan(spec: DeviceSpec, reading: Reading, move_s: float = 10.0) -> Plan:
    """Return the test move of a device.

    Args:
        spec: The device.
        reading: How it runs now.
        move_s: How long each step lasts at least.
    """
    return _PLANS[spec.control](spec, reading, move_s)


def _nothing(_spec: DeviceSpec, _reading: Reading, _move_s: float) -> Plan:
    return Plan((), moves=False, note=say("It takes no set-points, so nothing was moved."))


def _target(spec: DeviceSpec, reading: Reading, move_s: float) -> Plan:
    soc = reading.soc
    moves = []
    if spec.max_w > 0 and (soc is None or soc < _FULL_SOC):
        words = say("charge with {power:.0f} W", power=SHARE * spec.max_w)
        moves.append(_target_step(SHARE * spec.max_w, move_s, words))
    if spec.min_w < 0 and (soc is None or soc > _EMPTY_SOC):
        words = say("discharge with {power:.0f} W", power=-SHARE * spec.min_w)
        moves.append(_target_step(SHARE * spec.min_w, move_s, words))
    rest = _target_step(0.0, move_s, "rest")
    if not moves:
        return Plan((rest,), moves=False, note=say("It can neither charge nor discharge now."))
    return Plan((rest, *moves, rest), moves=True)


def _floor(spec: DeviceSpec, reading: Reading, move_s: float) -> Plan:
    free = _free(spec.min_w, move_s, say("produce what it can"))
    output_w = -reading.power_w
    if output_w < IDLE_W:
        return Plan((free,), moves=False, note=say("It produces too little now to show a change."))
    limit_w = _cut(output_w)
    limited = _limit(
        max(-limit_w, spec.min_w), move_s, say("produce at most {limit:.0f} W", limit=limit_w)
    )
    return Plan((free, limited, free), moves=True)


def _ceiling(spec: DeviceSpec, reading: Reading, move_s: float) -> Plan:
    draw_w = reading.power_w
    if draw_w < IDLE_W:
        idle = _free(spec.max_w, move_s, say("draw what it wants"))
        return Plan(
            (idle,), moves=False, note=say("It draws nothing now, so only a limit was set.")
        )
    # Chargers round to whole amperes, and least_on_w is six of them: the cut must be more.
    cut_w = max(draw_w - _cut(draw_w), spec.least_on_w * _CURRENT_STEP)
    free = _free(min(draw_w + cut_w, spec.max_w), move_s, say("draw what it wants"))
    if draw_w - cut_w < spec.least_on_w:
        limited = _limit(0.0, move_s, say("pause"))
    else:
        limit_w = min(draw_w - cut_w, spec.max_w)
        limited = _limit(limit_w, move_s, say("draw at most {limit:.0f} W", limit=limit_w))
    return Plan((free, limited, free), moves=True)


def _switch(spec: DeviceSpec, reading: Reading, move_s: float) -> Plan:
    allowed = _free(spec.max_w, max(move_s, spec.min_on_s), say("run as it likes"))
    if reading.power_w < IDLE_W:
        brief = _free(spec.max_w, move_s, say("run as it likes"))
        return Plan(
            (brief,), moves=False, note=say("It does not run now, so it was not switched off.")
        )
    longest_s = max(spec.min_on_s, spec.min_off_s)
    if longest_s > LONGEST_HOLD_S:
        brief = _free(spec.max_w, move_s, say("run as it likes"))
        note = say(
            "Its minimum times of up to {longest:.0f} s are longer than a test may last.",
            longest=longest_s,
        )
        return Plan((brief,), moves=False, note=say("{note} It was not switched off.", note=note))
    off = _limit(0.0, max(move_s, spec.min_off_s), say("be off"))
    return Plan((allowed, off, allowed), moves=True)


def _cut(power_w: float) -> float:
    """Return a limit a tenth below a power, or as far below it as the meter needs."""
    return power_w - max(SHARE * power_w, min(LEAST_MOVE_W, power_w))


def _target_step(power_w: float, hold_s: float, words: str) -> Step:
    return Step(_setpoint(power_w, hold_s), hold_s, power_w, words)


def _limit(power_w: float, hold_s: float, words: str) -> Step:
    return Step(_setpoint(power_w, hold_s), hold_s, power_w, words, limit=True)


def _free(power_w: float, hold_s: float, words: str) -> Step:
    return Step(_setpoint(power_w, hold_s), hold_s, None, words)


def _setpoint(power_w: float, hold_s: float) -> Setpoint:
    return Setpoint(power_w, _LAPSE_FACTOR * hold_s + _LAPSE_MORE_S)


_PLANS: Final[Mapping[Control, Callable[[DeviceSpec, Reading, float], Plan]]] = MappingProxyType(
    {
        Control.NONE: _nothing,
        Control.TARGET: _target,
        Control.FLOOR: _floor,
        Control.CEILING: _ceiling,
        Control.SWITCH: _switch,
    }
)
