"""Asking the head-end's operator door; every failure is one sentence."""

import json
import urllib.error
import urllib.parse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.commands.fetch import TIMEOUT_S, NoAnswerError, fetch

_M = TypeVar("_M", bound=BaseModel)
_NOT_NOW: Final = frozenset({502, 503, 504})
"""Answers of a head-end, or of a proxy before it, that do not say whether it was done."""


class OperatorError(Exception):
    """The head-end could not be asked, or refused; `str()` is one sentence."""


class UnansweredError(OperatorError):
    """It did not answer, or could not do it just then: what was asked may be done or not.

    Attributes:
        again_s: After how many seconds it wants to be asked again; 0 where it did not say.
    """

    def __init__(self, message: str, again_s: float = 0.0) -> None:
        super().__init__(message)
        self.again_s = again_s


class Operator(BaseModel):
    """Where the head-end's operator door is, as it wrote it down at its start."""

    url: str
    token: str


class Told(BaseModel):
    """What the head-end tells, as far as a command looks at it."""

    model_config = ConfigDict(extra="ignore")


class _Refusal(BaseModel):
    error: str


def ask(
    operator: Path,
    method: str,
    path: str,
    model: type[_M],
    body: Mapping[str, object] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    within_s: float = TIMEOUT_S,
) -> _M:
    """Ask the head-end.

    Args:
        operator: The file in which it wrote where its door is.
        method: Of HTTP.
        path: At the door; its parts are quoted already, see `part`.
        model: What it answers.
        body: Of the request, to be sent as JSON.
        headers: Of the request, beside those that each has.
        within_s: Longest wait for the answer, in s.

    Raises:
        UnansweredError: It does not answer, or cannot do it now.
        OperatorError: It cannot be asked, refuses, or answers nonsense.
    """
    sent = None if body is None else json.dumps(body).encode()
    answer = ask_file(operator, path, method, sent, headers=headers, within_s=within_s)
    try:
        return model.model_validate_json(answer or b"{}")
    except ValidationError as error:
        raise OperatorError("the head-end answers, but not as a head-end does") from error


def ask_file(
    operator: Path,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    within_s: float = TIMEOUT_S,
) -> bytes:
    """Ask the head-end for what is no model; see `ask`.

    Raises:
        UnansweredError: It does not answer, or cannot do it now.
        OperatorError: It cannot be asked, or refuses.
    """
    door = door_of(operator)
    shown = {"Authorization": f"Bearer {door.token}", "Content-Type": "application/json"}
    shown |= headers or {}
    try:
        return fetch(door.url + path, method=method, body=body, headers=shown, within_s=within_s)
    except urllib.error.HTTPError as error:
        with error:
            said = _refusal(error.code, error.reason, error.read())
        if error.code in _NOT_NOW:
            again = error.headers.get("Retry-After", "")
            raise UnansweredError(said, float(again) if again.isdecimal() else 0.0) from error
        raise OperatorError(said) from error
    except NoAnswerError as error:
        raise UnansweredError(f"the head-end at {door.url} does not answer: {error}") from error


def door_of(operator: Path) -> Operator:
    """Return where the door is, and what to show there.

    Raises:
        OperatorError: The file cannot be read, or says something else.
    """
    try:
        return Operator.model_validate_json(operator.read_text(encoding="utf-8"))
    except OSError as error:
        raise OperatorError(
            f"{operator}: cannot be read ({error.strerror}); is a head-end running? "
            "name its file with --operator or in HEMS_OPERATOR"
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise OperatorError(f"{operator}: is not an operator file of a head-end") from error


def when(at: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return a time that a home may have told, UTC; what is no time of this calendar in seconds."""
    try:
        return f"{datetime.fromtimestamp(at, UTC):{form}}Z"
    except (ValueError, OverflowError, OSError):
        return f"{at:.0f} s"


def plain(text: str) -> str:
    """Return what a home says of itself without what would move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def part(text: str) -> str:
    """Return a name as one part of a path."""
    return urllib.parse.quote(text, safe="")


def _refusal(code: int, reason: str, body: bytes) -> str:
    try:
        return _Refusal.model_validate_json(body).error
    except ValidationError:
        return f"the head-end answered {code} {reason}"
