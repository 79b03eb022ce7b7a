"""What is kept of the needs over a restart: texts among the store's settings.

A wish that is gone is kept as an empty text, as settings are never removed.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import time
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hems.cem.needs import CarMode
from hems.needs.habits import CarHabit
from hems.needs.orders import MOST_WH, CarOrder, RunOrder
from hems.needs.stay import Stay

_log = logging.getLogger(__name__)

CAR: Final = "car order "
RUN: Final = "run "
STAY: Final = "car stay "
HABIT: Final = "car habit "


class _Kept(BaseModel):
    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, frozen=True, from_attributes=True
    )


class KeptCar(_Kept):
    """An order about a car."""

    mode: CarMode | None
    ready_at: float | None
    energy_wh: float | None = Field(gt=0)
    until: float | None
    asked_at: float

    def order(self) -> CarOrder:
        """Return it."""
        return CarOrder(self.mode, self.ready_at, self.energy_wh, self.until, self.asked_at)


class KeptHabit(_Kept):
    """How a car is charged as a rule, as its owner told."""

    mode: CarMode
    ready_by: time | None
    days: frozenset[Annotated[int, Field(ge=0, le=6)]]
    energy_wh: Annotated[float, Field(gt=0, le=MOST_WH)] | None

    def habit(self, configured: CarHabit) -> CarHabit:
        """Return it; what the car can take stays as it is configured."""
        return replace(
            configured,
            mode=self.mode,
            ready_by=self.ready_by,
            days=self.days,
            energy_wh=self.energy_wh,
        )


class KeptRun(_Kept):
    """A run."""

    earliest: float
    ready_by: float
    released_at: float | None
    began_at: float | None

    def order(self) -> RunOrder:
        """Return it."""
        return RunOrder(self.earliest, self.ready_by, self.released_at, self.began_at)


class KeptStay(_Kept):
    """What a car has drawn."""

    plugged: bool | None
    taken_wh: float = Field(ge=0)
    register_wh: float | None
    at: float
    before: tuple[float, ...]
    full_w: float = Field(ge=0)

    def stay(self) -> Stay:
        """Return it; its power is not known any more."""
        return Stay(
            self.plugged,
            self.taken_wh,
            self.register_wh,
            at=self.at,
            before=self.before,
            full_w=self.full_w,
        )


K = TypeVar("K", bound=_Kept)


def text(model: type[_Kept], value: CarOrder | CarHabit | RunOrder | Stay | None) -> str:
    """Return what is kept of a record; nothing of none."""
    return "" if value is None else model.model_validate(value).model_dump_json()


def found(kept: Mapping[str, str], prefix: str, model: type[K]) -> Iterator[tuple[str, K]]:
    """Yield what was kept under a prefix, by device id; what cannot be read is said and left."""
    for name, value in kept.items():
        device = name.removeprefix(prefix)
        if name == device or not value:
            continue
        try:
            yield device, model.model_validate_json(value)
        except ValidationError:
            _log.warning("what was kept as %r cannot be read: %.80r", name, value)
