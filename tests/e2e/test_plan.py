"""The plan on the whole line: a real planner process, real devices on sockets, prices that move.

Prices are windows of the home's clock around the moment at which the test runs, so what pays now
is known beforehand.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.rig import Part, Rig
from tests.waiting import until

pytestmark = [pytest.mark.timeout(240)]

PLAN_WITHIN_S = 60.0


class Step(Part):
    starts_at: float
    ends_at: float
    power_w: float
    use: str
    reason: str


class Planned(Part):
    power_w: list[float]
    steps: list[Step]


class Plan(Part):
    made_at: float
    start: float
    step_s: float
    devices: dict[str, Planned]
    net_w: list[float]
    limit_import_w: list[float | None]
    given_up: list[str]
    notes: list[str]


def tariff(*, cheap_now: bool) -> tuple[str, ...]:
    """Return a tariff by the time of UTC: cheap for up to 45 minutes, or dear for three hours."""
    now = datetime.now(UTC)
    now = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    lasts = timedelta(minutes=45) if cheap_now else timedelta(hours=3)
    begins, ends = (f"{t:%H:%M}" for t in (now, now + lasts))
    near, far = ("0.10/kWh", "0.60/kWh") if cheap_now else ("0.60/kWh", "0.10/kWh")
    return (
        "[tariff]",
        'currency = "EUR"',
        "[tariff.import]",
        f'price = "{far}"',
        "[[tariff.import.window]]",
        f'price = "{near}"',
        f'begins = "{begins}"',
        f'ends = "{ends}"',
    )


def needs() -> dict[str, tuple[str, ...]]:
    """Return what the car is to have, long after all prices have had their turn.

    Without a time, a car that is not known yet is thought to leave in the morning, and is charged
    before, whatever it costs.
    """
    by = datetime.now(UTC) + timedelta(hours=10)
    car = ('mode = "cheapest"', 'energy = "8 kWh"', f'ready_by = "{by:%H:%M}"')
    return {"ev": ("[device.car]", *car)}


HOUSE = (
    *("--fixed-load", "1600", "--pv-w", "0", "--battery-soc", "0.5"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "60", "--room-temp", "22"),
)


def scene(*, cheap_now: bool) -> Scene:
    return Scene(page_port=0, house=HOUSE, economy=tariff(cheap_now=cheap_now), tables=needs())


async def plan_of(rig: Rig) -> Plan | None:
    answer = await rig.get_page("/api/plan")
    return Plan.model_validate_json(answer) if answer else None


async def planned(rig: Rig, after: float = 0.0, device: str = "ev") -> Plan:
    """Return the first plan with a device in it made after a time, UTC epoch seconds."""
    found = await until(
        lambda: plan_of(rig),
        lambda plan: plan is not None and plan.made_at > after and device in plan.devices,
        PLAN_WITHIN_S,
        f"a plan with {device} in it",
    )
    assert found is not None
    return found


def planner_of(rig: Rig) -> psutil.Process:
    """Return the hub's planner process."""
    hub = psutil.Process(rig.stage.hub.pid)
    (found,) = (c for c in hub.children() if "hems.commands.planner" in c.cmdline())
    return found


# Its other side, what is dear now waits, stays.
@pytest.mark.deep
@pytest.mark.requirement("BUC-1", "ROLE-CEM")
async def test_what_is_cheap_now_is_stored_now(tmp_path: Path) -> None:
    async with Rig(Stage(tmp_path / "stage", scene(cheap_now=True))) as rig:
        plan = await planned(rig)
        first = plan.devices["battery"].steps[0]
        assert first.use == "charge", plan
        assert first.reason
        home = await until(
            rig.home,
            lambda h: (
                (h.tile("battery").power_w or 0) > 500 and (h.tile("ev").power_w or 0) > 1_000
            ),
            PLAN_WITHIN_S,
            "battery and car charge from the grid",
        )
        assert home.tile("battery").reason == first.reason
        assert (home.net_w or 0) > 1_600 + 2 * 1_000 - 200
        assert not home.alarms


@pytest.mark.requirement("BUC-1", "ROLE-CEM")
async def test_what_is_dear_now_waits_and_a_planner_that_dies_is_started_anew(
    tmp_path: Path,
) -> None:
    async with Rig(Stage(tmp_path / "stage", scene(cheap_now=False))) as rig:
        plan = await planned(rig)
        assert plan.devices["ev"].power_w[0] == 0, plan
        await until(
            rig.home,
            lambda h: h.tile("ev").power_w == 0 and h.net_w is not None and abs(h.net_w) < 200,
            PLAN_WITHIN_S,
            "the car waits and the battery carries the house",
        )

        killed, at = planner_of(rig), time.time()
        killed.kill()
        order = {"mode": "now"}
        assert await rig.post_page("/api/cars/ev/order", order) in {200, 204}
        await until(
            rig.home,
            lambda h: (h.tile("ev").power_w or 0) > 1_000,
            PLAN_WITHIN_S,
            "the owner's word charges the car at once, planner or not",
        )
        await planned(rig, after=at, device="battery")
        assert planner_of(rig).pid != killed.pid
        await until(rig.home, lambda h: not h.alarms, PLAN_WITHIN_S, "no alarm any more")


@pytest.mark.deep
@pytest.mark.requirement("BUC-1", "ROLE-CEM")
async def test_an_event_that_is_to_come_is_planned_on(tmp_path: Path) -> None:
    async with Rig(Stage(tmp_path / "stage", scene(cheap_now=True))) as rig:
        before = await planned(rig)
        await until(rig.home, lambda h: h.utility.state == "connected", PLAN_WITHIN_S, "connected")
        event = await rig.dispatch(limit_import_w=2_000.0, seconds=3_600, start="+1800s")
        plan = await until(
            lambda: planned(rig, after=before.made_at),
            lambda p: min(w or 1e9 for w in p.limit_import_w) == 2_000.0,
            PLAN_WITHIN_S,
            "a plan that knows of the event",
        )
        inside = [
            net_w
            for i, net_w in enumerate(plan.net_w)
            if event.start <= plan.start + i * plan.step_s < event.start + 2_700
        ]
        assert inside
        assert max(inside) <= 2_000.0 + 1.0
