"""Whether a WebSocket frame can be handed to the OCPP library. Pure.

The library assumes that a frame is roughly what OCPP-J says; what is not would end its receive
loop, or its stack. A charger's garbage must cost one log line.
"""

import json
from collections.abc import Iterable
from typing import Final

MAX_FRAME: Final = 64 * 1024
"""Longest frame taken, in bytes."""

_DEEPEST: Final = 12
_CALL: Final = 2
_RESULT: Final = 3
_ERROR: Final = 4
_LENGTHS: Final = {_CALL: (4, 4), _RESULT: (3, 3), _ERROR: (4, 5)}


def frame_fault(text: str, *, awaiting: bool) -> str | None:
    """Say in a few words what is wrong with a frame.

    Args:
        text: The frame.
        awaiting: Whether an answer is awaited.

    Returns:
        None for a frame that has the shape of OCPP-J.
    """
    try:
        frame = json.loads(text)
    except ValueError:
        return "not JSON"
    except RecursionError:
        return "nested too deep"
    if not isinstance(frame, list) or not frame:
        return "not a JSON array"
    fault = _shape_fault(frame)
    if fault is None and _too_deep(frame):
        return "nested too deep"
    if fault is None and frame[0] != _CALL and not awaiting:
        return "an answer to nothing that was asked"
    return fault


def _shape_fault(frame: list[object]) -> str | None:
    kind = frame[0]
    if not isinstance(kind, int) or kind not in _LENGTHS:
        return "unknown message type"
    least, most = _LENGTHS[kind]
    if not least <= len(frame) <= most:
        return f"{len(frame)} elements in a message of type {kind}"
    if not isinstance(frame[1], str):
        return "message id is no text"
    if kind == _CALL and not isinstance(frame[2], str):
        return "action is no text"
    if kind in (_CALL, _RESULT) and not isinstance(frame[-1], dict):
        return "payload is no object"
    return None


def _too_deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
