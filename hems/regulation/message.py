"""One message of the aggregator's signal: what it says, and whether it is to be believed. Pure.

    {"seq": 4711, "at": 1750000000.0, "value": -0.25}

`seq` rises by one or more with each message, `at` is UTC epoch seconds, `value` the share of the
committed power from -1 to 1, more generation positive.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, strict=True)

    seq: Annotated[int, Field(ge=0, lt=1 << 53)]
    at: float
    value: Annotated[float, Field(ge=-1.0, le=1.0)]


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that counts: its number, and the share that it asks for."""

    seq: int
    value: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that does not count, and why in one clause."""

    why: str


def judge(payload: bytes, last: int, now: float, fresh_s: float) -> Taken | Refused:
    """Return what a message says, or why it is refused.

    Args:
        payload: As it came.
        last: Number of the last message that was taken; -1 before the first.
        now: UTC epoch seconds.
        fresh_s: How far its own time may be off.
    """
    try:
        message = _Message.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the message"
        return Refused(f"{where}: {first['msg']}")
    age_s = now - message.at
    if abs(age_s) > fresh_s:
        how = "old" if age_s > 0 else "ahead of the time"
        return Refused(f"message {message.seq} is {abs(age_s):.1f} s {how}")
    if message.seq <= last:
        return Refused(f"message {message.seq} came after {last}: it is a copy, or too late")
    return Taken(message.seq, message.value)
