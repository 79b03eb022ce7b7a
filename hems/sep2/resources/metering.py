"""Metering mirror: readings that a device posts to the server."""

from typing import Annotated

from hems.sep2.resources.base import (
    DateTimeInterval,
    IdentifiedObject,
    Link,
    List,
    Resource,
    SubscribableList,
)
from hems.sep2.resources.quantities import UnitValueType
from hems.sep2.resources.wire import (
    Attribute,
    Bits16,
    Hex160,
    Int8,
    Int48,
    Int64,
    UInt8,
    UInt32,
    UInt48,
    record,
)

__all__ = [
    "MeterReadingBase",
    "MirrorMeterReading",
    "MirrorMeterReadingList",
    "MirrorReadingSet",
    "MirrorUsagePoint",
    "MirrorUsagePointList",
    "Reading",
    "ReadingBase",
    "ReadingSetBase",
    "ReadingType",
    "UsagePointBase",
]


@record
class ReadingType(Resource):
    """What readings mean: unit (38 W, 72 Wh ...), multiplier, direction, kind, interval."""

    accumulation_behaviour: Annotated[UInt8 | None, "accumulationBehaviour"] = None
    calorific_value: Annotated[UnitValueType | None, "calorificValue"] = None
    commodity: Annotated[UInt8 | None, "commodity"] = None
    conversion_factor: Annotated[UnitValueType | None, "conversionFactor"] = None
    data_qualifier: Annotated[UInt8 | None, "dataQualifier"] = None
    flow_direction: Annotated[UInt8 | None, "flowDirection"] = None
    interval_length: Annotated[UInt32 | None, "intervalLength"] = None
    kind: Annotated[UInt8 | None, "kind"] = None
    max_number_of_intervals: Annotated[UInt8 | None, "maxNumberOfIntervals"] = None
    number_of_consumption_blocks: Annotated[UInt8 | None, "numberOfConsumptionBlocks"] = None
    number_of_tou_tiers: Annotated[UInt8 | None, "numberOfTouTiers"] = None
    phase: Annotated[UInt8 | None, "phase"] = None
    power_of_ten_multiplier: Annotated[Int8 | None, "powerOfTenMultiplier"] = None
    sub_interval_length: Annotated[UInt32 | None, "subIntervalLength"] = None
    supply_limit: Annotated[UInt48 | None, "supplyLimit"] = None
    tiered_consumption_blocks: Annotated[bool | None, "tieredConsumptionBlocks"] = None
    uom: Annotated[UInt8 | None, "uom"] = None


@record
class ReadingBase(Resource):
    """A value with its period and quality bitmap; its unit is the ReadingType's."""

    consumption_block: Annotated[UInt8 | None, "consumptionBlock"] = None
    quality_flags: Annotated[Bits16 | None, "qualityFlags"] = None
    time_period: Annotated[DateTimeInterval | None, "timePeriod"] = None
    tou_tier: Annotated[UInt8 | None, "touTier"] = None
    value: Annotated[Int48 | None, "value"] = None


@record
class Reading(ReadingBase):
    """A reading; `local_id` orders those of a set."""

    subscribable: Annotated[UInt8 | None, Attribute("subscribable")] = None
    local_id: Annotated[Bits16 | None, "localID"] = None


@record
class ReadingSetBase(IdentifiedObject):
    """A set of readings over one period."""

    time_period: Annotated[DateTimeInterval, "timePeriod"]


@record
class MirrorReadingSet(ReadingSetBase):
    """A set of readings as the device posts it."""

    reading: Annotated[tuple[Reading, ...], "Reading"] = ()


@record
class MeterReadingBase(IdentifiedObject):
    """A series of readings of one type."""


@record
class MirrorMeterReading(MeterReadingBase):
    """A series as the device posts it, with its type and latest readings."""

    last_update_time: Annotated[Int64 | None, "lastUpdateTime"] = None
    mirror_reading_set: Annotated[tuple[MirrorReadingSet, ...], "MirrorReadingSet"] = ()
    next_update_time: Annotated[Int64 | None, "nextUpdateTime"] = None
    reading: Annotated[Reading | None, "Reading"] = None
    reading_type: Annotated[ReadingType | None, "ReadingType"] = None


@record
class MirrorMeterReadingList(List):
    """Several series, posted together; some clients do not count what they post."""

    all: Annotated[UInt32, Attribute("all")] = 0
    results: Annotated[UInt32, Attribute("results")] = 0
    mirror_meter_reading: Annotated[tuple[MirrorMeterReading, ...], "MirrorMeterReading"] = ()


@record
class UsagePointBase(IdentifiedObject):
    """A point where energy is measured: `role_flags` bitmap, service kind, on (1) or off."""

    role_flags: Annotated[Bits16, "roleFlags"]
    service_category_kind: Annotated[UInt8, "serviceCategoryKind"]
    status: Annotated[UInt8, "status"]


@record
class MirrorUsagePoint(UsagePointBase):
    """A usage point that a device mirrors; `post_rate` is how often to post, in s."""

    subscribable: Annotated[UInt8 | None, Attribute("subscribable")] = None
    device_lfdi: Annotated[Hex160, "deviceLFDI"]
    mirror_meter_reading: Annotated[tuple[MirrorMeterReading, ...], "MirrorMeterReading"] = ()
    post_rate: Annotated[UInt32 | None, "postRate"] = None
    usage_point_link: Annotated[Link | None, "UsagePointLink"] = None


@record
class MirrorUsagePointList(SubscribableList):
    """The usage points mirrored by this client."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    mirror_usage_point: Annotated[tuple[MirrorUsagePoint, ...], "MirrorUsagePoint"] = ()
