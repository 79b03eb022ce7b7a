"""The wholesale market, the home's own peak and its connection, in the configuration."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from hems import units
from hems.settings.section import Duration, Power, Section, TimeZone
from hems.settings.tariff_section import PerKwh, Place

Limit = Annotated[Power, Field(ge=0, allow_inf_nan=False)]
Energy = Annotated[
    float, BeforeValidator(units.energy_wh), Field(ge=0, le=1e7, allow_inf_nan=False)
]
_SHORTEST_REFRESH_S = 10.0


class MarketSection(Section):
    """Economic demand response: less load while wholesale power is dear."""

    prices: Place | None = Field(default=None, repr=False)
    """A file or an http(s) address of wholesale prices, as the tariff's."""
    tariff: str = Field(default="", max_length=100)
    """Name of the utility's tariff (2030.5) that tells wholesale prices, in place of `prices`."""
    net_benefits: Place | None = Field(default=None, repr=False)
    """A file or an http(s) address of the operator's net-benefits prices by month."""
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    """ISO 4217 letters."""
    obliged: bool = False
    """Whether the agreement obliges the home; else comfort and the owner's wishes come first."""
    time_zone: TimeZone | None = None
    """The operator's, at whose midnight the months of net-benefits prices begin; None: as home."""
    baseline: Literal["4 of 5", "10 of 10"] = "4 of 5"
    """Days that the customer baseline is made of, as the operator has it."""
    exempt: tuple[str, ...] = ()
    """Ids of devices that are left alone."""
    band: float = Field(default=0.02, ge=0, lt=1, allow_inf_nan=False)
    """Share of the threshold by which the price must be below it again for an end."""
    least: Duration = 900.0
    """An event lasts at least this long."""
    pause: Duration = 900.0
    """Between two events lies at least this."""
    most: PerKwh = 25.0
    """A price beyond this is taken for a mistake."""
    refresh: Duration = 300.0
    """How often prices and thresholds are read."""
    stale_after: Duration = 7200.0
    """Prices not read anew for so long are not acted on."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.prices is not None and self.tariff:
            raise ValueError("wholesale prices come from prices or from a tariff, not from both")
        if (self.prices is None and not self.tariff) is not (self.net_benefits is None):
            raise ValueError("prices, or a tariff, and net_benefits belong together")
        if self.refresh < _SHORTEST_REFRESH_S:
            raise ValueError(f"refresh is at least {_SHORTEST_REFRESH_S:g} s: sources are shared")
        if self.stale_after <= self.refresh:
            raise ValueError("stale_after is longer than refresh, or prices lapse between readings")
        if self.most <= 0:
            raise ValueError("most is above 0")
        return self


class PeakSection(Section):
    """The home's own peak target, for a tariff that charges for the highest quarter-hour."""

    limit: Limit | None = None
    """Mean import of each quarter-hour that the home keeps under by itself."""
    hold_highest: bool = False
    """Whether the billing month's highest quarter-hour so far is the target, where it is more."""


class EnergySection(Section):
    """Energy that may flow at the connection point within a time."""

    every: Literal["15 min", "30 min", "1 h", "1 d"]
    """Each of which: by the clock on the wall, days from midnight on."""
    import_: Energy | None = Field(default=None, alias="import")
    """Energy that may be taken within it."""
    export: Energy | None = None
    """Energy that may be given within it."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.import_ is None and self.export is None:
            raise ValueError("needs import, export or both")
        return self


class ConnectionSection(Section):
    """What the connection agreement allows, beside the main breaker."""

    import_limit: Limit | None = None
    """Power that the home may take from the grid."""
    export_limit: Limit | None = None
    """Power that it may give to the grid."""
    phase_import_limit: Limit | None = None
    """On each single phase."""
    phase_export_limit: Limit | None = None
    """On each single phase."""
    energy: tuple[EnergySection, ...] = ()
