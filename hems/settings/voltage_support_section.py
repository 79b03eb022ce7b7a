"""Bounds on reactive power and voltage at the connection point, in the configuration."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from hems import units
from hems.settings.section import Section

Var = Annotated[float, BeforeValidator(units.reactive_var), Field(ge=0, le=1e6)]
"""A reactive power in var."""
Volt = Annotated[float, BeforeValidator(units.voltage_v), Field(ge=100, le=400)]
"""A voltage between phase and neutral in V."""


class VoltageSupportSection(Section):
    """What inverters, and in the end exports and imports, keep at the connection point."""

    absorb_limit: Var | None = None
    """Reactive power that the home absorbs at most; none unless stated."""
    inject_limit: Var | None = None
    """Reactive power that it injects at most; none unless stated."""
    lowest: Volt | None = None
    """The voltage is held above it."""
    highest: Volt | None = None
    """The voltage is held below it."""
    agreed: bool = True
    """Whether these are the connection agreement's, and so bind; else they are the owner's."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError(
                f"lowest ({self.lowest:g} V) is not below highest ({self.highest:g} V)"
            )
        return self
