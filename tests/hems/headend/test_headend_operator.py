"""The operator's door: the token, nonsense in, homes and readings out."""

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from hems.headend.errors import SettingsError
from hems.headend.mirror_posts import MeterPost, Sample
from hems.headend.mirror_store import MirrorStore, PointPost
from hems.headend.operator_api import operator_token
from hems.headend.server import HeadEnd
from hems.headend.store import Store
from hems.sep2.resources import (
    DateTimeInterval,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorReadingSet,
    MirrorUsagePoint,
    MirrorUsagePointList,
    Reading,
    ReadingType,
)
from tests.hems.headend.conftest import PIN, Home, Operator


async def test_only_the_token_opens_the_door(head_end: HeadEnd) -> None:
    url = head_end.addresses.operator_url + "/homes"
    async with aiohttp.ClientSession() as session:
        for shown in ({}, {"Authorization": "Bearer "}, {"Authorization": head_end.token}):
            async with session.get(url, headers=shown) as answer:
                assert answer.status == 401
                assert "token" in (await answer.json())["error"]


def test_the_token_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = operator_token(path)
    assert len(token) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert operator_token(path) == token
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        operator_token(path)
    path.chmod(0o600)
    path.write_text("")
    with pytest.raises(SettingsError, match="empty"):
        operator_token(path)
    with pytest.raises(SettingsError, match="cannot be made"):
        operator_token(tmp_path / "nowhere" / "token")


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "minutes or seconds"),
        ({"minutes": 1}, "asks for nothing"),
        ({"limit_import_w": 1}, "minutes or seconds"),
        ({"limit_import_w": 1, "minutes": 1, "seconds": 1}, "minutes or seconds"),
        ({"limit_import_w": -1, "minutes": 1}, "limit_import_w"),
        ({"limit_import_w": 1e10, "minutes": 1}, "limit_import_w"),
        ({"limit_import_w": "1500", "minutes": 1}, "limit_import_w"),
        ({"limit_import_w": True, "minutes": 1}, "limit_import_w"),
        ({"limit_import_w": 1, "minutes": 0}, "duration"),
        ({"limit_import_w": 1, "minutes": -5}, "duration"),
        ({"limit_import_w": 1, "minutes": 1e9}, "duration"),
        ({"limit_import_w": 1, "minutes": 1, "start": "soon"}, "start"),
        ({"limit_import_w": 1, "minutes": 1, "start": 5}, "start"),
        ({"limit_import_w": 1, "minutes": 1, "start": 1_000_000_001}, "past"),
        ({"limit_import_w": 1, "minutes": 1, "start": 9_000_000_000}, "year"),
        ({"limit_import_w": 1, "minutes": 1, "randomize_start_s": 3601}, "randomize_start_s"),
        ({"limit_import_w": 1, "minutes": 1, "randomize_duration_s": -60}, "nothing"),
        ({"limit_import_w": 1, "minutes": 1, "program": "Moon"}, "Peak Saver"),
        ({"limit_import_w": 1, "minutes": 1, "program": "Grid Emergency"}, "drlc"),
        ({"limit_import_w": 1, "shed_w": 1, "minutes": 1}, "together"),
        ({"shed_w": 5, "reduce_energy_wh": 5, "minutes": 1}, "one event"),
        ({"shed_w": 0, "minutes": 1}, "shed_w"),
        ({"limit_import_w": 1, "minutes": 1, "colour": "red"}, "colour"),
    ],
)
async def test_nonsense_is_422_in_one_sentence(
    operator: Operator, wish: Mapping[str, object], said: str
) -> None:
    status, answer = await operator.ask("POST", "/events", wish)
    assert status == 422
    assert said in answer["error"]
    assert "\n" not in answer["error"]
    assert (await operator.ask("GET", "/events"))[1] == {"events": []}


async def test_other_refusals_are_json_too(operator: Operator) -> None:
    assert (await operator.ask("POST", "/events", b"{not json"))[0] == 400
    assert (await operator.ask("POST", "/events", b'{"limit_import_w": NaN}'))[0] == 422
    assert (await operator.ask("POST", "/events", b" " * 300_000))[0] == 413
    assert (await operator.ask("GET", "/events/0123"))[0] == 404
    assert (await operator.ask("POST", "/events/0123/cancel"))[0] == 404
    assert (await operator.ask("GET", "/moon"))[0] == 404
    assert (await operator.ask("GET", "/homes/00"))[0] == 404
    assert (await operator.ask("GET", "/readings?limit=x"))[0] == 400
    status, answer = await operator.ask("DELETE", "/events")
    assert status == 405
    assert "GET" in answer["error"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lfdi": "12"}, "40 hex digits"),
        ({"pin": "123456"}, "check digit"),
        ({"pin": 12.5}, "pin"),
        ({"edition": "2013"}, "edition"),
    ],
)
async def test_wrong_homes_are_refused(
    operator: Operator, change: Mapping[str, object], said: str
) -> None:
    status, answer = await operator.ask(
        "POST", "/homes", {"lfdi": "AB" * 20, "pin": PIN} | dict(change)
    )
    assert status == 422
    assert said in answer["error"]


async def test_a_home_is_entered_once(operator: Operator) -> None:
    wish = {"lfdi": "ab" * 20, "pin": int(PIN)}
    status, answer = await operator.ask("POST", "/homes", wish)
    assert status == 201
    assert (answer["lfdi"], answer["edition"]) == ("AB" * 20, "csip-aus")
    assert answer["last_contact"] is None
    assert (await operator.ask("POST", "/homes", wish))[0] == 409


def meter(mrid: str, *values: int, start: int = 1_800_000_000) -> MirrorMeterReading:
    readings = tuple(
        Reading(value=value, time_period=DateTimeInterval(start=start + 10 * i, duration=10))
        for i, value in enumerate(values)
    )
    group = MirrorReadingSet(
        mrid="CD" * 16,
        time_period=DateTimeInterval(start=start, duration=10 * len(values)),
        reading=readings,
    )
    kind = ReadingType(uom=38, flow_direction=1, power_of_ten_multiplier=-1)
    return MirrorMeterReading(
        mrid=mrid, description="import", mirror_reading_set=(group,), reading_type=kind
    )


@pytest.mark.requirement("BUC-13")
async def test_mirrored_readings_reach_the_operator(
    home: Home, other: Home, operator: Operator
) -> None:
    point = MirrorUsagePoint(
        mrid="AB" * 16, description="meter", role_flags=3, service_category_kind=0, status=1,
        device_lfdi=home.lfdi, mirror_meter_reading=(meter("01" * 16, 60000, 15000),),
    )  # fmt: skip
    answer = await home.ask("POST", "/mup", point)
    assert answer.status == 201
    again = await home.ask("POST", "/mup", point)
    assert (again.status, again.location) == (204, answer.location)
    points = await home.get("/mup?l=5", MirrorUsagePointList)
    assert [p.post_rate for p in points.mirror_usage_point] == [10]
    assert (await other.get("/mup?l=5", MirrorUsagePointList)).all == 0

    # A lone reading whose type was told before; then a list.
    lone = MirrorMeterReading(
        mrid="01" * 16,
        reading=Reading(value=14990, time_period=DateTimeInterval(start=1_800_000_020, duration=0)),
    )
    assert (await home.ask("POST", answer.location, lone)).status == 204
    fresh = meter("02" * 16, 5, start=1_800_000_030)
    assert (await home.ask("POST", answer.location, fresh)).status == 201
    both = MirrorMeterReadingList(all=1, results=1, mirror_meter_reading=(fresh,))
    assert (await home.ask("POST", answer.location, both)).status == 204
    assert (await home.ask("POST", answer.location, point)).status == 400

    _, body = await operator.ask("GET", f"/homes/{home.lfdi}/readings")
    assert [(r["start"] - 1_800_000_000, r["value"]) for r in body["readings"]] == [
        (30, pytest.approx(0.5)),
        (20, pytest.approx(1499.0)),
        (10, pytest.approx(1500.0)),
        (0, pytest.approx(6000.0)),
    ]
    assert {(r["uom"], r["flow"], r["role"]) for r in body["readings"]} == {(38, 1, "0003")}
    _, all_homes = await operator.ask("GET", "/readings?since=1800000010&limit=2")
    assert [r["value"] for r in all_homes["readings"]] == [0.5, pytest.approx(1499.0)]
    _, seen = await operator.ask("GET", f"/homes/{home.lfdi}")
    assert [r["value"] for r in seen["readings"]] == [pytest.approx(1499.0), 0.5]

    assert (await home.ask("DELETE", answer.location)).status == 204
    _, body = await operator.ask("GET", "/readings")
    assert body == {"readings": []}


async def test_a_reading_from_the_far_future_is_not_the_latest_for_ever(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "headend.db")
    mirrors = MirrorStore(store)
    samples = [Sample(at, 0, "", 5) for at in (100, 5000, 2**62)]
    post = MeterPost("01" * 16, "import", 38, 1, 0, samples)
    await mirrors.save_point(PointPost("AB" * 20, "CD" * 16, "0003", b""), [post])
    assert [r.start for r in await mirrors.latest()] == [2**62]
    await mirrors.prune(1000, 9000, 1000)
    assert [r.start for r in await mirrors.readings()] == [5000]
    await store.close()
