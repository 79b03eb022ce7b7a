"""Energy paid for in advance: balances, credit and whether supply is on."""

from typing import Annotated

from hems.sep2.resources.base import (
    DateTimeInterval,
    IdentifiedObject,
    Link,
    List,
    Resource,
    SubscribableList,
)
from hems.sep2.resources.quantities import RealEnergy
from hems.sep2.resources.usage_points import UsagePoint
from hems.sep2.resources.wire import (
    Attribute,
    Int8,
    Int32,
    Int64,
    Record,
    String32,
    UInt8,
    UInt16,
    UInt32,
    record,
)

__all__ = [
    "AccountBalance",
    "AccountingUnit",
    "CreditRegister",
    "CreditRegisterList",
    "CreditTypeChange",
    "PrepayOperationStatus",
    "Prepayment",
    "PrepaymentList",
    "ServiceChange",
    "SupplyInterruptionOverride",
    "SupplyInterruptionOverrideList",
]


@record
class AccountingUnit(Record):
    """An amount: energy, or money in `monetary_unit` (ISO 4217), times 10^`multiplier`."""

    energy_unit: Annotated[RealEnergy | None, "energyUnit"] = None
    monetary_unit: Annotated[UInt16, "monetaryUnit"]
    multiplier: Annotated[Int8, "multiplier"]
    value: Annotated[Int32, "value"]


@record
class AccountBalance(Resource):
    """The credit that is left, and the emergency credit after it."""

    available_credit: Annotated[AccountingUnit, "availableCredit"]
    credit_status: Annotated[UInt8 | None, "creditStatus"] = None
    emergency_credit: Annotated[AccountingUnit | None, "emergencyCredit"] = None
    emergency_credit_status: Annotated[UInt8 | None, "emergencyCreditStatus"] = None


@record
class CreditRegister(IdentifiedObject):
    """One payment: its amount, kind, token and when it counts (UTC epoch seconds)."""

    credit_amount: Annotated[AccountingUnit, "creditAmount"]
    credit_type: Annotated[UInt8 | None, "creditType"] = None
    effective_time: Annotated[Int64, "effectiveTime"]
    token: Annotated[String32, "token"]


@record
class CreditRegisterList(List):
    """The payments made."""

    credit_register: Annotated[tuple[CreditRegister, ...], "CreditRegister"] = ()


@record
class CreditTypeChange(Record):
    """A change of the credit in use at `start_time` (UTC epoch seconds).

    `new_type`: 0 regular, 1 emergency, 2 regular then emergency, 3 emergency then regular.
    """

    new_type: Annotated[UInt8, "newType"]
    start_time: Annotated[Int64, "startTime"]


@record
class ServiceChange(Record):
    """A change of supply at `start_time` (UTC epoch seconds).

    `new_status`: 0 connected, 1 disconnected, 2 armed to connect, 3 armed to disconnect,
    4 no contactor, 5 load limited.
    """

    new_status: Annotated[UInt8, "newStatus"]
    start_time: Annotated[Int64, "startTime"]


@record
class PrepayOperationStatus(Resource):
    """Which credit is in use, whether supply is on, and what changes next."""

    credit_type_change: Annotated[CreditTypeChange | None, "creditTypeChange"] = None
    credit_type_in_use: Annotated[UInt8 | None, "creditTypeInUse"] = None
    service_change: Annotated[ServiceChange | None, "serviceChange"] = None
    service_status: Annotated[UInt8, "serviceStatus"]


@record
class SupplyInterruptionOverride(Resource):
    """A time in which supply stays on, though credit has run out."""

    description: Annotated[String32 | None, "description"] = None
    interval: Annotated[DateTimeInterval, "interval"]


@record
class SupplyInterruptionOverrideList(List):
    """The times in which supply is not cut."""

    supply_interruption_override: Annotated[
        tuple[SupplyInterruptionOverride, ...], "SupplyInterruptionOverride"
    ] = ()


@record
class Prepayment(IdentifiedObject):
    """A prepaid service: how it works and the levels of credit at which to warn."""

    account_balance_link: Annotated[Link, "AccountBalanceLink"]
    active_credit_register_list_link: Annotated[Link | None, "ActiveCreditRegisterListLink"] = None
    active_supply_interruption_override_list_link: Annotated[
        Link | None, "ActiveSupplyInterruptionOverrideListLink"
    ] = None
    credit_expiry_level: Annotated[AccountingUnit | None, "creditExpiryLevel"] = None
    credit_register_list_link: Annotated[Link, "CreditRegisterListLink"]
    low_credit_warning_level: Annotated[AccountingUnit | None, "lowCreditWarningLevel"] = None
    low_emergency_credit_warning_level: Annotated[
        AccountingUnit | None, "lowEmergencyCreditWarningLevel"
    ] = None
    prepay_mode: Annotated[UInt8, "prepayMode"]
    prepay_operation_status_link: Annotated[Link, "PrepayOperationStatusLink"]
    supply_interruption_override_list_link: Annotated[Link, "SupplyInterruptionOverrideListLink"]
    usage_point: Annotated[tuple[UsagePoint, ...], "UsagePoint"] = ()
    usage_point_link: Annotated[Link | None, "UsagePointLink"] = None


@record
class PrepaymentList(SubscribableList):
    """The prepaid services meant for a device; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    prepayment: Annotated[tuple[Prepayment, ...], "Prepayment"] = ()
