"""What regulation keeps over a restart: the hour that is not over, as a text of the store's."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from hems.regulation.period import Period
from programs.score import Sample

NAME: Final = "regulation"
_MOST_SAMPLES: Final = 400
"""An hour has 360."""


@checked(config=ConfigDict(extra="forbid", allow_inf_nan=False), slots=True)
class _Kept:
    programme: str
    event: str
    asked_by: str
    starts_at: float
    capacity_w: Annotated[float, Field(gt=0)]
    samples: Annotated[list[Sample], Field(max_length=_MOST_SAMPLES)]
    until: float


_KEPT: Final = TypeAdapter(_Kept | None)


class KeptError(Exception):
    """A text that is not what was kept."""


def dump(period: Period | None) -> str:
    """Return what is to be kept as text; None where no hour is under way."""
    if period is None:
        return "null"
    kept = _Kept(
        period.programme,
        period.event,
        period.asked_by,
        period.starts_at,
        period.capacity_w,
        period.samples[-_MOST_SAMPLES:],
        period.until,
    )
    return _KEPT.dump_json(kept).decode()


def load(text: str) -> Period | None:
    """Return what was kept.

    Raises:
        KeptError: The text is something else.
    """
    try:
        found = _KEPT.validate_json(text)
    except ValidationError as error:
        raise KeptError(f"not an hour of regulation: {str(error).splitlines()[0]}") from error
    if found is None:
        return None
    return Period(
        found.programme,
        found.event,
        found.asked_by,
        found.starts_at,
        found.capacity_w,
        list(found.samples),
        found.until,
    )
