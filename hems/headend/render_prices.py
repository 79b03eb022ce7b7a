"""Tariffs and prices as resources: pure functions from records."""

from collections.abc import Sequence

from hems.headend import hrefs
from hems.headend.modes import Edition
from hems.headend.paging import Page
from hems.headend.prices import MULTIPLIER, Flow, Price, Tariff
from hems.headend.render_events import derived_mrid, event_status
from hems.headend.status import EventState
from hems.sep2.resources import (
    ConsumptionTariffInterval,
    ConsumptionTariffIntervalList,
    DateTimeInterval,
    Link,
    RateComponent,
    RateComponentList,
    ReadingType,
    TariffProfile,
    TariffProfileList,
    TimeTariffInterval,
    TimeTariffIntervalList,
)

ShownPrice = tuple[Price, EventState]

_SUBSCRIBABLE = 1
_ELECTRICITY = 0
_PREMISES = 1 << 1
_WATT_HOURS, _KILO = 72, 3
_DIRECTIONS = {Flow.IMPORT: 1, Flow.EXPORT: 19}
"""flowDirection: forward is from the grid to the home, reverse back to it."""
NUMBERS = {Flow.IMPORT: 1, Flow.EXPORT: 2}
"""Number of a component in hrefs."""


def tariff_profile(tariff: Tariff) -> TariffProfile:
    """Write a tariff."""
    return TariffProfile(
        href=hrefs.tariff(tariff.number),
        mrid=tariff.mrid,
        description=tariff.name,
        currency=tariff.currency,
        price_power_of_ten_multiplier=MULTIPLIER,
        primacy=tariff.primacy,
        rate_component_list_link=Link(href=hrefs.components(tariff.number), all=len(tariff.flows)),
        service_category_kind=_ELECTRICITY,
    )


def tariff_list(part: Page[Tariff], poll_s: int) -> TariffProfileList:
    """Write a part of the tariffs."""
    return TariffProfileList(
        href=hrefs.TARIFFS,
        subscribable=_SUBSCRIBABLE,
        all=part.all,
        results=len(part.items),
        poll_rate=poll_s,
        tariff_profile=tuple(tariff_profile(item) for item in part.items),
    )


def component(tariff: Tariff, flow: Flow, intervals: int) -> RateComponent:
    """Write what prices of a tariff are of; it shows `intervals` of them."""
    href = hrefs.component(tariff.number, NUMBERS[flow])
    return RateComponent(
        href=href,
        mrid=derived_mrid(tariff.mrid, flow.value),
        description=f"{tariff.name[:24]} {flow.value}",
        reading_type_link=Link(href=f"{href}/rt"),
        role_flags=_PREMISES,
        time_tariff_interval_list_link=Link(href=f"{href}/tti", all=intervals),
    )


def component_list(tariff: Tariff, part: Page[RateComponent]) -> RateComponentList:
    """Write a part of a tariff's components."""
    return RateComponentList(
        href=hrefs.components(tariff.number),
        all=part.all,
        results=len(part.items),
        rate_component=tuple(part.items),
    )


def reading_type(tariff: Tariff, flow: Flow) -> ReadingType:
    """Write what a unit is: a kWh in one direction."""
    return ReadingType(
        href=f"{hrefs.component(tariff.number, NUMBERS[flow])}/rt",
        flow_direction=_DIRECTIONS[flow],
        power_of_ten_multiplier=_KILO,
        uom=_WATT_HOURS,
    )


def interval(
    tariff: Tariff, price: Price, state: EventState, edition: Edition
) -> TimeTariffInterval:
    """Write when a price holds."""
    href = f"{intervals_href(tariff, price.flow)}/{price.span.mrid}"
    return TimeTariffInterval(
        href=href,
        mrid=price.span.mrid,
        creation_time=price.span.created,
        event_status=event_status(state, edition),
        interval=DateTimeInterval(duration=price.span.duration_s, start=price.span.start),
        consumption_tariff_interval_list_link=Link(href=f"{href}/cti", all=1),
        tou_tier=0,
    )


def intervals_href(tariff: Tariff, flow: Flow) -> str:
    """Return where a component's TimeTariffIntervalList is."""
    return f"{hrefs.component(tariff.number, NUMBERS[flow])}/tti"


def interval_list(
    tariff: Tariff, flow: Flow, part: Page[ShownPrice], edition: Edition
) -> TimeTariffIntervalList:
    """Write a part of a component's prices."""
    return TimeTariffIntervalList(
        href=intervals_href(tariff, flow),
        subscribable=_SUBSCRIBABLE,
        all=part.all,
        results=len(part.items),
        time_tariff_interval=tuple(interval(tariff, p, s, edition) for p, s in part.items),
    )


def blocks(price: Price, href: str) -> Sequence[ConsumptionTariffInterval]:
    """Write the one block of a price.

    Args:
        price: The price.
        href: Address of the list of its blocks.
    """
    per_kwh = price.per_kwh
    return (
        ConsumptionTariffInterval(
            href=f"{href}/1",
            consumption_block=0,
            price=None if per_kwh is None else round(per_kwh * 10.0**-MULTIPLIER),
            start_value=0,
        ),
    )


def block_list(href: str, part: Page[ConsumptionTariffInterval]) -> ConsumptionTariffIntervalList:
    """Write a part of a price's blocks."""
    return ConsumptionTariffIntervalList(
        href=href,
        all=part.all,
        results=len(part.items),
        consumption_tariff_interval=tuple(part.items),
    )
