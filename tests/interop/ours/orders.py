"""From a scenario's XML to what an operator orders at our head-end's door."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from lxml import etree

from tests.interop.grid.markup import Element
from tests.interop.grid.tree import Listing
from tests.interop.grid.words import ALL_ANSWERS, amount_of, number_of, text_of
from tests.interop.ours.unfit import UnfitError

Json: TypeAlias = "float | str | bool | list[Json] | dict[str, Json] | None"
Order: TypeAlias = dict[str, Json]
Extra: TypeAlias = Mapping[str, "Element | Listing"]

_WATTS: Final = {
    "opModImpLimW": "limit_import_w",
    "opModExpLimW": "limit_export_w",
    "opModGenLimW": "limit_generation_w",
    "opModLoadLimW": "limit_load_w",
    "opModMaxLimWAbsorb": "limit_import_w",
    "opModMaxLimWInject": "limit_export_w",
    "opModTargetW": "target_w",
    "opModStorageTargetW": "storage_target_w",
}
_PERCENT: Final = {"opModMaxLimW": "limit_generation_percent", "opModFixedW": "fixed_w_percent"}
_SWITCHES: Final = {"opModConnect": "connect", "opModEnergize": "energize"}
_FACTORS: Final = {
    "opModFixedPFInjectW": "power_factor_inject",
    "opModFixedPFAbsorbW": "power_factor_absorb",
}
_CURVES: Final = {
    "opModVoltVar": "volt_var",
    "opModVoltWatt": "volt_watt",
    "opModFreqWatt": "freq_watt",
    "opModWattPF": "watt_pf",
    "opModWattVar": "watt_var",
}
_CURVE_POINTS: Final[Mapping[str, Json]] = {
    "volt_var": [[0.92, 44.0], [1.0, 0.0], [1.08, -44.0]],
    "volt_watt": [[1.05, 100.0], [1.1, 0.0]],
    "freq_watt": [[50.2, 100.0], [51.0, 0.0]],
    "watt_pf": [[50.0, 1.0], [100.0, 0.95]],
    "watt_var": [[50.0, 0.0], [100.0, 44.0]],
}
"""Curves that make sense; a scenario only asks that there is one."""


def control(item: Element) -> Order:
    """Return the order of an event of the DER function set.

    Raises:
        UnfitError: The door has no word for something in it.
    """
    wanted = item.get("responseRequired")
    if wanted != ALL_ANSWERS:
        raise UnfitError(
            f"server: it asks for responses by a rule of its own, not for {wanted or 'none'}"
        )
    if text_of(item, "deviceCategory") is not None:
        raise UnfitError("server: its DERControls are for every deviceCategory")
    base = item.find("{*}DERControlBase")
    return {**_when(item), **({} if base is None else asks(base)), "raw": True}


def _when(item: Element) -> Order:
    start, seconds = number_of(item, "interval/start"), number_of(item, "interval/duration")
    order: Order = {"start": float(start or 0), "seconds": float(seconds or 0)}
    for name, key in (
        ("randomizeStart", "randomize_start_s"),
        ("randomizeDuration", "randomize_duration_s"),
    ):
        if (value := number_of(item, name)) is not None:
            order[key] = value
    return order


def default(item: Element | None) -> Order:
    """Return the order of a default control; of nothing where there is none."""
    if item is None:
        return {}
    base = item.find("{*}DERControlBase")
    order = {} if base is None else asks(base)
    if (grad := number_of(item, "setGradW")) is not None:
        order["set_grad_w"] = grad / 100
    return order


def asks(base: Element) -> Order:
    """Return what a DERControlBase asks, one field a mode.

    Raises:
        UnfitError: The door has no word for a mode.
    """
    return dict(_ask(mode) for mode in base)


def _ask(mode: Element) -> tuple[str, Json]:
    name = etree.QName(mode).localname
    if name in _WATTS:
        value, multiplier = number_of(mode, "value"), number_of(mode, "multiplier")
        return _WATTS[name], (value or 0) * 10.0 ** (multiplier or 0)
    text = mode.text or ""
    if name in _PERCENT:
        return _PERCENT[name], int(text) / 100
    if name in _SWITCHES:
        return _SWITCHES[name], text == "true"
    if name == "rampTms":
        return "ramp_s", int(text) / 100
    if name in _FACTORS:
        factor = (number_of(mode, "displacement") or 0) * 10.0 ** (
            number_of(mode, "multiplier") or 0
        )
        under = text_of(mode, "excitation") == "true"
        return _FACTORS[name], {"power_factor": factor, "vars": "absorb" if under else "inject"}
    if name in _CURVES:
        return _CURVES[name], {"points": _CURVE_POINTS[_CURVES[name]]}
    raise UnfitError(f"server: its operator's door has no word for {name}")


def reduction(item: Element) -> Order:
    """Return the order of an event of the load-control function set.

    Raises:
        UnfitError: The door has no word for something in it.
    """
    if text_of(item, "deviceCategory") != "00004000":
        raise UnfitError("server: the deviceCategory of its EndDeviceControls is not the order's")
    order = _when(item)
    duty, kind = text_of(item, "DutyCycle/normalValue"), number_of(item, "TargetReduction/type")
    if duty is not None:
        order["duty_cycle_percent"] = float(duty)
    elif kind == _W:
        order["shed_w"] = amount_of(item, "TargetReduction") or float(
            text_of(item, "TargetReduction/value") or 0
        )
    else:
        raise UnfitError("server: its operator's door asks for reductions in W and Wh only")
    return order


_W = 2
_LEVELS: Final = {1: "normal", 2: "high", 3: "critical"}


def message(item: Element) -> Order:
    """Return the order of a message."""
    when = _when(item)
    return {
        "text": text_of(item, "textMessage"),
        "priority": _LEVELS[number_of(item, "priority") or 1],
        "minutes": float(number_of(item, "interval/duration") or 0) / 60,
        "start": when["start"],
        "originator": text_of(item, "originator"),
    }


def prices(profile: Element, intervals: Listing, extra: Extra, late_s: float) -> Order:
    """Return the order of a tariff's prices.

    Args:
        profile: The tariff.
        intervals: Its prices.
        extra: Where their blocks are.
        late_s: By how much they are to come later.

    Raises:
        UnfitError: The door has no word for something in it.
    """
    return {
        "tariff": text_of(profile, "description"),
        "currency": text_of(profile, "currency"),
        "primacy": number_of(profile, "primacy"),
        "prices": list(_priced(intervals, extra, late_s)),
        "raw": True,
    }


def _priced(intervals: Listing, extra: Extra, late_s: float) -> Iterator[Json]:
    for item in intervals.items:
        link = item.find("{*}ConsumptionTariffIntervalListLink")
        blocks = None if link is None else extra.get(str(link.get("href")))
        if not isinstance(blocks, Listing) or len(blocks.items) != 1:
            raise UnfitError("server: its prices are without blocks")
        yield {
            "start": float(number_of(item, "interval/start") or 0) + late_s,
            "minutes": float(number_of(item, "interval/duration") or 0) / 60,
            "price": (number_of(blocks.items[0], "price") or 0) / 1000,
        }
