"""What several servers ask of one device, combined: the schedules of their engines into one.

Each server's own events supersede one another by `hems.sep2.rules.events`. Between servers that
share no clock of creation times and know nothing of each other, there are two cases. A limit does
not contradict another: both are obeyed, and so the stricter holds. Of set-points and curves only
one can hold: an event before a default control, then the stronger primacy, then the server that
comes first in the configuration. Who loses so is told, for the answer that its server is owed (13).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import Active, ModeValue, Schedule


@dataclass(frozen=True, slots=True)
class Lost:
    """A mode that one server's event lost to another's.

    Attributes:
        mode: Its 2030.5 name.
        server: Whose event lost it.
        event: mRID of that event.
        to_server: Whose event has it.
        to_event: mRID of that event, or of the default control.
        by_program: Whether that event is of another programme.
    """

    mode: str
    server: str
    event: str
    to_server: str
    to_event: str
    by_program: bool = False


@dataclass(frozen=True, slots=True)
class Merged:
    """What holds for a device that several servers control.

    Attributes:
        schedule: What is in force.
        sources: Which server each mode in force comes from.
        lost: Events that lost a mode to another server's event; default controls never count.
        curves: The curve of each mode in force that names one, by mode: two servers may each call
            one of theirs by the same href.
    """

    schedule: Schedule
    sources: Mapping[str, str]
    lost: Sequence[Lost] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)


_Choice = Callable[[float, float], float]

_LEAST: Final = frozenset(
    {
        "opModConnect",
        "opModEnergize",
        "opModExpLimW",
        "opModGenLimW",
        "opModGridConnectPermit",
        "opModImpLimW",
        "opModIslandPermit",
        "opModLoadLimW",
        "opModMaxLimPctVAAbsorb",
        "opModMaxLimPctVAInject",
        "opModMaxLimPctWAbsorb",
        "opModMaxLimVarAbsorb",
        "opModMaxLimVarInject",
        "opModMaxLimW",
        "opModMaxLimWAbsorb",
        "opModMaxLimWInject",
        "DutyCycle",
    }
)
"""Modes whose lesser value fulfils the greater one too; of a switch, "off" is the stricter.

The limits of reactive power in per cent are not among them: two of them may refer to different
quantities, and do not compare.
"""
_GREATEST: Final = frozenset({"TargetReduction.W", "TargetReduction.Wh"})
"""Modes whose greater value fulfils the lesser one too."""


def merge(schedules: Mapping[str, Schedule]) -> Merged:
    """Combine what several servers ask of one device.

    Args:
        schedules: What each server's engine has in force, in one time base; by server, the one
            that prevails at equal primacy first. At least one.

    Raises:
        ValueError: No schedule at all.
    """
    if not schedules:
        raise ValueError("no schedule to merge")
    asked: dict[str, list[tuple[str, Active]]] = {}
    for server, schedule in schedules.items():
        for mode, active in schedule.active.items():
            asked.setdefault(mode, []).append((server, active))
    holders = {mode: _holder(mode, claims) for mode, claims in asked.items()}
    lost = [
        Lost(mode, server, active.event, holders[mode][0], holders[mode][1].event)
        for mode, claims in asked.items()
        if _choice(mode) is None
        for server, active in claims
        if not active.default and server != holders[mode][0]
    ]
    gradients = [s.gradient for s in schedules.values() if s.gradient is not None]
    return Merged(
        Schedule(
            at=max(s.at for s in schedules.values()),
            active={mode: active for mode, (_, active) in holders.items()},
            next_change=min(s.next_change for s in schedules.values()),
            gradient=gradients[0] if gradients else None,
        ),
        {mode: server for mode, (server, _) in holders.items()},
        lost,
        {
            mode: curve
            for mode, (server, active) in holders.items()
            if isinstance(active.value, str)
            and (curve := schedules[server].curves.get(active.value)) is not None
        },
    )


def _choice(mode: str) -> _Choice | None:
    """Return how limits of a mode combine; None where only one claim can hold."""
    if mode in _LEAST:
        return min
    return max if mode in _GREATEST else None


def _holder(mode: str, claims: Sequence[tuple[str, Active]]) -> tuple[str, Active]:
    """Return which server's claim on a mode holds."""
    ranked = sorted(claims, key=lambda c: (c[1].default, c[1].program.primacy))
    choice = _choice(mode)
    if choice is None:
        return ranked[0]
    strictest = ranked[0]
    for claim in ranked[1:]:
        ours, theirs = _number(strictest[1].value), _number(claim[1].value)
        if ours != theirs and choice(ours, theirs) == theirs:
            strictest = claim
    return strictest


def _number(value: ModeValue) -> float:
    """Return a limit's figure; limits are plain numbers by their type."""
    if isinstance(value, float | int):
        return float(value)
    raise ValueError(f"a limit of {value!r}")
