"""From pricing resources to tariffs in neutral words (`hems.sep2.rules.tariff`)."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.rules.events import Held
from hems.sep2.rules.tariff import Block, Component, Flow, Place, Priced, Tariff

_ELECTRICITY: Final = 0
_COMMODITIES: Final = frozenset({None, 0, 1, 2})
_WATTS: Final = 38
_WATT_HOURS: Final = 72
_AT_PREMISES: Final = 1 << 1
_AT_PEV: Final = 1 << 2
_AT_DER: Final = 1 << 3


# FlowDirectionType has the producer's view: forward is from grid to premises, and from a DER to
# what it feeds. Where it is not said: what a home draws, and what a DER yields.
_FLOWS: Final[Mapping[int | None, frozenset[Flow]]] = {
    None: frozenset({Flow.IMPORT}),
    0: frozenset({Flow.IMPORT}),
    1: frozenset({Flow.IMPORT}),
    4: frozenset({Flow.IMPORT, Flow.EXPORT}),  # net: fed in counts as much as drawn
    19: frozenset({Flow.EXPORT}),
}
_AT_A_DER: Final[Mapping[int | None, int]] = {None: 19, 0: 19, 1: 19, 19: 1}
"""The direction at a DER, as one has it at premises."""


def component_of(
    component: res.RateComponent, reading_type: res.ReadingType, intervals: Iterable[Priced] = ()
) -> Component | None:
    """Return a component in neutral words.

    Args:
        component: As read.
        reading_type: What it prices.
        intervals: Its prices; see `priced`.

    Returns:
        None if it prices anything else than electrical energy of a known direction.
    """
    roles = component.role_flags
    place = Place.PREMISES
    if not roles & _AT_PREMISES and roles & (_AT_DER | _AT_PEV):
        place = Place.DER if roles & _AT_DER else Place.PEV
    direction = reading_type.flow_direction
    if place is Place.DER:
        direction = _AT_A_DER.get(direction, direction)
    limits = (component.flow_rate_start_limit, component.flow_rate_end_limit)
    if (
        reading_type.uom != _WATT_HOURS
        or reading_type.commodity not in _COMMODITIES
        or direction not in _FLOWS
        or any(limit is not None and limit.unit != _WATTS for limit in limits)
    ):
        return None
    least, most = (None if x is None else _scaled(x.value, x.multiplier) for x in limits)
    return Component(
        mrid=component.mrid.upper(),
        name=component.description or "",
        flows=_FLOWS[direction],
        place=place,
        from_w=0.0 if least is None else least,
        to_w=math.inf if most is None else most,
        by_tier=bool(reading_type.tiered_consumption_blocks),
        intervals=tuple(intervals),
    )


def priced(
    held: Held,
    blocks: Iterable[res.ConsumptionTariffInterval],
    profile: res.TariffProfile,
    reading_type: res.ReadingType,
) -> Priced:
    """Return an interval with its prices per kWh.

    Args:
        held: The interval, as `hems.sep2.book.kinds.event_of` puts it.
        blocks: Its consumption blocks, in any order.
        profile: Its tariff, which scales prices.
        reading_type: That of its component, which says what a unit is.
    """
    unit = reading_type.power_of_ten_multiplier or 0
    per_kwh = (profile.price_power_of_ten_multiplier or 0) + 3 - unit
    made = (
        Block(
            start_wh=_scaled(block.start_value, unit),
            per_kwh=None if block.price is None else _scaled(block.price, per_kwh),
        )
        for block in blocks
    )
    return Priced(held, tuple(sorted(made, key=lambda block: block.start_wh)))


def tariff_of(profile: res.TariffProfile, components: Iterable[Component]) -> Tariff | None:
    """Return a tariff in neutral words; None if it is not one for electricity."""
    if profile.service_category_kind != _ELECTRICITY:
        return None
    return Tariff(
        mrid=profile.mrid.upper(),
        name=profile.description or profile.rate_code_long or profile.rate_code or "",
        primacy=profile.primacy,
        currency=profile.currency,
        binding=profile.binding_prices,
        effective=profile.date_effective,
        components=tuple(components),
    )


def _scaled(value: int, exponent: int) -> float:
    # Dividing by a whole power of ten rounds once; multiplying by 0.1 would round twice.
    return float(value / 10**-exponent) if exponent < 0 else float(value * 10**exponent)
