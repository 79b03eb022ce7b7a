"""A home with a past on a real disk: what it measured and what that cost, for tests of the page."""

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from hems.reports.bill import BillReport
from hems.reports.energy import EnergyReport, Known
from hems.reports.export import Exports
from hems.store.accounts import AccountRow
from hems.store.history import Sample
from hems.store.store import Store, open_store
from tests.web.surface import ScriptedClock
from web.bill_api import BillApi, Customer
from web.history_api import HistoryApi
from web.operation import Part

BERLIN: Final = ZoneInfo("Europe/Berlin")
DEVICES: Final = {
    "meter": Known("Grid meter", "meter"),
    "pv": Known("Roof", "pv"),
    "battery": Known("Battery", "battery"),
    "car": Known("=Wallbox", "evse"),
}
CUSTOMER: Final = Customer("Birch Lane 7", "Grid meter", "meter", ("Stadtwerke",))


@dataclass(frozen=True, slots=True)
class Past:
    """A past and the parts of the API that tell of it."""

    store: Store
    path: Path
    clock: ScriptedClock
    zone: ZoneInfo

    def parts(self, *, billing_day: int = 1, devices: Mapping[str, Known] = DEVICES) -> list[Part]:
        """Return the parts."""
        report = EnergyReport(self.store.quarters, lambda: devices, self.zone, self.clock)
        exports = Exports(self.store.file, self.store.quarters, lambda: devices, self.zone.key)
        bills = BillReport(self.store.accounts, self.zone, self.clock, billing_day)
        return [
            HistoryApi(report, exports, self.clock),
            BillApi(bills, lambda: CUSTOMER, self.clock),
        ]

    async def measured(self, device: str, start: float, end: float, power_w: float) -> None:
        """Have a device measured at each minute of a time."""
        await self.store.history.append(
            [Sample(float(at), device, power_w) for at in range(int(start), int(end), 60)]
        )

    async def lived(self, start: float, end: float) -> None:
        """Have a whole house live through a time, by the quarter-hour."""
        samples: list[Sample] = []
        for at in range(int(start), int(end), 900):
            hour = (at % 86_400) / 3600.0
            sun_w = -4000.0 * max(0.0, math.sin((hour - 4.0) / 16.0 * math.pi))
            car_w = 3600.0 if 0 <= hour < 3 else 0.0
            battery_w = 1200.0 if 9 <= hour < 13 else -800.0 if hour >= 18 else 0.0
            soc = 0.2 + 0.6 * max(0.0, min(1.0, (hour - 9) / 4, (24 - hour) / 6))
            meter_w = 450.0 + sun_w + car_w + battery_w
            samples += [
                Sample(at + 60.0 * m, device, power_w, soc if device == "battery" else None)
                for device, power_w in (
                    ("meter", meter_w),
                    ("pv", sun_w),
                    ("battery", battery_w),
                    ("car", car_w),
                )
                for m in range(15)
            ]
        await self.store.history.append(samples)

    async def cost(self, start: float, end: float, *, skip: range = range(0)) -> None:
        """Have each quarter-hour of a time cost something: two prices for what is taken."""
        rows = [
            _row(at, 0.24 if (at % 86_400) < 6 * 3600 else 0.32)
            for at in range(int(start), int(end), 900)
            if at not in skip
        ]
        await self.store.accounts.put(rows, "{}", {}, settled=int(end), end=int(end))


def _row(at: int, per_kwh: float) -> AccountRow:
    return AccountRow(
        start=at,
        import_wh=200.0,
        export_wh=100.0,
        sun_wh=250.0,
        self_wh=150.0,
        used_wh=300.0,
        own_wh=100.0,
        cost=0.2 * per_kwh,
        revenue=0.1 * 0.08,
        charges=0.005,
        carbon_kg=0.07,
        cost_no_control=0.2 * per_kwh + 0.01,
        cost_greedy=None,
        measured=1.0,
        registers=True,
        currency="EUR",
    )


@asynccontextmanager
async def past(folder: Path, at: float, zone: ZoneInfo = BERLIN) -> AsyncIterator[Past]:
    """Give a home without a past yet, at an instant."""
    clock = ScriptedClock(at)
    path = folder / "hems.db"
    store = await open_store(path, clock)
    try:
        yield Past(store, path, clock, zone)
    finally:
        await store.close()
