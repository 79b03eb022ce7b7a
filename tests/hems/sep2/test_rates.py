"""Pricing resources as tariffs: units, scales, directions and places."""

import math

import pytest

from hems.sep2 import resources as res
from hems.sep2.book.kinds import event_of
from hems.sep2.book.rates import component_of, priced, tariff_of
from hems.sep2.rules.events import Held, Program
from hems.sep2.rules.tariff import Block, Flow, Place, Use, price_at

pytestmark = pytest.mark.requirement("PRO-2030.5")

PREMISES, PEV, DER = 1 << 1, 1 << 2, 1 << 3


def _component(roles: int = PREMISES, **more: object) -> res.RateComponent:
    return res.RateComponent(
        mrid="0c",
        reading_type_link=res.Link(href="/rt/1"),
        role_flags=roles,
        time_tariff_interval_list_link=res.Link(href="/tti"),
        **more,  # type: ignore[arg-type]
    )


def _type(**more: int | bool) -> res.ReadingType:
    values: dict[str, int | bool] = {"uom": 72, "power_of_ten_multiplier": 3, "commodity": 1}
    return res.ReadingType(**(values | more))  # type: ignore[arg-type]


def _profile(**more: object) -> res.TariffProfile:
    values: dict[str, object] = {"mrid": "0a", "primacy": 1, "service_category_kind": 0}
    return res.TariffProfile(**(values | more))  # type: ignore[arg-type]


def _interval(**more: object) -> res.TimeTariffInterval:
    values: dict[str, object] = {
        "mrid": "0e",
        "creation_time": 1,
        "event_status": res.EventStatus(
            current_status=0, date_time=1, potentially_superseded=False
        ),
        "interval": res.DateTimeInterval(start=100, duration=50),
        "tou_tier": 2,
    }
    return res.TimeTariffInterval(**(values | more))  # type: ignore[arg-type]


def _block(start: int, price: int | None, number: int = 1) -> res.ConsumptionTariffInterval:
    return res.ConsumptionTariffInterval(consumption_block=number, price=price, start_value=start)


@pytest.mark.parametrize(
    ("roles", "direction", "place", "flows"),
    [
        (0, None, Place.PREMISES, {Flow.IMPORT}),
        (PREMISES, 0, Place.PREMISES, {Flow.IMPORT}),
        (PREMISES, 1, Place.PREMISES, {Flow.IMPORT}),
        (PREMISES, 19, Place.PREMISES, {Flow.EXPORT}),
        (PREMISES, 4, Place.PREMISES, {Flow.IMPORT, Flow.EXPORT}),
        (PREMISES | DER, 1, Place.PREMISES, {Flow.IMPORT}),
        (DER, 1, Place.DER, {Flow.EXPORT}),
        (DER, None, Place.DER, {Flow.EXPORT}),
        (DER, 19, Place.DER, {Flow.IMPORT}),
        (PEV, 1, Place.PEV, {Flow.IMPORT}),
        (PEV, 19, Place.PEV, {Flow.EXPORT}),
    ],
)
def test_direction_and_place(
    roles: int, direction: int | None, place: Place, flows: set[Flow]
) -> None:
    reading_type = _type() if direction is None else _type(flow_direction=direction)
    component = component_of(_component(roles), reading_type)
    assert component is not None
    assert component.place is place
    assert component.flows == flows


@pytest.mark.parametrize(
    "reading_type",
    [
        _type(uom=38),
        _type(uom=73),
        res.ReadingType(),
        _type(commodity=7),
        _type(flow_direction=20),
        _type(flow_direction=2),
    ],
)
def test_what_is_no_energy_of_a_known_direction_is_no_component(
    reading_type: res.ReadingType,
) -> None:
    assert component_of(_component(), reading_type) is None


def test_a_component_for_a_range_of_power() -> None:
    def limit(value: int, unit: int = 38) -> res.UnitValueType:
        return res.UnitValueType(multiplier=3, unit=unit, value=value)

    plain = component_of(_component(), _type())
    assert plain is not None
    assert (plain.mrid, plain.from_w, plain.to_w) == ("0C", 0.0, math.inf)
    limited = component_of(
        _component(flow_rate_start_limit=limit(2), flow_rate_end_limit=limit(5)), _type()
    )
    assert limited is not None
    assert (limited.from_w, limited.to_w) == (2000.0, 5000.0)
    assert component_of(_component(flow_rate_end_limit=limit(5, unit=61)), _type()) is None


@pytest.mark.parametrize(
    ("price", "price_scale", "unit_scale", "per_kwh"),
    [
        (25, -2, 3, 0.25),
        (25, -5, 0, 0.25),  # per Wh
        (250, 0, 6, 0.25),  # per MWh
        (3, -1, 3, 0.3),
        (25, None, 3, 25.0),
        (-4, -2, 3, -0.04),  # paid to use it
        (0, 0, 3, 0.0),
        (None, -2, 3, None),
    ],
)
def test_a_price_is_per_kwh(
    price: int | None, price_scale: int | None, unit_scale: int, per_kwh: float | None
) -> None:
    held = Held(event_of(_interval(), Program("0C"), 0.0))
    made = priced(
        held,
        [_block(0, price)],
        _profile(price_power_of_ten_multiplier=price_scale),
        _type(power_of_ten_multiplier=unit_scale),
    )
    assert made.blocks == (Block(0.0, per_kwh),)


def test_blocks_start_in_the_unit_of_the_component_and_stand_in_order() -> None:
    held = Held(event_of(_interval(), Program("0C"), 0.0))
    made = priced(held, [_block(300, 2, 2), _block(0, 1)], _profile(), _type())
    assert made.blocks == (Block(0.0, 1.0), Block(300_000.0, 2.0))
    bare = priced(held, [_block(300, 2)], _profile(), res.ReadingType())
    assert bare.blocks == (Block(300.0, 2000.0),)


def test_a_tariff_has_currency_and_dates() -> None:
    tariff = tariff_of(
        _profile(currency=36, binding_prices=True, date_effective=5, rate_code="TOU"), ()
    )
    assert tariff is not None
    assert (tariff.mrid, tariff.name, tariff.currency) == ("0A", "TOU", 36)
    assert (tariff.binding, tariff.effective) == (True, 5)
    assert tariff_of(_profile(service_category_kind=1), ()) is None


def test_from_resources_to_a_price() -> None:
    profile, reading_type = _profile(currency=36, price_power_of_ten_multiplier=-4), _type()
    made = component_of(_component(), reading_type)
    assert made is not None
    held = Held(event_of(_interval(), Program(made.mrid, primacy=1), 0.0))
    interval = priced(held, [_block(0, 2550)], profile, reading_type)
    component = component_of(_component(), reading_type, [interval])
    assert component is not None
    tariff = tariff_of(profile, [component])
    assert tariff is not None
    price = price_at(tariff, Use(Flow.IMPORT), 120)
    assert price is not None
    assert (price.per_kwh, price.currency, price.tier) == (0.255, 36, 2)
    assert price_at(tariff, Use(Flow.EXPORT), 120) is None
