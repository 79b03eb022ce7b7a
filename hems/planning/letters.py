"""What the controller and its planner write to each other: one JSON object a line.

NaN and infinity are written as such, which JSON proper has no word for; both ends are ours.
"""

import json
import math
from collections.abc import Iterable
from typing import Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import BySlot
from hems.cem.planner.question import Question

_QUESTION: Final = TypeAdapter(Question)
_PLAN: Final = TypeAdapter(Plan)


class LetterError(Exception):
    """A line that is not what the other end should have written."""


def write_question(question: Question) -> bytes:
    """Return a question as a line; fast enough to write two months of the past in the loop."""
    return to_json(question, inf_nan_mode="constants") + b"\n"


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
    return to_json({"number": number, "plan": plan}, inf_nan_mode="constants") + b"\n"


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


def check_answer(plan: Plan, question: Question) -> None:
    """Make sure that a plan is one for what was asked: every row a finite number for each slot.

    Raises:
        LetterError: It is not.
    """
    if plan.slots != question.slots:
        raise LetterError("not a plan: it is for other times than asked")
    for name, row in _rows(plan):
        if len(row) != question.slots.count:
            raise LetterError(f"not a plan: {name} has {len(row)} slots")
        if not all(map(math.isfinite, row)):
            raise LetterError(f"not a plan: {name} has a value that is no number")


def _rows(plan: Plan) -> Iterable[tuple[str, BySlot]]:
    """Give all rows that have one value for each slot, with their names."""
    yield from (("load_w", plan.load_w), ("sun_w", plan.sun_w), ("net_w", plan.net_w))
    for device, planned in plan.devices.items():
        yield f"power_w of {device}", planned.power_w
        for name, row in (("level", planned.level), ("worth_per_kwh", planned.worth_per_kwh)):
            if row:
                yield f"{name} of {device}", row
        if planned.uses:
            # Manners are words, checked as such; what is left is how many there are.
            yield f"uses of {device}", (0.0,) * len(planned.uses)


def _short(error: Exception) -> str:
    return str(error).replace("\n", " ")[:200]
