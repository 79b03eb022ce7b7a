"""A server's own metering: usage points, their meter readings and reading sets."""

from typing import Annotated

from hems.sep2.resources.base import Link, SubscribableList
from hems.sep2.resources.metering import MeterReadingBase, Reading, ReadingSetBase, UsagePointBase
from hems.sep2.resources.wire import Attribute, Hex160, UInt32, record

__all__ = [
    "MeterReading",
    "MeterReadingList",
    "ReadingList",
    "ReadingSet",
    "ReadingSetList",
    "UsagePoint",
    "UsagePointList",
]


@record
class UsagePoint(UsagePointBase):
    """A point where the server measures energy, with its meter readings."""

    device_lfdi: Annotated[Hex160 | None, "deviceLFDI"] = None
    meter_reading_list_link: Annotated[Link | None, "MeterReadingListLink"] = None


@record
class UsagePointList(SubscribableList):
    """The usage points that a device may see; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    usage_point: Annotated[tuple[UsagePoint, ...], "UsagePoint"] = ()


@record
class MeterReading(MeterReadingBase):
    """A series of readings of one type, with the rate components that price it."""

    rate_component_list_link: Annotated[Link | None, "RateComponentListLink"] = None
    reading_link: Annotated[Link | None, "ReadingLink"] = None
    reading_set_list_link: Annotated[Link | None, "ReadingSetListLink"] = None
    reading_type_link: Annotated[Link, "ReadingTypeLink"]


@record
class MeterReadingList(SubscribableList):
    """The series of a usage point."""

    meter_reading: Annotated[tuple[MeterReading, ...], "MeterReading"] = ()


@record
class ReadingSet(ReadingSetBase):
    """A set of readings over one period."""

    reading_list_link: Annotated[Link | None, "ReadingListLink"] = None


@record
class ReadingSetList(SubscribableList):
    """The reading sets of a series, latest first."""

    reading_set: Annotated[tuple[ReadingSet, ...], "ReadingSet"] = ()


@record
class ReadingList(SubscribableList):
    """The readings of a set."""

    reading: Annotated[tuple[Reading, ...], "Reading"] = ()
