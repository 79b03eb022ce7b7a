"""The home's island, in the configuration."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from hems.microgrid.limits import Limits, Permit
from hems.microgrid.plant import Plant
from hems.settings.section import Duration, Section

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Hertz = Annotated[float, Field(ge=40, le=70, allow_inf_nan=False)]


class MicrogridSection(Section):
    """How the home goes on without its grid; without `tie` it cannot."""

    permit: Permit = Permit.NONE
    """What the utility has agreed to: "none", "outage", or "scheduled" (also planned islands)."""
    agreement: str = ""
    """Under which name, for people."""
    tie: str | None = None
    """Id of the device that connects the home to the street."""
    forming: str | None = None
    """Id of the battery whose inverter can form the home's voltage."""
    order: tuple[str, ...] = ()
    """Ids of loads that get power first on a black start; the rest follows by essentiality."""
    spacing: Duration = 5.0
    """Time between two of them, for what they draw when they start."""
    expected: Annotated[Duration, Field(gt=0)] = 8 * 3600.0
    """How long an outage is expected to last."""
    floor: Share = 0.05
    """Charge that loads which are not marked (essentiality 9) leave in the battery."""
    start: Share = 0.1
    """Charge that a black start needs."""
    headroom: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.1
    """Share of the inverter's rating kept free for what starts by itself."""
    returns: bool = True
    """Whether the home goes back to a good grid by itself."""
    delay: Duration = 300.0
    """For how long the grid must have been good before the home goes back to it."""
    ramp: Duration = 120.0
    """For how long import is held back after that."""
    detect: Duration = 2.0
    """For how long the grid must be out of bounds before the home parts from it."""
    low_frequency: Hertz = 48.8
    """Bounds of the grid, in Hz."""
    high_frequency: Hertz = 51.2
    """Above it the grid is out of bounds, in Hz."""
    back_low_frequency: Hertz = 49.5
    """Bounds within which the home goes back to it, in Hz."""
    back_high_frequency: Hertz = 50.1
    """Above it the home does not go back yet, in Hz."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.tie is None) is not (self.forming is None):
            raise ValueError("an island needs both, tie and forming")
        if self.permit is not Permit.NONE and self.tie is None:
            raise ValueError("a permit without tie and forming permits nothing")
        inner = (self.back_low_frequency, self.back_high_frequency)
        if not self.low_frequency < inner[0] < inner[1] < self.high_frequency:
            raise ValueError(
                "frequencies must rise from low_frequency over back_low_frequency and "
                "back_high_frequency to high_frequency"
            )
        return self

    def plant(self) -> Plant | None:
        """Return what the island is made of; None where the home has none."""
        if self.tie is None or self.forming is None:
            return None
        return Plant(
            tie=self.tie,
            former=self.forming,
            permit=self.permit,
            agreement=self.agreement,
            limits=Limits(
                detect_s=self.detect,
                delay_s=self.delay,
                ramp_s=self.ramp,
                start_soc=self.start,
                low_hz=self.low_frequency,
                high_hz=self.high_frequency,
                back_low_hz=self.back_low_frequency,
                back_high_hz=self.back_high_frequency,
            ),
            order=self.order,
            spacing_s=max(self.spacing, 0.1),
            duration_s=self.expected,
            floor_soc=self.floor,
            headroom=self.headroom,
            returns=self.returns,
        )
