"""Events over TLS: measured, answered, counted and settled, on a clock that the test sets."""

import csv
import io
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from hems.headend.modes import Edition
from hems.sep2.resources import (
    ActivePower,
    DERCapability,
    DERStatus,
    EndDeviceList,
    LoadShedAvailability,
    StateOfChargeStatusType,
    Time,
    WattHour,
)
from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.settle.homes import (
    DAY_S,
    EVENING,
    STEP_S,
    SetClock,
    measure,
    point,
    respond,
    series,
)
from tests.waiting import until

HOUR_S = 3600


async def told(operator: Operator, path: str) -> Any:
    status, answer = await operator.ask("GET", path)
    assert status == 200, answer
    return answer


async def counted(operator: Operator, path: str, clock: SetClock) -> Any:
    """Return what is told once all homes are counted as of the clock's time."""

    def good(answer: Any) -> bool:
        return bool((answer.get("total") or answer.get("delivery") or {}).get("as_of") == clock.at)

    return await until(lambda: told(operator, path), good, 60, f"{path} is counted")


async def text(operator: Operator, path: str) -> bytes:
    async with operator._session.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


def usual(start: int) -> float:
    """Return what a home takes: more each day back, so that some days are high."""
    return 2000.0 + 10.0 * (EVENING // DAY_S - start // DAY_S)


async def evenings(home: Home, place: str, event: float | None, before_w: float = 2300.0) -> None:
    """Tell what was taken on this and earlier evenings, and in the event if it is known."""
    for day in range(1, 25):
        begin = EVENING - day * DAY_S - 4 * HOUR_S
        await measure(home, place, series(usual, begin, begin + 6 * HOUR_S))
    before = series(lambda _: before_w, EVENING - 4 * HOUR_S, EVENING)
    await measure(home, place, before)
    if event is not None:
        await measure(home, place, series(lambda _: event, EVENING, EVENING + HOUR_S))


async def shed(
    home: Home, make_home: Any, operator: Operator, clock: SetClock
) -> tuple[str, Home, Home]:
    """Have a home take part, a second one leave half-way, and a third say nothing."""
    second, third = make_home("home-b"), make_home("home-c")
    await operator.enter(second)
    await operator.enter(third)
    event = await operator.event(program="Support", shed_w=1500, minutes=60)
    mrid = event["id"]
    await evenings(home, await point(home), 900.0)
    await evenings(second, await point(second), None)
    progress = await told(operator, f"/events/{mrid}/progress")
    assert (progress["homes"], progress["told"], progress["answered"]) == (3, 3, 0)
    assert progress["silent"] == sorted([home.lfdi, second.lfdi, third.lfdi])
    page = await told(operator, f"/events/{mrid}/progress?limit=2")
    assert page["next"] == page["silent"][1]
    rest = await told(operator, f"/events/{mrid}/progress?limit=2&after={page['next']}")
    assert (rest["silent"], rest["next"]) == (progress["silent"][2:], None)

    clock.at += 1
    for status in (1, 2):
        await respond(home, mrid, status, clock.at, drlc=True)
        await respond(second, mrid, status, clock.at, drlc=True)
    clock.at = EVENING + HOUR_S / 2
    await respond(second, mrid, 4, clock.at, drlc=True)
    progress = await told(operator, f"/events/{mrid}/progress")
    assert {k: v for k, v in progress["states"].items() if v} == {
        "no answer": 1,
        "taking part": 1,
        "left": 1,
    }
    assert progress["codes"] == [
        {"status": 2, "meaning": "started", "homes": 1},
        {"status": 4, "meaning": "opted out", "homes": 1},
    ]

    return mrid, second, third


async def test_a_shed_is_settled_by_like_days(
    home: Home, make_home: Any, operator: Operator, clock: SetClock
) -> None:
    mrid, second, third = await shed(home, make_home, operator, clock)
    clock.at = EVENING + HOUR_S + 10
    await respond(home, mrid, 3, clock.at, drlc=True)
    settlement = await told(operator, f"/events/{mrid}/settlement")
    assert (settlement["final"], settlement["why_not_final"]) == (
        False,
        "readings and answers may still come",
    )
    clock.at = EVENING + 3 * HOUR_S
    settlement = await told(operator, f"/events/{mrid}/settlement")
    assert settlement["final"] is True
    assert (settlement["baseline"], settlement["currency"]) == ("days", "EUR")
    rows = {each["lfdi"]: each for each in settlement["homes"]}
    row = rows[home.lfdi]
    # The last ten working evenings, of them the five with the most; 2 300 W before it, at most
    # a fifth more than the mean.
    backs = [n for n in range(1, 25) if (EVENING // DAY_S - n + 3) % 7 < 5][:10]
    high = sorted((2000 + 10 * n for n in backs), reverse=True)[:5]
    mean = sum(high) / 5
    expected = mean + min(2300 - mean, 0.2 * mean)
    assert row["baseline_w"] == pytest.approx(expected)
    assert row["measured_w"] == pytest.approx(900.0)
    assert row["delivered_wh"] == pytest.approx(expected - 900.0)
    assert row["share"] == pytest.approx((expected - 900.0) / 1500.0)
    assert row["pay"] == pytest.approx(min(expected - 900.0, 1500.0) / 1000.0 * 0.5)
    assert (row["state"], row["codes"], row["flags"]) == ("done", [1, 2, 3], [])
    assert rows[second.lfdi]["flags"] == ["nothing measured"]
    assert rows[second.lfdi]["took_part_s"] == HOUR_S / 2
    assert rows[second.lfdi]["delivered_wh"] is None
    assert rows[third.lfdi]["state"] == "no answer"
    assert rows[third.lfdi]["delivered_wh"] == 0
    total = (await counted(operator, f"/events/{mrid}/settlement", clock))["total"]
    assert (total["homes"], total["took_part"], total["measured"]) == (3, 2, 1)
    assert total["delivered_wh"] == pytest.approx(expected - 900.0)
    assert total["asked_wh"] == pytest.approx(4500.0)

    lines = (await text(operator, f"/events/{mrid}/settlement.csv")).decode()
    cells = {each["lfdi"]: each for each in csv.DictReader(io.StringIO(lines))}
    assert float(cells[home.lfdi]["delivered_wh"]) == pytest.approx(expected - 900.0, abs=0.001)
    assert cells[second.lfdi]["delivered_wh"] == ""
    table = pq.read_table(io.BytesIO(await text(operator, f"/events/{mrid}/settlement.parquet")))
    assert table["lfdi"].to_pylist() == sorted(rows)
    assert table["delivered_wh"].to_pylist() == [rows[k]["delivered_wh"] for k in sorted(rows)]
    assert table["codes"].to_pylist() == [
        " ".join(map(str, rows[k]["codes"])) for k in sorted(rows)
    ]
    progress = await counted(operator, f"/events/{mrid}/progress", clock)
    assert progress["counted"] == "ready"
    spans = progress["delivery"]["intervals"]
    assert [each["start"] for each in spans] == list(range(EVENING, EVENING + HOUR_S, STEP_S))
    assert sum(each["delivered_w"] for each in spans) / 12 == pytest.approx(expected - 900.0)
    assert [each["missing"] for each in spans] == [1] * 6 + [0] * 6


async def test_an_import_limit_is_judged_without_a_baseline(
    home: Home, operator: Operator, clock: SetClock
) -> None:
    event = await operator.event(limit_import_w=1500, minutes=30)
    await respond(home, event["id"], 1, clock.at)
    place = await point(home)

    def power(start: int) -> float | None:
        slot = (start - EVENING) // STEP_S
        return {1: 2100.0, 3: None}.get(slot, 1500.0)

    await measure(home, place, series(power, EVENING - HOUR_S, EVENING + HOUR_S))
    clock.at = EVENING + 3 * HOUR_S
    settlement = await told(operator, f"/events/{event['id']}/settlement")
    (row,) = settlement["homes"]
    assert settlement["baseline"] is None
    assert (row["delivered_wh"], row["baseline_w"], row["asked_w"]) == (None, None, None)
    assert row["over_wh"] == pytest.approx(600.0 * 300 / 3600)
    assert (row["over_s"], row["most_over_w"]) == (300, 600.0)
    assert (row["bridged_s"], row["flags"]) == (300, ["readings bridged"])
    progress = await counted(operator, f"/events/{event['id']}/progress", clock)
    assert [each["over_w"] for each in progress["delivery"]["intervals"]] == [0, 600, 0, 0, 0, 0]


async def test_who_has_no_word_for_it_is_not_asked(
    home: Home, make_home: Any, operator: Operator
) -> None:
    old = make_home("home-b")
    await operator.enter(old, Edition.Y2018)
    event = await operator.event(limit_import_w=1500, minutes=30)
    progress = await told(operator, f"/events/{event['id']}/progress")
    assert (progress["homes"], progress["told"], progress["silent"]) == (2, 1, [home.lfdi])
    assert progress["states"]["not told"] == 1
    settlement = await told(operator, f"/events/{event['id']}/settlement")
    states = {each["lfdi"]: each["state"] for each in settlement["homes"]}
    assert states == {home.lfdi: "no answer", old.lfdi: "not told"}


async def test_a_set_point_of_a_battery_is_measured_at_the_battery(
    home: Home, operator: Operator, clock: SetClock
) -> None:
    event = await operator.event(storage_target_w=3000, minutes=60)
    await respond(home, event["id"], 2, clock.at)
    site, battery = await point(home), await point(home, role=0b1001001, mark="BA")
    await measure(home, site, series(lambda _: 500.0, EVENING, EVENING + HOUR_S))
    given = series(lambda _: -2700.0, EVENING, EVENING + HOUR_S, mark="0B")
    await measure(home, battery, given)
    clock.at = EVENING + 1800
    await operator.ask("POST", f"/events/{event['id']}/cancel", {})
    clock.at = EVENING + 3 * HOUR_S
    settlement = await told(operator, f"/events/{event['id']}/settlement")
    (row,) = settlement["homes"]
    assert (settlement["baseline"], settlement["final"]) == ("flat", True)
    assert (row["asked_s"], row["asked_w"], row["delivered_w"]) == (1800, 3000, 2700)
    assert row["share"] == pytest.approx(0.9)
    assert row["delivered_wh"] == pytest.approx(1350.0)


async def test_energies_of_two_directions_are_read_as_power(
    home: Home, operator: Operator, clock: SetClock
) -> None:
    """A meter that tells kWh taken and given by the quarter-hour, and a short event after it."""
    event = await operator.event(program="Quick", shed_w=1000, minutes=15, start=EVENING + 900)
    await respond(home, event["id"], 2, clock.at, drlc=True)
    place = await point(home)

    def powers(start: int) -> float:
        return {0: 2000.0, 1: 1200.0, 2: 2400.0}[(start - EVENING) // 900]

    for mark, flow, share in (("01", 1, 1.5), ("02", 19, 0.5)):

        def energy_wh(start: int, share: float = share) -> float:
            return powers(start) * share / 4

        told_by = series(
            energy_wh, EVENING, EVENING + 2700, mark=mark, step_s=900, uom=72, flow=flow
        )
        await measure(home, place, told_by)
    clock.at = EVENING + 3 * HOUR_S
    (row,) = (await told(operator, f"/events/{event['id']}/settlement"))["homes"]
    assert row["measured_w"] == pytest.approx(1200.0)
    assert row["baseline_w"] == pytest.approx(2200.0)
    assert (row["delivered_w"], row["flags"]) == (pytest.approx(1000.0), [])


async def test_what_shows_in_no_meter_is_answered_only(
    home: Home, operator: Operator, clock: SetClock
) -> None:
    event = await operator.event(fixed_var=20, minutes=10)
    await respond(home, event["id"], 1, clock.at)
    settlement = await told(operator, f"/events/{event['id']}/settlement")
    assert (settlement["counted"], settlement["total"]) == ("not measured", None)
    assert settlement["homes"][0]["state"] == "received"
    progress = await told(operator, f"/events/{event['id']}/progress")
    assert (progress["counted"], progress["delivery"]) == ("not measured", None)


async def test_what_cannot_be_asked_is_refused(operator: Operator) -> None:
    event = (await operator.event(limit_import_w=1, minutes=1))["id"]
    for path, status in (
        ("/events/0123/progress", 404),
        ("/events/0123/settlement", 404),
        ("/events/0123/settlement.csv", 404),
        ("/events/0123/settlement.parquet", 404),
        (f"/events/{event}/progress?after=x", 400),
        (f"/events/{event}/settlement?limit=0", 400),
        ("/availability?group=nowhere", 404),
        ("/availability?from=soon", 400),
        ("/availability?from=1", 400),
        (f"/availability?from={EVENING}&to={EVENING - 1}", 400),
    ):
        code, answer = await operator.ask("GET", path)
        assert (path, code) == (path, status)
        assert answer["error"]


def watts(value: int) -> ActivePower:
    return ActivePower(multiplier=0, value=value)


async def test_what_homes_could_do_is_what_they_told(
    home: Home, make_home: Any, operator: Operator, clock: SetClock
) -> None:
    second, third = make_home("home-b"), make_home("home-c")
    await operator.enter(second)
    await operator.enter(third)
    paths = {}
    for each, soc in ((home, 5000), (second, 10_000)):
        (device,) = (await each.get("/edev", EndDeviceList)).end_device
        paths[each.lfdi] = str(device.href)
        ratings = DERCapability(
            modes_supported=0,
            rtg_max_w=watts(5000),
            rtg_max_charge_rate_w=watts(4000),
            rtg_max_discharge_rate_w=watts(5000),
            rtg_max_wh=WattHour(multiplier=0, value=10_000),
            type=82,
        )
        status = DERStatus(
            reading_time=EVENING,
            state_of_charge_status=StateOfChargeStatusType(date_time=EVENING, value=soc),
        )
        for kind, body in (("dercap", ratings), ("ders", status)):
            put = await each.ask("PUT", f"{device.href}/der/1/{kind}", body)
            assert put.status == 204, put.text
    shed = LoadShedAvailability(sheddable_percent=2500)
    assert (await home.ask("POST", f"{paths[home.lfdi]}/lsl", shed)).status == 201
    found = await told(operator, "/availability")
    assert (found["homes"], found["reached"]) == (3, 2)
    assert found["not_reached"] == {"not heard of": 1}
    assert found["shed"]["unknown"] == {"no meter reading": 1, "never told": 1}
    assert found["generate"] == {"w": 10_000, "homes": 2, "none": 0, "unknown": {}}
    assert found["absorb"] == {"w": 4000, "homes": 1, "none": 1, "unknown": {}}

    await measure(home, await point(home), series(lambda _: 2000.0, EVENING - STEP_S, EVENING))
    found = await told(operator, f"/availability?from={EVENING}&to={EVENING + 2 * HOUR_S}")
    assert (found["from"], found["to"]) == (EVENING, EVENING + 2 * HOUR_S)
    assert found["shed"] == {"w": 500, "homes": 1, "none": 0, "unknown": {"never told": 1}}
    assert found["generate"]["w"] == 2500 + 5000
    assert found["absorb"]["w"] == 2500

    event = await operator.event(limit_import_w=1500, minutes=30, start="+10m")
    assert (await told(operator, "/availability"))["reached"] == 2
    later = f"/availability?from={EVENING + 900}&to={EVENING + 1000}"
    assert (await told(operator, later))["not_reached"] == {"busy": 3}
    clock.at += 1200
    await respond(home, event["id"], 4, clock.at)
    away = (await told(operator, "/availability"))["not_reached"]
    assert away == {"busy": 2, "left an event": 1}
    clock.at += 7200
    assert (await told(operator, "/availability"))["not_reached"] == {"not heard of": 3}
    clock.at += 11  # an answer is kept for ten seconds
    await home.get("/tm", Time)
    found = await told(operator, "/availability")
    assert found["generate"]["unknown"] == {"told too long ago": 1}
