"""Whether a WebSocket frame can be handed to the OCPP library. Pure.

The library assumes that a frame is roughly what OCPP-J says; what is not would end its receive
loop, or its stack. A charger's garbage must cost one log line.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

MAX_FRAME: Final = 64 * 1024
"""Longest frame taken, in bytes."""

_DEEPEST: Final = 12
_GREATEST: Final = 1e15
"""No figure in OCPP is as great; the library's arithmetic fails on some that are."""
_CALL: Final = 2
_RESULT: Final = 3
_ERROR: Final = 4
_LENGTHS: Final = {_CALL: (4, 4), _RESULT: (3, 3), _ERROR: (4, 5)}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that has the shape of OCPP-J (OCPP-J 1.6 clause 4.2, 2.0.1 part 4 clause 4.2).

    Attributes:
        id: Of the message; an answer has that of its call.
        action: What a call asks for; "" for an answer.
    """

    id: str
    action: str = ""

    @property
    def answers(self) -> bool:
        """Whether it is an answer."""
        return not self.action


class BadFrameError(ValueError):
    """A frame is not as OCPP-J says; `str()` says in a few words what is wrong with it."""


def read_frame(text: str) -> Frame:
    """Look at a frame.

    Raises:
        BadFrameError: It does not have the shape of OCPP-J.
    """
    try:
        frame = json.loads(
            text, parse_constant=_no_number, parse_float=_sane_float, parse_int=_sane_int
        )
    except BadFrameError:
        raise
    except ValueError as error:
        raise BadFrameError("not JSON") from error
    except RecursionError as error:
        raise BadFrameError("nested too deep") from error
    if not isinstance(frame, list) or not frame:
        raise BadFrameError("not a JSON array")
    fault = _shape_fault(frame)
    if fault is None and _too_deep(frame):
        fault = "nested too deep"
    if fault is not None:
        raise BadFrameError(fault)
    return Frame(str(frame[1]), str(frame[2]) if frame[0] == _CALL else "")


def _no_number(constant: str) -> NoReturn:
    raise BadFrameError(f"{constant} is no JSON")


def _sane_float(text: str) -> float:
    return _sane(float(text))


def _sane_int(text: str) -> int:
    if len(text) <= len(str(int(_GREATEST))):
        return int(text)
    return int(_sane(float(text)))


def _sane(number: float) -> float:
    if not abs(number) <= _GREATEST:
        raise BadFrameError("a number beyond all measure")
    return number


def _shape_fault(frame: list[object]) -> str | None:
    kind = frame[0]
    if isinstance(kind, bool) or not isinstance(kind, int) or kind not in _LENGTHS:
        return "unknown message type"
    least, most = _LENGTHS[kind]
    if not least <= len(frame) <= most:
        return f"{len(frame)} elements in a message of type {kind}"
    if not isinstance(frame[1], str):
        return "message id is no text"
    if kind == _CALL and (not isinstance(frame[2], str) or not frame[2]):
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
