"""What energy costs, in the configuration; and the contract and sources that it describes."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from hems.cem.tariff.rates import Contract, Rate
from hems.cem.tariff.schedule import (
    ALL_DAYS,
    DAY_MINUTES,
    WEEKDAYS,
    WEEKEND,
    Schedule,
    Season,
    TariffError,
    Window,
    check,
)
from hems.settings.section import Duration, Section
from hems.tariff.settings import BookSettings

_NUMBER: Final = re.compile(r"\s*([+-]?\d{1,9}(?:\.\d{1,9})?)\s*(\S*)\s*")
_CLOCK: Final = re.compile(r"(\d\d):(\d\d)")
_DAY: Final = re.compile(r"(\d\d)-(\d\d)")
_LEAP_YEAR: Final = 2024
_SHORTEST_REFRESH_S: Final = 60.0
_NO_TARIFF: Final = "kWh"
"""The "currency" of a home that states no tariff: what it takes from the grid is what it counts."""

_DAYS: Final[Mapping[str, frozenset[int]]] = {
    "all": ALL_DAYS,
    "weekdays": WEEKDAYS,
    "weekends": WEEKEND,
    **{
        name: frozenset({number})
        for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    },
}


def _rate(what: str, units: Mapping[str, float]) -> Callable[[object], float]:
    """Return what reads a rate with its unit, such as "0.31/kWh"."""
    known = " or ".join(repr(f"0.31{unit}") for unit in units)

    def read(text: object) -> float:
        match = _NUMBER.fullmatch(text) if isinstance(text, str) else None
        if match is None or match[2] not in units:
            raise ValueError(f"{text!r} is not a {what}; write it like {known}")
        return float(match[1]) * units[match[2]]

    return read


def _minute(text: object) -> int:
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    minute = -1 if match is None else int(match[1]) * 60 + int(match[2])
    if match is None or int(match[2]) >= 60 or minute > DAY_MINUTES:  # noqa: PLR2004 - minutes
        raise ValueError(f"{text!r} is not a time of the day; write it like '07:30', up to '24:00'")
    return minute


def _month_day(text: object) -> tuple[int, int]:
    match = _DAY.fullmatch(text) if isinstance(text, str) else None
    try:
        if match is not None:
            day = date(_LEAP_YEAR, int(match[1]), int(match[2]))
            return day.month, day.day
    except ValueError:
        pass  # said below, as for any other text
    raise ValueError(f"{text!r} is not a day of the year; write month and day like '05-31'")


def _days(names: object) -> frozenset[int]:
    given = [names] if isinstance(names, str) else names
    if not isinstance(given, list) or not given:
        raise ValueError(f"{names!r} are no days; write one or a list of {', '.join(_DAYS)}")
    for name in given:
        if name not in _DAYS:
            raise ValueError(f"{name!r} is no day; it is one of {', '.join(_DAYS)}")
    return frozenset().union(*(_DAYS[name] for name in given))


def _place(text: object) -> object:
    """Take what looks like an address of the web for one, and all else for a file."""
    if not isinstance(text, str):
        return text
    if "://" not in text:
        if not text.strip():
            raise ValueError("must be a file or an http:// or https:// address, not empty")
        return Path(text)
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(c.isspace() for c in text):
        # The address itself may hold a token, and this sentence ends in logs.
        raise ValueError("is neither a file nor an http:// or https:// address")
    return text


PerKwh = Annotated[float, BeforeValidator(_rate("price of energy", {"/kWh": 1.0, "/MWh": 1e-3}))]
PerDay = Annotated[float, BeforeValidator(_rate("charge by day", {"/day": 1.0}))]
PerKw = Annotated[float, BeforeValidator(_rate("charge on power", {"/kW": 1.0})), Field(ge=0)]
PerKg = Annotated[float, BeforeValidator(_rate("price of carbon", {"/kg": 1.0, "/t": 1e-3}))]
Carbon = Annotated[
    float,
    BeforeValidator(_rate("carbon intensity", {"kg/kWh": 1.0, "g/kWh": 1e-3})),
    Field(ge=0),
]
Minute = Annotated[int, BeforeValidator(_minute)]
Days = Annotated[frozenset[int], BeforeValidator(_days)]
MonthDay = Annotated[tuple[int, int], BeforeValidator(_month_day)]
Place = Annotated[str | Path, BeforeValidator(_place)]


class WindowSection(Section):
    """A price for certain times of certain days, by the home's clock."""

    price: PerKwh
    """What a kWh costs, or brings, within it."""
    days: Days = ALL_DAYS
    """Days of the week; a holiday is a Sunday."""
    begins: Minute = 0
    """By the home's clock, included."""
    ends: Minute = DAY_MINUTES
    """Not included. One that is not after `begins` means: each of these days before `ends`, and
    from `begins` on."""
    first_day: MonthDay = (1, 1)
    """Of its season; one that ends before it begins passes the new year."""
    last_day: MonthDay = (12, 31)
    """Of its season, included."""


class RateSection(Section):
    """What energy that flows one way costs, or brings."""

    price: PerKwh | None = None
    """At all times that no window covers."""
    window: tuple[WindowSection, ...] = ()
    follows_market: bool | None = None
    """Whether it follows the prices read; unless said otherwise import does and export doesn't."""
    surcharge: PerKwh = 0.0
    """What comes on top of the market's price: grid fees, the seller's share."""
    tax: float = Field(default=0.0, ge=-1, le=10, allow_inf_nan=False)
    """Share of both that comes on top of that: 0.19 for 19 %."""


class TariffSection(Section):
    """What energy costs."""

    source: Literal["fixed", "file", "utility"] = "fixed"
    """Whose price holds: what stands here, the one read from `prices`, or the utility's; each as
    far as it is known, and then the next one down to what stands here."""
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    """ISO 4217 letters."""
    billing_day: int = Field(default=1, ge=1, le=28)
    """Day of the month on which bills begin."""
    standing_charge: PerDay = 0.0
    """What each day costs, whatever is used."""
    peak_charge: PerKw = 0.0
    """For each kW of the billing month's highest quarter-hour mean import."""
    holidays: tuple[date, ...] = ()
    """Days on which the price of Sundays holds."""
    prices: Place | None = Field(default=None, repr=False)
    """A file or an http(s) address of day-ahead prices."""
    carbon: Carbon | None = None
    """Of the grid's energy, where no source tells."""
    carbon_series: Place | None = Field(default=None, repr=False)
    """A file or an http(s) address of it by time."""
    carbon_price: PerKg = 0.0
    """What the owner reckons carbon at, beside what it costs."""
    refresh: Duration = 1800.0
    """How often files and addresses are read."""
    stale_after: Duration = 129_600.0
    """What was not read anew for so long is not believed any more."""
    import_: RateSection = Field(default=RateSection(), alias="import")
    export: RateSection = RateSection()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.model_fields_set and self.import_.price is None and not self.import_.window:
            raise ValueError("import has no price: give it 'price', or 'window's that cover all")
        if self.source == "file" and self.prices is None:
            raise ValueError("source is 'file', but 'prices' names no file or address")
        if self.source == "fixed" and self.prices is not None:
            raise ValueError("'prices' are read where source is 'file' or 'utility', not 'fixed'")
        if self.refresh < _SHORTEST_REFRESH_S:
            raise ValueError(f"refresh is at least {_SHORTEST_REFRESH_S:g} s: sources are shared")
        if self.stale_after <= self.refresh:
            raise ValueError("stale_after is longer than refresh, or prices lapse between readings")
        for name, section in (("import", self.import_), ("export", self.export)):
            try:
                check(self._schedule(section))
            except TariffError as error:
                raise ValueError(f"{name}: {error}") from error
        return self

    def _schedule(self, section: RateSection) -> Schedule:
        """Return a direction's schedule; energy that no price is stated for is given for free."""
        rest = 0.0 if section.price is None and not section.window else section.price
        return Schedule(
            rest,
            tuple(
                Window(w.price, w.days, w.begins, w.ends, Season(w.first_day, w.last_day))
                for w in section.window
            ),
            frozenset(day.toordinal() for day in self.holidays),
        )

    def contract(self, zone: ZoneInfo) -> Contract:
        """Return what was agreed.

        A home that states no tariff counts each kWh that it takes as one, and what it gives as
        nothing: so plans keep to its own sun, and its accounts are in kWh.

        Args:
            zone: Where the home is.
        """
        if not self.model_fields_set:
            taken, given = Rate(Schedule(1.0)), Rate(Schedule(0.0))
            return Contract(zone, taken, given, _NO_TARIFF)
        return Contract(
            zone=zone,
            imported=self._rate(self.import_, follows=True),
            exported=self._rate(self.export, follows=False),
            currency=self.currency,
            carbon_kg_per_kwh=self.carbon,
            carbon_price_per_kg=self.carbon_price,
            standing_per_day=self.standing_charge,
            peak_per_kw=self.peak_charge,
            billing_day=self.billing_day,
        )

    def _rate(self, section: RateSection, *, follows: bool) -> Rate:
        follows = follows if section.follows_market is None else section.follows_market
        return Rate(
            self._schedule(section),
            follows_market=follows and self.prices is not None,
            surcharge_per_kwh=section.surcharge,
            tax=section.tax,
        )

    @property
    def sources(self) -> BookSettings:
        """What is read beside it."""
        return BookSettings(
            prices=self.prices,
            carbon=self.carbon_series,
            utility=self.source == "utility",
            refresh_s=self.refresh,
            stale_s=self.stale_after,
        )
