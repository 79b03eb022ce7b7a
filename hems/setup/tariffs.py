"""The tariff as a person fills it in on the page, and as the settings file has it; pure."""

from dataclasses import dataclass
from typing import Final, Literal

from hems.cem.tariff.schedule import ALL_DAYS, DAY_MINUTES, WEEKDAYS, WEEKEND
from hems.settings.settings_file import Table, Value
from hems.settings.tariff_section import TariffSection, WindowSection

Days = Literal["all", "weekdays", "weekends"]
_DAYS: Final[dict[frozenset[int], Days]] = {
    ALL_DAYS: "all",
    WEEKDAYS: "weekdays",
    WEEKEND: "weekends",
}


@dataclass(frozen=True, slots=True)
class Band:
    """A price at certain times.

    Attributes:
        price: For a kWh, in the tariff's currency.
        begins: Time of the day, "07:00".
        ends: Not included; "24:00" for midnight.
        days: On which days.
    """

    price: float
    begins: str
    ends: str
    days: Days = "all"


@dataclass(frozen=True, slots=True)
class TariffOrder:
    """A tariff, as the page lets a person state it.

    Attributes:
        kind: "flat" or "bands"; "dynamic" where prices are read; "utility" where it tells them.
        currency: ISO 4217 letters.
        price: For a kWh at all other times; where prices are read, while they are not known.
        bands: At certain times.
        feed_in: What a kWh given to the grid brings.
        standing: By day.
        prices: A file or an address, where they are read.
        surcharge: On top of the prices read, for a kWh.
        tax: Share on top of both.
        peak: For each kW of the month's highest quarter-hour.
    """

    kind: Literal["flat", "bands", "dynamic", "utility"]
    currency: str
    price: float
    bands: tuple[Band, ...] = ()
    feed_in: float = 0.0
    standing: float = 0.0
    prices: str = ""
    surcharge: float = 0.0
    tax: float = 0.0
    peak: float = 0.0


def table(order: TariffOrder) -> Table:
    """Return a tariff as the settings file has it."""
    taken: Table = {"price": _per_kwh(order.price)}
    said: Table = {"currency": order.currency}
    if order.kind == "bands":
        taken["window"] = [_window(band) for band in order.bands]
    elif order.kind == "dynamic":
        said |= {"source": "file", "prices": order.prices}
        taken |= {"surcharge": _per_kwh(order.surcharge), "tax": order.tax}
    elif order.kind == "utility":
        said["source"] = "utility"
    if order.standing:
        said["standing_charge"] = f"{_decimal(order.standing)}/day"
    if order.peak:
        said["peak_charge"] = f"{_decimal(order.peak)}/kW"
    return {**said, "import": taken, "export": {"price": _per_kwh(order.feed_in)}}


def order_of(section: TariffSection) -> tuple[TariffOrder, bool] | None:
    """Return a tariff as the page shows it, and whether that is all of it; None for none."""
    if not section.model_fields_set:
        return None
    bands = tuple(_band(window) for window in section.import_.window)
    kind: Literal["flat", "bands", "dynamic", "utility"] = "bands" if bands else "flat"
    if section.source != "fixed":
        kind = "dynamic" if section.source == "file" else "utility"
    order = TariffOrder(
        kind=kind,
        currency=section.currency,
        price=section.import_.price or 0.0,
        bands=bands,
        feed_in=section.export.price or 0.0,
        standing=section.standing_charge,
        prices=str(section.prices or ""),
        surcharge=section.import_.surcharge,
        tax=section.import_.tax,
        peak=section.peak_charge,
    )
    return order, TariffSection.model_validate(table(order)) == _comparable(section)


def _comparable(section: TariffSection) -> TariffSection:
    """Return a tariff without what is the same whether it is said or not."""
    imported, exported = section.import_, section.export
    return section.model_copy(
        update={
            "import_": imported.model_copy(update={"price": imported.price or 0.0}),
            "export": exported.model_copy(update={"price": exported.price or 0.0}),
        }
    )


def _band(window: WindowSection) -> Band:
    return Band(
        window.price, _clock(window.begins), _clock(window.ends), _DAYS.get(window.days, "all")
    )


def _window(band: Band) -> Value:
    return {
        "price": _per_kwh(band.price),
        "begins": band.begins,
        "ends": band.ends,
        "days": band.days,
    }


def _clock(minute: int) -> str:
    return "24:00" if minute == DAY_MINUTES else f"{minute // 60:02d}:{minute % 60:02d}"


def _per_kwh(price: float) -> str:
    return f"{_decimal(price)}/kWh"


def _decimal(value: float) -> str:
    """Return a figure as the configuration reads it: no exponent, nine decimals at most."""
    return f"{value:.9f}".rstrip("0").rstrip(".")
