"""What a customer has used and owes: accounts, agreements, billing periods and readings."""

from typing import Annotated

from hems.sep2.resources.base import (
    DateTimeInterval,
    IdentifiedObject,
    Link,
    List,
    Resource,
    SubscribableList,
)
from hems.sep2.resources.metering import MeterReadingBase, ReadingBase, ReadingSetBase
from hems.sep2.resources.wire import (
    Attribute,
    Int8,
    Int32,
    Int48,
    Int64,
    Record,
    String20,
    String32,
    String42,
    UInt8,
    UInt16,
    UInt32,
    record,
)

__all__ = [
    "BillingMeterReadingBase",
    "BillingPeriod",
    "BillingPeriodList",
    "BillingReading",
    "BillingReadingList",
    "BillingReadingSet",
    "BillingReadingSetList",
    "Charge",
    "CustomerAccount",
    "CustomerAccountList",
    "CustomerAgreement",
    "CustomerAgreementList",
    "HistoricalReading",
    "HistoricalReadingList",
    "ProjectionReading",
    "ProjectionReadingList",
    "ServiceSupplier",
    "ServiceSupplierList",
    "TargetReading",
    "TargetReadingList",
]


@record
class BillingPeriod(Resource):
    """What one period costs, in the account's scaled currency; times in UTC epoch seconds."""

    bill_last_period: Annotated[Int48 | None, "billLastPeriod"] = None
    bill_to_date: Annotated[Int48 | None, "billToDate"] = None
    interval: Annotated[DateTimeInterval, "interval"]
    status_time_stamp: Annotated[Int64 | None, "statusTimeStamp"] = None


@record
class BillingPeriodList(SubscribableList):
    """The billing periods of an agreement."""

    billing_period: Annotated[tuple[BillingPeriod, ...], "BillingPeriod"] = ()


@record
class Charge(Record):
    """One item of a bill, in the account's scaled currency.

    `kind`: 0 consumption, 1 rebate, 2 auxiliary, 3 demand, 4 tax.
    """

    description: Annotated[String20 | None, "description"] = None
    kind: Annotated[UInt8 | None, "kind"] = None
    value: Annotated[Int32, "value"]


@record
class BillingReading(ReadingBase):
    """A reading with what it costs; its unit is the ReadingType's."""

    charge: Annotated[tuple[Charge, ...], "Charge"] = ()


@record
class BillingReadingList(List):
    """The readings of a billing reading set."""

    billing_reading: Annotated[tuple[BillingReading, ...], "BillingReading"] = ()


@record
class BillingReadingSet(ReadingSetBase):
    """Billing readings over one period."""

    billing_reading_list_link: Annotated[Link | None, "BillingReadingListLink"] = None


@record
class BillingReadingSetList(SubscribableList):
    """The reading sets of a billing series."""

    billing_reading_set: Annotated[tuple[BillingReadingSet, ...], "BillingReadingSet"] = ()


@record
class BillingMeterReadingBase(MeterReadingBase):
    """A series of billing readings of one type."""

    billing_reading_set_list_link: Annotated[Link | None, "BillingReadingSetListLink"] = None
    reading_type_link: Annotated[Link | None, "ReadingTypeLink"] = None


@record
class HistoricalReading(BillingMeterReadingBase):
    """What was used and charged in past periods."""


@record
class HistoricalReadingList(List):
    """The series of past use."""

    historical_reading: Annotated[tuple[HistoricalReading, ...], "HistoricalReading"] = ()


@record
class ProjectionReading(BillingMeterReadingBase):
    """What the utility expects to be used and charged."""


@record
class ProjectionReadingList(List):
    """The series of expected use."""

    projection_reading: Annotated[tuple[ProjectionReading, ...], "ProjectionReading"] = ()


@record
class TargetReading(BillingMeterReadingBase):
    """What the customer aims to use or spend."""


@record
class TargetReadingList(List):
    """The series of targets."""

    target_reading: Annotated[tuple[TargetReading, ...], "TargetReading"] = ()


@record
class CustomerAgreement(IdentifiedObject):
    """One service to one place: links to its tariff, usage point, periods and readings."""

    active_billing_period_list_link: Annotated[Link | None, "ActiveBillingPeriodListLink"] = None
    active_projection_reading_list_link: Annotated[
        Link | None, "ActiveProjectionReadingListLink"
    ] = None
    active_target_reading_list_link: Annotated[Link | None, "ActiveTargetReadingListLink"] = None
    billing_period_list_link: Annotated[Link | None, "BillingPeriodListLink"] = None
    historical_reading_list_link: Annotated[Link | None, "HistoricalReadingListLink"] = None
    prepayment_link: Annotated[Link | None, "PrepaymentLink"] = None
    projection_reading_list_link: Annotated[Link | None, "ProjectionReadingListLink"] = None
    service_account: Annotated[String42 | None, "serviceAccount"] = None
    service_location: Annotated[String42 | None, "serviceLocation"] = None
    target_reading_list_link: Annotated[Link | None, "TargetReadingListLink"] = None
    tariff_profile_link: Annotated[Link | None, "TariffProfileLink"] = None
    usage_point_link: Annotated[Link | None, "UsagePointLink"] = None


@record
class CustomerAgreementList(SubscribableList):
    """The agreements of an account."""

    customer_agreement: Annotated[tuple[CustomerAgreement, ...], "CustomerAgreement"] = ()


@record
class CustomerAccount(IdentifiedObject):
    """A customer's account; `currency` by ISO 4217, amounts times 10^multiplier of it."""

    currency: Annotated[UInt16, "currency"]
    customer_account: Annotated[String42 | None, "customerAccount"] = None
    customer_agreement_list_link: Annotated[Link | None, "CustomerAgreementListLink"] = None
    customer_name: Annotated[String42 | None, "customerName"] = None
    price_power_of_ten_multiplier: Annotated[Int8, "pricePowerOfTenMultiplier"]
    service_supplier_link: Annotated[Link | None, "ServiceSupplierLink"] = None


@record
class CustomerAccountList(SubscribableList):
    """The accounts meant for a device; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    customer_account: Annotated[tuple[CustomerAccount, ...], "CustomerAccount"] = ()


@record
class ServiceSupplier(IdentifiedObject):
    """Who supplies the service, and how to reach them."""

    email: Annotated[String32 | None, "email"] = None
    phone: Annotated[String20 | None, "phone"] = None
    provider_id: Annotated[UInt32 | None, "providerID"] = None
    web: Annotated[String42 | None, "web"] = None


@record
class ServiceSupplierList(List):
    """The suppliers that a server knows (2018)."""

    service_supplier: Annotated[tuple[ServiceSupplier, ...], "ServiceSupplier"] = ()
