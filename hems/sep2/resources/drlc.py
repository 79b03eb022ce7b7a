"""Demand response and load control: programmes and their end-device controls."""

from typing import Annotated

from hems.sep2.resources.base import (
    IdentifiedObject,
    Link,
    List,
    RandomizableEvent,
    Resource,
    SubscribableList,
)
from hems.sep2.resources.quantities import ActivePower
from hems.sep2.resources.wire import Attribute, Bits32, Int16, Record, UInt8, UInt16, UInt32, record

__all__ = [
    "ApplianceLoadReduction",
    "AppliedTargetReduction",
    "DemandResponseProgram",
    "DemandResponseProgramList",
    "DutyCycle",
    "EndDeviceControl",
    "EndDeviceControlList",
    "LoadShedAvailability",
    "LoadShedAvailabilityList",
    "Offset",
    "SetPoint",
    "TargetReduction",
]


@record
class ApplianceLoadReduction(Record):
    """Which kind of load reduction an appliance is to apply."""

    type: Annotated[UInt8, "type"]


@record
class AppliedTargetReduction(Record):
    """The reduction a device made: value in the unit that `type` names."""

    type: Annotated[UInt8, "type"]
    value: Annotated[UInt16, "value"]


@record
class DutyCycle(Record):
    """Share of time that a load may run, in per cent of its normal."""

    normal_value: Annotated[UInt8, "normalValue"]


@record
class Offset(Record):
    """Shift of a thermostat in 0.1 K, or of the load in hundredths of a per cent."""

    cooling_offset: Annotated[UInt8 | None, "coolingOffset"] = None
    heating_offset: Annotated[UInt8 | None, "heatingOffset"] = None
    load_adjustment_percentage_offset: Annotated[
        UInt16 | None, "loadAdjustmentPercentageOffset"
    ] = None


@record
class SetPoint(Record):
    """Thermostat settings in hundredths of a degree Celsius."""

    cooling_setpoint: Annotated[Int16 | None, "coolingSetpoint"] = None
    heating_setpoint: Annotated[Int16 | None, "heatingSetpoint"] = None


@record
class TargetReduction(Record):
    """Reduction asked for. `type`: 0 kWh, 1 kW, 2 W, 3 m3, 4 ft3 ...; `value` in that unit."""

    type: Annotated[UInt8, "type"]
    value: Annotated[UInt16, "value"]


@record
class EndDeviceControl(RandomizableEvent):
    """A load-control event; `override_duration` in s, `device_category` a bitmap."""

    appliance_load_reduction: Annotated[ApplianceLoadReduction | None, "ApplianceLoadReduction"] = (
        None
    )
    device_category: Annotated[Bits32, "deviceCategory"]
    dr_program_mandatory: Annotated[bool, "drProgramMandatory"]
    duty_cycle: Annotated[DutyCycle | None, "DutyCycle"] = None
    load_shift_forward: Annotated[bool, "loadShiftForward"]
    offset: Annotated[Offset | None, "Offset"] = None
    override_duration: Annotated[UInt16 | None, "overrideDuration"] = None
    set_point: Annotated[SetPoint | None, "SetPoint"] = None
    target_reduction: Annotated[TargetReduction | None, "TargetReduction"] = None


@record
class EndDeviceControlList(SubscribableList):
    """The events of a demand-response programme."""

    end_device_control: Annotated[tuple[EndDeviceControl, ...], "EndDeviceControl"] = ()


@record
class DemandResponseProgram(IdentifiedObject):
    """A demand-response programme; the lower `primacy` wins."""

    active_end_device_control_list_link: Annotated[
        Link | None, "ActiveEndDeviceControlListLink"
    ] = None
    availability_update_percent_change_threshold: Annotated[
        UInt16 | None, "availabilityUpdatePercentChangeThreshold"
    ] = None
    availability_update_power_change_threshold: Annotated[
        ActivePower | None, "availabilityUpdatePowerChangeThreshold"
    ] = None
    end_device_control_list_link: Annotated[Link | None, "EndDeviceControlListLink"] = None
    primacy: Annotated[UInt8, "primacy"]


@record
class DemandResponseProgramList(SubscribableList):
    """The demand-response programmes assigned to a device."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    demand_response_program: Annotated[
        tuple[DemandResponseProgram, ...], "DemandResponseProgram"
    ] = ()


@record
class LoadShedAvailability(Resource):
    """How much load a device could shed, and for how many seconds."""

    availability_duration: Annotated[UInt32 | None, "availabilityDuration"] = None
    demand_response_program_link: Annotated[Link | None, "DemandResponseProgramLink"] = None
    sheddable_percent: Annotated[UInt16 | None, "sheddablePercent"] = None
    sheddable_power: Annotated[ActivePower | None, "sheddablePower"] = None


@record
class LoadShedAvailabilityList(List):
    """The load that a device could shed, by programme."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    load_shed_availability: Annotated[tuple[LoadShedAvailability, ...], "LoadShedAvailability"] = ()
