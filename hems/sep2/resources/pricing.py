"""Tariffs: profiles, their components, and the intervals that say what energy costs when."""

from typing import Annotated

from hems.sep2.resources.base import (
    IdentifiedObject,
    Link,
    List,
    RandomizableEvent,
    Resource,
    SubscribableList,
)
from hems.sep2.resources.quantities import UnitValueType
from hems.sep2.resources.wire import (
    Attribute,
    Bits16,
    Int8,
    Int32,
    Int64,
    Record,
    String2,
    String3,
    String20,
    String42,
    UInt8,
    UInt16,
    UInt32,
    UInt48,
    Uri,
    record,
)

__all__ = [
    "ConsumptionTariffInterval",
    "ConsumptionTariffIntervalList",
    "EnvironmentalCost",
    "GeographicLocationType",
    "RateComponent",
    "RateComponentList",
    "TariffProfile",
    "TariffProfileList",
    "TimeTariffInterval",
    "TimeTariffIntervalList",
]


@record
class EnvironmentalCost(Record):
    """An environmental cost of a unit.

    `cost_kind`: 0 g of CO2, 1 g of SO2, 2 g of NOx, 3 per cent of renewable generation;
    `cost_level` counts up from 0, the cheapest, below `num_cost_levels`.
    """

    amount: Annotated[UInt32, "amount"]
    cost_kind: Annotated[UInt8, "costKind"]
    cost_level: Annotated[UInt8, "costLevel"]
    num_cost_levels: Annotated[UInt8, "numCostLevels"]


@record
class GeographicLocationType(Record):
    """A country and a part of it, in the two-letter and three-letter codes of ISO 3166."""

    country: Annotated[String2, "country"]
    subdivision: Annotated[String3 | None, "subdivision"] = None


@record
class TariffProfile(IdentifiedObject):
    """A tariff; prices count in `currency` (ISO 4217) times 10^`price_power_of_ten_multiplier`.

    `service_category_kind` 0 is electricity; of several tariffs the lower `primacy` wins. Dates
    are UTC epoch seconds; without `binding_prices` (2023) the prices to come are a forecast.
    """

    binding_prices: Annotated[bool | None, "bindingPrices"] = None
    currency: Annotated[UInt16 | None, "currency"] = None
    date_announced: Annotated[Int64 | None, "dateAnnounced"] = None
    date_effective: Annotated[Int64 | None, "dateEffective"] = None
    local_price: Annotated[bool | None, "localPrice"] = None
    location: Annotated[GeographicLocationType | None, "location"] = None
    price_power_of_ten_multiplier: Annotated[Int8 | None, "pricePowerOfTenMultiplier"] = None
    primacy: Annotated[UInt8, "primacy"]
    rate_code: Annotated[String20 | None, "rateCode"] = None
    rate_code_long: Annotated[String42 | None, "rateCodeLong"] = None
    rate_component_list_link: Annotated[Link | None, "RateComponentListLink"] = None
    retailer: Annotated[String20 | None, "retailer"] = None
    retailer_long: Annotated[String42 | None, "retailerLong"] = None
    service_category_kind: Annotated[UInt8, "serviceCategoryKind"]
    tariff_description_external_uri: Annotated[Uri | None, "tariffDescriptionExternalURI"] = None


@record
class TariffProfileList(SubscribableList):
    """The tariffs meant for a device; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    tariff_profile: Annotated[tuple[TariffProfile, ...], "TariffProfile"] = ()


@record
class RateComponent(IdentifiedObject):
    """A part of a tariff that is priced by itself, such as energy drawn or energy fed in.

    What it prices says its ReadingType; `role_flags` is a bitmap (0 mirror, 1 premises, 2 PEV,
    3 DER, 4 revenue quality, 5 DC, 6 sub-meter). Flow limits bound the power it applies to.
    """

    active_time_tariff_interval_list_link: Annotated[
        Link | None, "ActiveTimeTariffIntervalListLink"
    ] = None
    flow_rate_end_limit: Annotated[UnitValueType | None, "flowRateEndLimit"] = None
    flow_rate_start_limit: Annotated[UnitValueType | None, "flowRateStartLimit"] = None
    reading_type_link: Annotated[Link, "ReadingTypeLink"]
    role_flags: Annotated[Bits16, "roleFlags"]
    time_tariff_interval_list_link: Annotated[Link, "TimeTariffIntervalListLink"]


@record
class RateComponentList(List):
    """The components of a tariff."""

    rate_component: Annotated[tuple[RateComponent, ...], "RateComponent"] = ()


@record
class TimeTariffInterval(RandomizableEvent):
    """When a time-of-use tier of a rate component applies; `tou_tier` 0 where there are none."""

    consumption_tariff_interval_list_link: Annotated[
        Link | None, "ConsumptionTariffIntervalListLink"
    ] = None
    tou_tier: Annotated[UInt8, "touTier"]


@record
class TimeTariffIntervalList(SubscribableList):
    """The intervals of a rate component, by start."""

    time_tariff_interval: Annotated[tuple[TimeTariffInterval, ...], "TimeTariffInterval"] = ()


@record
class ConsumptionTariffInterval(Resource):
    """A block of a step tariff: its price for each unit used beyond `start_value`.

    Use is counted from 0 in each billing period, in the unit of the component's ReadingType;
    exactly `start_value` still belongs to the block before. `price` is scaled by the tariff.
    """

    consumption_block: Annotated[UInt8, "consumptionBlock"]
    environmental_cost: Annotated[tuple[EnvironmentalCost, ...], "EnvironmentalCost"] = ()
    price: Annotated[Int32 | None, "price"] = None
    start_value: Annotated[UInt48, "startValue"]


@record
class ConsumptionTariffIntervalList(List):
    """The blocks of a time tariff interval, by their first unit."""

    consumption_tariff_interval: Annotated[
        tuple[ConsumptionTariffInterval, ...], "ConsumptionTariffInterval"
    ] = ()
