"""In which programmes the home takes part until its owner says otherwise, and what they pay."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from hems.settings.section import Section
from hems.settings.tariff_section import PerKwh
from programs.registry import BY_ID, Manner


def _programme(name: str) -> str:
    if name not in BY_ID:
        raise ValueError(f"{name!r} is no programme; there are {', '.join(sorted(BY_ID))}")
    return name


Programme = Annotated[str, AfterValidator(_programme)]


class PaySection(Section):
    """What a programme pays."""

    programme: Programme
    """Its id, as `hems programme list` shows it."""
    price: Annotated[PerKwh, Field(ge=0)]
    """For each kWh delivered, in the tariff's currency."""


class ProgrammesSection(Section):
    """Taking part in programmes; what the owner decides on the page counts before it."""

    join: tuple[Programme, ...] = ()
    """Ids of programmes in which the home takes part that it would not by itself."""
    leave: tuple[Programme, ...] = ()
    """Ids of programmes in which it does not."""
    pay: tuple[PaySection, ...] = ()
    """What programmes pay, so that the page can say what leaving costs."""

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        both = set(self.join) & set(self.leave)
        if both:
            raise ValueError(f"{min(both)!r} cannot be both joined and left")
        for name in self.leave:
            if BY_ID[name].manner is Manner.ALWAYS:
                raise ValueError(f"{name!r} is part of every home and cannot be left")
        twice = _twice(each.programme for each in self.pay)
        if twice:
            raise ValueError(f"what {twice!r} pays is said twice")
        return self


def _twice(names: Iterable[str]) -> str:
    seen = set[str]()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
