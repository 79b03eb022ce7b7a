"""The benchmark itself: its reader, its battery, its bounds, and that it cannot see the future."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.planner.problem import Battery
from tests.benchmarks import homes, plan_value

DAYS = 6


def described(**changed: object) -> str:
    """Return what homes.json says of one home."""
    battery = {"capacity": 6.0, "nominal_power": 4.0, "efficiency": 0.81, **changed}
    return json.dumps({"one": {"pv_kwp": 4.0, "battery": battery}})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with one home: a peak each evening, sun each noon. Its first row is 31 July."""
    (tmp_path / "homes.json").write_text(described(), encoding="utf-8")
    rows = ["month,hour,day_type,load_kwh,pv_w_per_kwp", "7,24,7,0.4,0"]
    prices = ["price_usd_per_kwh", "0.2"]
    for day in range(DAYS):
        for hour in range(1, 25):
            load = 2.0 + 0.1 * day if hour in {18, 19, 20} else 0.4
            sun = 500.0 if 10 <= hour <= 14 else 0.0
            rows.append(f"8,{hour},{8 if day == 2 else day % 7 + 1},{load},{sun}")
            prices.append("0.5" if 17 <= hour <= 21 else "0.2")
    (tmp_path / "one.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "grid.csv").write_text("\n".join(prices), encoding="utf-8")
    return tmp_path


def test_a_home_is_read_with_its_calendar_and_its_battery(directory: Path) -> None:
    assert list(homes.described(directory)) == ["one"]
    home = homes.read(directory, "one")
    start = datetime.fromtimestamp(home.slots.start, UTC)
    assert (start.month, start.day, start.hour, start.isoweekday()) == (7, 31, 23, 7)
    assert home.slots.count == len(home.load_w) == 24 * DAYS + 1
    assert home.load_w[1] == 400.0
    assert home.sun_w.min() == -2000.0
    assert home.battery.charge_efficiency * home.battery.discharge_efficiency == pytest.approx(0.81)
    assert home.holidays == {datetime(start.year, 8, 3, tzinfo=UTC).toordinal()}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("homes.json", None, "no homes in"),
        ("homes.json", "{", "is no JSON"),
        ("homes.json", '{"one": {"pv_kwp": 4.0}}', "a home without 'battery'"),
        ("homes.json", "{}", "no homes in"),
        ("homes.json", "[1]", "does not describe homes"),
        ("homes.json", '{"one": 5}', "does not describe homes"),
        ("homes.json", described(efficiency=0.0), "an efficiency of 0"),
        ("homes.json", described(efficiency=90.0), "an efficiency of 90"),
        ("homes.json", described(capacity=-5.0), "a figure below 0"),
        ("homes.json", described(capacity="big"), "does not describe homes"),
        ("one.csv", "month,hour,day_type,load_kwh,pv_w_per_kwp\n", "has no rows"),
        ("one.csv", "month,hour,day_type,load_kwh,pv_w_per_kwp\n8,1,1\n", "line 2"),
        ("grid.csv", "price_usd_per_kwh\n0.2\nnan\n", "line 3: nan is no number"),
        ("one.csv", None, "cannot read"),
        ("grid.csv", "price_usd_per_kwh\n0.2\n", "145 hours, grid.csv has 1"),
        ("grid.csv", "price\n0.2\n", "no column 'price_usd_per_kwh'"),
        ("grid.csv", "price_usd_per_kwh\ndear\n", "could not convert"),
        ("one.csv", "month,hour,day_type,load_kwh,pv_w_per_kwp\n8,1,1,0,0\n", "grid.csv has 145"),
    ],
)
def test_what_is_wrong_with_the_files_is_said(
    directory: Path, file: str, content: str | None, message: str
) -> None:
    if content is None:
        (directory / file).unlink()
    else:
        (directory / file).write_text(content, encoding="utf-8")

    def read() -> None:
        for name in homes.described(directory):
            homes.read(directory, name)

    with pytest.raises(SystemExit, match=message):
        read()


def test_an_unknown_home_is_named_with_those_that_are_there(directory: Path) -> None:
    with pytest.raises(SystemExit, match=r"no home two in .*; there are one"):
        homes.read(directory, "two")


@given(st.floats(0.0, 6000.0), st.floats(-9000.0, 9000.0))
def test_the_battery_keeps_to_its_bounds_whatever_it_is_asked_for(
    energy_wh: float, power_w: float
) -> None:
    battery = Battery("b", 0.0, 0.0, 6000.0, 4000.0, 4000.0, 0.9, 0.9)
    power, after = plan_value.moved(battery, energy_wh, power_w)
    assert -1e-6 <= after <= 6000.0 + 1e-6
    assert abs(power) <= min(4000.0, abs(power_w)) + 1e-6
    assert after - energy_wh == pytest.approx(power * 0.9 if power > 0 else power / 0.9, abs=1e-6)


def test_nothing_is_better_than_perfect_and_the_planner_beats_greed(directory: Path) -> None:
    one = plan_value.measured(directory, "one")
    assert one.perfect <= one.ours < one.greedy < one.bare
    assert 0.0 < one.share <= 1.0


def test_what_is_decided_does_not_depend_on_what_is_to_come(directory: Path) -> None:
    home = homes.read(directory, "one")
    hour = 100
    load_w, sun_w = home.load_w.copy(), home.sun_w.copy()
    load_w[hour + 1 :] = 9000.0
    sun_w[hour + 1 :] = -7000.0
    price = home.price_per_kwh.copy()
    price[hour + plan_value.AHEAD_H :] = 3.0
    other = replace(home, load_w=load_w, sun_w=sun_w, price_per_kwh=price)
    for energy_wh in np.linspace(0.0, 6000.0, 7):
        decided = plan_value.decided(home, hour, float(energy_wh))
        assert plan_value.decided(other, hour, float(energy_wh)) == decided


@pytest.mark.parametrize(
    ("changed", "share"),
    [({"capacity": 0.0}, 1.0), ({"nominal_power": 0.0}, 1.0)],
)
def test_a_home_in_which_nothing_can_be_earned_is_measured_all_the_same(
    directory: Path, changed: dict[str, object], share: float
) -> None:
    (directory / "homes.json").write_text(described(**changed), encoding="utf-8")
    one = plan_value.measured(directory, "one")
    assert one.ours == one.greedy == one.bare
    assert one.share == share


def test_without_load_or_with_prices_below_zero_there_are_figures(directory: Path) -> None:
    home = homes.read(directory, "one")
    price = home.price_per_kwh.copy()
    price[50:60] = -0.1
    below = replace(home, price_per_kwh=price)
    assert plan_value.perfect(below) <= plan_value.ours(below)
    idle = plan_value.Measured(0.0, 0.0, 0.0, 0.0, 1.0, 100)
    assert plan_value.figures({"idle": idle})["mean_share"] == 1.0


def test_who_loses_where_nothing_can_be_earned_has_no_share() -> None:
    assert plan_value.Measured(100.0, 90.0, 90.0, 91.0, 1.0, 100).share == 0.0
