"""What the page can ask of the past, put together for the running hub."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from der.model import DeviceKind
from hems.clock import Clock
from hems.on_demand import on_demand
from hems.settings.config import Config
from hems.store.store import Store
from hems.surface import HomeSurface
from web.later import Later

if TYPE_CHECKING:
    from hems.reports import bill, energy, export
    from web import bill_api, history_api
else:
    bill, energy, export = (
        on_demand(f"hems.reports.{name}") for name in ("bill", "energy", "export")
    )
    bill_api, history_api = on_demand("web.bill_api"), on_demand("web.history_api")


def past_parts(home: HomeSurface, store: Store, config: Config, clock: Clock) -> tuple[Later, ...]:
    """Return the parts of the API that tell of the past.

    Args:
        home: Whose devices have names.
        store: What is remembered.
        config: The hub's settings.
        clock: Where the time comes from.
    """
    zone = config.home.zone

    def devices() -> Mapping[str, "energy.Known"]:
        return {each.id: energy.Known(each.name, each.kind) for each in home.snapshot().devices}

    def customer() -> "bill_api.Customer":
        now = home.snapshot()
        meter = next((d for d in now.devices if d.kind == DeviceKind.METER), None)
        suppliers = tuple(each.name for each in now.utilities if each.name)
        if meter is None:
            return bill_api.Customer(config.home.name, suppliers=suppliers)
        return bill_api.Customer(config.home.name, meter.name, meter.id, suppliers)

    def history() -> "history_api.HistoryApi":
        report = energy.EnergyReport(store.quarters, devices, zone, clock)
        exports = export.Exports(store.file, store.quarters, devices, config.home.time_zone)
        return history_api.HistoryApi(report, exports, clock)

    def bills() -> "bill_api.BillApi":
        billing_day = config.tariff.contract(zone).billing_day
        report = bill.BillReport(store.accounts, zone, clock, billing_day)
        return bill_api.BillApi(report, customer, clock)

    return Later("history_api", history), Later("bill_api", bills)
