"""Devices behind a device (2023): aggregated or proxied ones, and who is asked first."""

from typing import Annotated

from hems.sep2.resources.base import IdentifiedObject, Resource, SubscribableList
from hems.sep2.resources.devices import ExternalDevice
from hems.sep2.resources.wire import (
    Attribute,
    Bits32,
    Hex160,
    Int64,
    Record,
    UInt32,
    UInt48,
    record,
)

__all__ = [
    "AggregatedDevice",
    "AggregatedDeviceList",
    "AggregationPriority",
    "PriorityData",
    "ProxiedDevice",
    "ProxiedDeviceList",
]


@record
class AggregatedDevice(Resource):
    """A device that takes part by way of an aggregator; `changed_time` in UTC epoch seconds."""

    changed_time: Annotated[Int64, "changedTime"]
    device_category: Annotated[Bits32 | None, "deviceCategory"] = None
    enabled: Annotated[bool | None, "enabled"] = None
    lfdi: Annotated[Hex160, "lFDI"]
    sfdi: Annotated[UInt48, "sFDI"]


@record
class AggregatedDeviceList(SubscribableList):
    """The devices of an aggregator; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    aggregated_device: Annotated[tuple[AggregatedDevice, ...], "AggregatedDevice"] = ()


@record
class PriorityData(Record):
    """One device of an order, by its LFDI."""

    lfdi: Annotated[Hex160, "lFDI"]


@record
class AggregationPriority(IdentifiedObject):
    """The order in which the devices of an aggregator are used, first to last."""

    priority_data: Annotated[tuple[PriorityData, ...], "PriorityData"]


@record
class ProxiedDevice(ExternalDevice):
    """A device that another one speaks for."""


@record
class ProxiedDeviceList(SubscribableList):
    """The devices that a device speaks for; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    proxied_device: Annotated[tuple[ProxiedDevice, ...], "ProxiedDevice"] = ()
