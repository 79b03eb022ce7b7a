"""What a reserve keeps over a restart: one text among the store's settings."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from hems.reserves.tally import Call, Watch

NAME: Final = "reserve"


@checked(config=ConfigDict(extra="forbid", allow_inf_nan=False), slots=True)
class Kept:
    """All of it.

    Attributes:
        calls: Those under way, or of which the hour after is not over.
        watches: Of commitments that are not over, or over and not recorded.
        peak_w: Greatest net power of the day so far; None where that is not known.
        peak_day: Start of that day, UTC epoch seconds.
    """

    calls: Annotated[tuple[Call, ...], Field(max_length=100)] = ()
    watches: Annotated[tuple[Watch, ...], Field(max_length=1000)] = ()
    peak_w: float | None = None
    peak_day: float = 0.0


_KEPT: Final = TypeAdapter(Kept)


class KeptError(Exception):
    """A text that is not what was kept."""


def dump(kept: Kept) -> str:
    """Return what is to be kept as text."""
    return _KEPT.dump_json(kept).decode()


def load(text: str) -> Kept:
    """Return what was kept.

    Raises:
        KeptError: The text is something else.
    """
    try:
        return _KEPT.validate_json(text)
    except ValidationError as error:
        raise KeptError(f"not a reserve: {str(error).splitlines()[0]}") from error
