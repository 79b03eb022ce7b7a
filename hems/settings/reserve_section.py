"""What of the home is offered to the utility as reserve, in the configuration."""

from datetime import time
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from hems.settings.section import Duration, Section, Text, hours_of_day
from hems.settings.tariff_section import PerKwh
from programs.commitment import Product

_LEAST_CALL_S: Final = 60.0
_LONGEST_CALL_S: Final = 65535.0
"""As long as a flow reservation can say."""


HoursOfDay = Annotated[tuple[time, time], BeforeValidator(hours_of_day)]


class ReserveSection(Section):
    """Reserve: what the batteries hold ready for the grid."""

    enabled: bool = False
    """Whether reserve is offered at all: the owner's consent."""
    utility: Text | None = None
    """Name of the utility that it is offered to; without it the first one."""
    programs: tuple[Text, ...] = ()
    """Its programmes whose events call what is committed."""
    products: Annotated[tuple[Product, ...], Field(min_length=1)] = (
        Product.SPINNING,
        Product.DAY_AHEAD,
    )
    """"spinning": there within 10 minutes; "day-ahead": within 30, offered the day before."""
    hours: Annotated[tuple[HoursOfDay, ...], Field(min_length=1, max_length=24)] = (
        (time(0), time(0)),
    )
    """When, each day, by the home's clock: "17:00-21:00"; without it, always."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of what the batteries hold above the owner's reserve that may be promised."""
    call: Annotated[Duration, Field(ge=_LEAST_CALL_S, le=_LONGEST_CALL_S)] = 3600.0
    """For how long all that is promised can be given."""
    least_price: Annotated[PerKwh, Field(ge=0)] = 0.0
    """What is asked for a kWh held ready for an hour, told with the offer; 0 for what is agreed."""
    binding: bool = False
    """Whether a commitment binds, so that it comes before all events that may be left."""

    @model_validator(mode="after")
    def _callable(self) -> Self:
        if self.enabled and not self.programs:
            raise ValueError("reserve needs programs: the names of those whose events call it")
        return self
