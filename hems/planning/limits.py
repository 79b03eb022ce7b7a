"""What the connection point has to keep to over the plan: breaker, utility, agreement. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from der.sentence import say
from hems.cem.planner.problem import Limits
from hems.cem.slots import Slots
from programs.signal import Signal, SignalKind

_IMPORT = frozenset({SignalKind.IMPORT_LIMIT, SignalKind.LOAD_LIMIT})
"""A limit on all loads is planned on as one on import: what the sun and the batteries give goes
to loads beyond it, which only the controller sees to when it comes."""
_EXPORT = frozenset({SignalKind.EXPORT_LIMIT, SignalKind.GENERATION_LIMIT})


@dataclass(frozen=True, slots=True)
class Edge:
    """A limit for a time.

    Attributes:
        power_w: Not negative.
        words: Whose it is, for the owner ("import limit").
        starts_at: UTC epoch seconds.
        ends_at: The same.
    """

    power_w: float
    words: str
    starts_at: float = -math.inf
    ends_at: float = math.inf


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the connection agreement allows; None where it says nothing.

    Attributes:
        import_w: Most import, a mean over a slot, not negative.
        export_w: Most export, likewise.
    """

    import_w: float | None = None
    export_w: float | None = None


def limits(
    slots: Slots, asked: Iterable[Signal], breaker_w: float, agreed: Agreed = Agreed()
) -> Limits:
    """Return the strictest limits of each slot, a slot that is touched by one being under it.

    Args:
        slots: The plan's steps of time.
        asked: What is asked of the home, now and later.
        breaker_w: What the main breaker carries, all phases together.
        agreed: What the connection agreement allows.
    """
    signals = tuple(asked)
    imports = [Edge(breaker_w, say("main breaker")), *_edges(signals, _IMPORT)]
    exports = [Edge(breaker_w, say("main breaker")), *_edges(signals, _EXPORT)]
    if agreed.import_w is not None:
        imports.append(Edge(agreed.import_w, say("connection's import limit")))
    if agreed.export_w is not None:
        exports.append(Edge(agreed.export_w, say("connection's export limit")))
    strictest = [_strictest(imports, slots, start) for start in slots]
    return Limits(
        tuple(edge.power_w for edge in strictest),
        tuple(_strictest(exports, slots, start).power_w for start in slots),
        tuple(edge.words for edge in strictest),
    )


def _edges(signals: Sequence[Signal], kinds: frozenset[SignalKind]) -> list[Edge]:
    found = [
        Edge(max(s.value, 0.0), s.kind.value.replace("-", " "), s.starts_at, s.ends_at)
        for s in signals
        if s.kind in kinds
    ]
    if kinds is _IMPORT:
        found += [
            Edge(max(s.baseline_w - s.value, 0.0), "emergency", s.starts_at, s.ends_at)
            for s in signals
            if s.kind is SignalKind.SHED and s.baseline_w is not None
        ]
    return found


def _strictest(edges: Sequence[Edge], slots: Slots, start: float) -> Edge:
    touching = [e for e in edges if e.starts_at < start + slots.step_s and e.ends_at > start]
    return min(touching, key=lambda edge: edge.power_w)
