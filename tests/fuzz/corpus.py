"""The inputs that are kept: one to a line, in base64, each of which does something of its own."""

import base64
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

_VALUE: Final = re.compile(r"'[^']*'|[0-9]+")
_TOLD: Final = 80
"""How much of an outcome tells it from others: the place, and the reason's beginning."""

_Step = tuple[CodeType, int, int]


def kept(path: Path) -> list[bytes]:
    """Return the inputs that are kept; none if there is no file yet."""
    if not path.exists():
        return []
    return [base64.b64decode(line) for line in path.read_text(encoding="ascii").split()]


def keep(
    inputs: Iterable[bytes],
    path: Path,
    examine: Callable[[bytes], str],
    watched: str,
) -> int:
    """Write the fewest short inputs that go every way and end in every way; return how many.

    Args:
        inputs: To choose from.
        path: Where those that are kept are written.
        examine: What an input is given to; returns what came of it.
        watched: Part of the path of the sources whose ways count.
    """
    steps: set[_Step] = set()
    outcomes: set[str] = set()
    chosen: list[bytes] = []
    for data in sorted(set(inputs) - {b""}, key=lambda d: (len(d), d)):
        # The first time makes the tables of the classes, which is no way of the input's.
        outcome = _VALUE.sub("...", examine(data))[:_TOLD]
        taken = _steps(data, examine, watched)
        if outcome not in outcomes or not taken <= steps:
            outcomes.add(outcome)
            steps |= taken
            chosen.append(data)
    lines = [base64.b64encode(data).decode("ascii") for data in chosen]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return len(chosen)


def _steps(data: bytes, examine: Callable[[bytes], str], watched: str) -> set[_Step]:
    """Return the steps from line to line that the watched sources take with an input."""
    steps: set[_Step] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if event == "call":
            return watch(frame.f_lineno) if watched in frame.f_code.co_filename else None
        return None

    def watch(first: int) -> Any:
        last = first

        def line(frame: FrameType, _event: str, _: Any) -> Any:
            nonlocal last
            steps.add((frame.f_code, last, frame.f_lineno))
            last = frame.f_lineno
            return line

        return line

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        examine(data)
    finally:
        sys.settrace(before)
    return steps
