"""Settings that a device may take from a server: locale, time zone, reaction to prices."""

from typing import Annotated

from hems.sep2.resources.base import Link, List, Resource, SubscribableResource
from hems.sep2.resources.wire import (
    Attribute,
    Bits32,
    Int32,
    Int64,
    Record,
    String32,
    String42,
    UInt32,
    record,
)

__all__ = [
    "Configuration",
    "PowerConfiguration",
    "PriceResponseCfg",
    "PriceResponseCfgList",
    "TimeConfiguration",
]


@record
class PowerConfiguration(Record):
    """When the battery was fitted (UTC epoch seconds); `low_charge_threshold` in s of operation."""

    battery_install_time: Annotated[Int64 | None, "batteryInstallTime"] = None
    low_charge_threshold: Annotated[UInt32 | None, "lowChargeThreshold"] = None


@record
class TimeConfiguration(Record):
    """Daylight saving rules (bitmaps), its offset and that of the time zone, in seconds."""

    dst_end_rule: Annotated[Bits32, "dstEndRule"]
    dst_offset: Annotated[Int32, "dstOffset"]
    dst_start_rule: Annotated[Bits32, "dstStartRule"]
    tz_offset: Annotated[Int32, "tzOffset"]


@record
class Configuration(SubscribableResource):
    """Locale, name and time zone that a device is to use; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    current_locale: Annotated[String42, "currentLocale"]
    power_configuration: Annotated[PowerConfiguration | None, "PowerConfiguration"] = None
    price_response_cfg_list_link: Annotated[Link | None, "PriceResponseCfgListLink"] = None
    time_configuration: Annotated[TimeConfiguration | None, "TimeConfiguration"] = None
    user_device_name: Annotated[String32, "userDeviceName"]


@record
class PriceResponseCfg(Resource):
    """How a device is to react to the price of a rate component.

    Below `consume_threshold` it uses energy freely, above `max_reduction_threshold` as little as
    it can; both in the tariff's scaled currency per unit.
    """

    consume_threshold: Annotated[Int32, "consumeThreshold"]
    max_reduction_threshold: Annotated[Int32, "maxReductionThreshold"]
    rate_component_link: Annotated[Link, "RateComponentLink"]


@record
class PriceResponseCfgList(List):
    """How a device is to react to prices, by rate component."""

    price_response_cfg: Annotated[tuple[PriceResponseCfg, ...], "PriceResponseCfg"] = ()
