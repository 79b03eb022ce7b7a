"""What the page can ask of the past, put together for the running hub."""

from collections.abc import Mapping

from der.model import DeviceKind
from hems.clock import Clock
from hems.reports.bill import BillReport
from hems.reports.energy import EnergyReport, Known
from hems.reports.export import Exports
from hems.settings.config import Config
from hems.store.store import Store
from hems.surface import HomeSurface
from web.bill_api import BillApi, Customer
from web.history_api import HistoryApi
from web.operation import Part


def past_parts(home: HomeSurface, store: Store, config: Config, clock: Clock) -> tuple[Part, ...]:
    """Return the parts of the API that tell of the past.

    Args:
        home: Whose devices have names.
        store: What is remembered.
        config: The hub's settings.
        clock: Where the time comes from.
    """
    zone = config.home.zone

    def devices() -> Mapping[str, Known]:
        return {each.id: Known(each.name, each.kind) for each in home.snapshot().devices}

    def customer() -> Customer:
        now = home.snapshot()
        meter = next((d for d in now.devices if d.kind == DeviceKind.METER), None)
        suppliers = tuple(each.name for each in now.utilities if each.name)
        if meter is None:
            return Customer(config.home.name, suppliers=suppliers)
        return Customer(config.home.name, meter.name, meter.id, suppliers)

    report = EnergyReport(store.quarters, devices, zone, clock)
    exports = Exports(store.file, store.quarters, devices, config.home.time_zone)
    billing_day = config.tariff.contract(zone).billing_day
    bills = BillReport(store.accounts, zone, clock, billing_day)
    return HistoryApi(report, exports, clock), BillApi(bills, customer, clock)
