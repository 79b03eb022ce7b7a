"""What the controller and its planner write to each other: one JSON object a line.

NaN and infinity are written as such, which JSON proper has no word for; both ends are ours.
"""

import json
from dataclasses import asdict
from typing import Final

from pydantic import TypeAdapter, ValidationError

from hems.cem.planner.plan import Plan
from hems.cem.planner.question import Question

_QUESTION: Final = TypeAdapter(Question)
_PLAN: Final = TypeAdapter(Plan)


class LetterError(Exception):
    """A line that is not what the other end should have written."""


def write_question(question: Question) -> bytes:
    """Return a question as a line."""
    return json.dumps(asdict(question)).encode() + b"\n"


def read_question(line: bytes) -> Question:
    """Return the question of a line.

    Raises:
        LetterError: It is none.
    """
    try:
        return _QUESTION.validate_python(json.loads(line))
    except (ValueError, ValidationError) as error:
        raise LetterError(f"not a question to the planner: {_short(error)}") from error


def write_plan(number: int, plan: Plan) -> bytes:
    """Return the answer to a question as a line."""
    return json.dumps({"number": number, "plan": asdict(plan)}).encode() + b"\n"


def read_plan(line: bytes) -> tuple[int, Plan]:
    """Return the number of the question and the plan of a line.

    Raises:
        LetterError: It is none.
    """
    try:
        found = json.loads(line)
        return int(found["number"]), _PLAN.validate_python(found["plan"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise LetterError(f"not a plan: {_short(error)}") from error


def _short(error: Exception) -> str:
    return str(error).replace("\n", " ")[:200]
