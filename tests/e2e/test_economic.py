"""Economic demand response over the whole line: a price, a threshold, the owner's word."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.rig import Home, Rig
from tests.waiting import until

pytestmark = [pytest.mark.timeout(240)]

HOUSE = (
    *("--fixed-load", "1600", "--pv-w", "0", "--battery-soc", "0.7"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "55", "--room-temp", "22"),
)
MARKET = (
    'currency = "EUR"',
    'least = "5 s"',
    'pause = "1 s"',
    'refresh = "10 s"',
    'stale_after = "1 min"',
)
JOINED = ("[programmes]", 'join = ["economic"]')


def prices(per_mwh: str) -> str:
    """Return a wholesale price for these two hours."""
    begins = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    ends = begins + timedelta(hours=4)
    return f"start,end,price_per_mwh\n{begins.isoformat()},{ends.isoformat()},{per_mwh}\n"


def threshold() -> str:
    month = datetime.now(UTC).strftime("%Y-%m")
    return f"month,price_per_mwh,published,operator\n{month},41.3,2026-01-15,Example ISO\n"


async def listed(rig: Rig) -> dict[str, Any]:
    told = json.loads(await rig.get_page("/api/programmes"))
    return next(each for each in told["programmes"] if each["id"] == "economic")


def held(home: Home) -> bool:
    """Whether the car waits and the battery gives what the house lacks."""
    car, battery = home.tile("ev"), home.tile("battery")
    waits = car.power_w is not None and car.power_w < 100.0
    gives = battery.power_w is not None and battery.power_w < -1_000.0
    return waits and gives and home.net_w is not None and abs(home.net_w) < 400.0


def charging(home: Home) -> bool:
    car = home.tile("ev")
    return car.power_w is not None and car.power_w > 3_000.0


@pytest.mark.deep
@pytest.mark.requirement("BUC-6")
async def test_the_home_takes_less_while_wholesale_power_is_dear(tmp_path: Path) -> None:
    wholesale = tmp_path / "wholesale.csv"
    wholesale.write_text(prices("25"), encoding="utf-8")
    months = tmp_path / "nb.csv"
    months.write_text(threshold(), encoding="utf-8")
    market = ("[market]", f'prices = "{wholesale}"', f'net_benefits = "{months}"', *MARKET)
    scene = Scene(page_port=0, battery="hold", house=HOUSE, economy=(*market, *JOINED))
    async with Rig(Stage(tmp_path / "stage", scene)) as rig:
        await until(rig.home, charging, 40.0, "the car charges")
        assert not (await listed(rig))["standing"]["active"]

        wholesale.write_text(prices("412"), encoding="utf-8")
        home = await until(rig.home, held, 40.0, "less load")
        assert "Wholesale power costs 0.412 EUR/kWh, above the net-benefits price" in (
            home.tile("ev").reason
        )
        assert (await listed(rig))["standing"]["active"]

        wholesale.write_text(prices("NaN"), encoding="utf-8")
        home = await until(
            rig.home, lambda home: any("cannot be read" in a for a in home.alarms), 30.0, "it says"
        )
        assert held(home)  # what was told before holds until it is too old

        wholesale.write_text(prices("25"), encoding="utf-8")
        await until(rig.home, charging, 60.0, "the car charges again")


@pytest.mark.requirement("BUC-6")
async def test_prices_that_the_utility_tells_count_and_the_owner_may_leave(tmp_path: Path) -> None:
    months = tmp_path / "nb.csv"
    months.write_text(threshold(), encoding="utf-8")
    market = ("[market]", 'tariff = "Wholesale"', f'net_benefits = "{months}"', *MARKET)
    scene = Scene(page_port=0, battery="hold", house=HOUSE, economy=(*market, *JOINED))
    async with Rig(Stage(tmp_path / "stage", scene)) as rig:
        await until(rig.home, charging, 40.0, "the car charges")
        begins = datetime.now(UTC) - timedelta(minutes=5)
        told = {
            "tariff": "Wholesale",
            "currency": "EUR",
            "prices": [{"start": begins.isoformat(), "minutes": 60, "price": 0.412}],
        }
        await rig.operator_put("/prices", told)
        await until(rig.home, held, 90.0, "less load")
        version = (await listed(rig))["version"]
        left = {"by": "the test", "version": version}
        assert await rig.post_page("/api/programmes/economic/leave", left) == 204
        await until(rig.home, charging, 40.0, "the car charges again")
