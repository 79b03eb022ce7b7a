"""What the operator's door for aggregators takes and gives, as JSON."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, StrictInt, model_validator

from certs.identity import lfdi_valid, pin_valid, sfdi
from hems.headend.aggregators.records import MOST_HOMES, Aggregator, Wanted
from hems.headend.modes import Edition
from hems.headend.operator_asks import In
from hems.headend.records import Home

AT_ONCE: Final = 1_000
"""Homes in one request."""
_Most = Annotated[int, Field(ge=0, le=1_000_000)]


def _check(lfdi: str, pin: str | int | None) -> None:
    if not lfdi_valid(lfdi.upper()):
        raise ValueError("lfdi must be 40 hex digits")
    if pin is not None and not pin_valid(pin):
        raise ValueError("pin must be 6 digits, the last one its check digit")


class RightsIn(In):
    """What an aggregator may do."""

    may_register: bool = False
    """Whether it may enter and remove homes by itself."""
    most: _Most = MOST_HOMES
    """Homes that it may speak for at most."""

    def record(self, lfdi: str) -> Aggregator:
        """Return it as a record."""
        return Aggregator(lfdi.upper(), self.may_register, self.most)


class AggregatorIn(RightsIn):
    """An aggregator to enter."""

    lfdi: str
    pin: str | StrictInt
    edition: Edition | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _check(self.lfdi, self.pin)
        return self


class ManagedIn(In):
    """A home that it is to speak for; without a PIN one is drawn for a home that is new."""

    lfdi: str
    pin: str | StrictInt | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _check(self.lfdi, self.pin)
        return self

    def record(self) -> Wanted:
        """Return it as a record."""
        return Wanted(self.lfdi.upper(), None if self.pin is None else int(self.pin))


class ManagedHomesIn(In):
    """Several of them."""

    homes: list[ManagedIn] = Field(min_length=1, max_length=AT_ONCE)


class AggregatorOut(BaseModel):
    """An aggregator; `homes` is how many it speaks for."""

    lfdi: str
    may_register: bool
    most: int
    homes: int


class AggregatorsOut(BaseModel):
    """All of them."""

    aggregators: list[AggregatorOut]


class ManagedOut(BaseModel):
    """A home that an aggregator speaks for."""

    lfdi: str
    sfdi: int
    pin: str
    edition: Edition
    registered_at: float
    in_band: bool

    @classmethod
    def of(cls, home: Home) -> Self:
        """Take a record over."""
        return cls(
            lfdi=home.lfdi,
            sfdi=sfdi(home.lfdi),
            pin=f"{home.pin:06d}",
            edition=home.edition,
            registered_at=home.registered_at,
            in_band=home.in_band,
        )


class ManagedHomesOut(BaseModel):
    """A page of them, by LFDI."""

    homes: list[ManagedOut]
    next: str | None
