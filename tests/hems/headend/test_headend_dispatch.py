"""Dispatch, cancel, supersession and responses, from the operator's door to the home."""

import time

import pytest

from hems.clock import SystemClock
from hems.headend import operator_view
from hems.headend.books import Books
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.store import Store
from hems.sep2.resources import (
    DERControl,
    DERControlList,
    DERControlResponse,
    DrResponse,
    EndDeviceControlList,
    ResponseList,
)
from tests.hems.headend.conftest import Home, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5")


async def controls(home: Home, query: str = "?l=50", program: int = 1) -> list[DERControl]:
    return list((await home.get(f"/derp/{program}/derc{query}", DERControlList)).der_control)


async def statuses(home: Home) -> dict[str, int]:
    return {c.mrid: c.event_status.current_status for c in await controls(home)}


async def test_an_event_is_on_the_wire_as_ordered(home: Home, operator: Operator) -> None:
    before = time.time()
    event = await operator.event(
        limit_import_w=1500, minutes=10, randomize_start_s=-30, randomize_duration_s=60
    )
    assert before <= event["accepted_at"] <= time.time()
    assert event["program"] == "Peak Saver"
    (control,) = await controls(home)
    assert control.mrid == event["id"]
    assert control.interval.start == event["start"] == int(event["accepted_at"])
    assert control.interval.duration == 600
    assert (control.randomize_start, control.randomize_duration) == (-30, 60)
    assert control.response_required == 7
    assert control.event_status.current_status == 1
    assert control.mrid.endswith(f"{40732:08X}")
    href = control.href
    assert href is not None
    assert await home.get(href, DERControl) == control


async def test_lists_come_in_order_and_in_parts(home: Home, operator: Operator) -> None:
    ids = [
        (await operator.event(limit_import_w=1, seconds=60, start=start))["id"]
        for start in ("+3h", "+1h", "+2h")
    ]
    now = int(time.time())
    same = [
        (await operator.event(limit_import_w=1, seconds=60, start=now + 7200 + 3600 * 2))["id"]
        for _ in range(2)
    ]
    order = [ids[1], ids[2], ids[0], same[1], same[0]]
    assert [c.mrid for c in await controls(home)] == order
    assert [c.mrid for c in await controls(home, "")] == order[:1]
    assert [c.mrid for c in await controls(home, "?s=1&l=2")] == order[1:3]
    assert await controls(home, "?s=9&l=2") == []
    assert await controls(home, "?l=0") == []
    after = await controls(home, f"?l=9&a={now + 2 * 3600 + 1800}")
    assert [c.mrid for c in after] == order[2:]
    part = await home.get("/derp/1/derc?s=1&l=2", DERControlList)
    assert (part.all, part.results) == (5, 2)


async def test_a_list_that_the_home_has_is_not_sent_again(home: Home, operator: Operator) -> None:
    await operator.event(limit_import_w=1, minutes=10)
    first = await home.ask("GET", "/derp/1/derc?l=9")
    tag = first.headers["ETag"]
    again = await home.ask("GET", "/derp/1/derc?l=9", None, **{"If-None-Match": tag})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    await operator.event(limit_import_w=2, minutes=10, start="+1h")
    changed = await home.ask("GET", "/derp/1/derc?l=9", None, **{"If-None-Match": tag})
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


async def test_cancel_and_randomised_cancel(home: Home, operator: Operator) -> None:
    plain = await operator.event(limit_import_w=1, minutes=10, randomize_start_s=10)
    drawn = await operator.event(limit_export_w=1, minutes=10, randomize_duration_s=10)
    status, answer = await operator.ask("POST", f"/events/{plain['id']}/cancel")
    assert (status, answer["state"]) == (200, "cancelled")
    status, answer = await operator.ask(
        "POST", f"/events/{drawn['id']}/cancel", {"randomize": True}
    )
    assert (status, answer["state"]) == (200, "cancelled randomized")
    assert await statuses(home) == {plain["id"]: 2, drawn["id"]: 3}
    status, answer = await operator.ask("POST", f"/events/{plain['id']}/cancel")
    assert status == 409
    assert "already" in answer["error"]


async def test_a_newer_event_takes_its_modes_over(
    home: Home, other: Home, operator: Operator
) -> None:
    both = await operator.event(limit_import_w=1, limit_export_w=1, minutes=10)
    imports = await operator.event(limit_import_w=2, minutes=5)
    assert await statuses(home) == {both["id"]: 1, imports["id"]: 1}
    shown = {c.mrid: c.event_status for c in await controls(home)}
    assert shown[both["id"]].potentially_superseded
    assert shown[both["id"]].potentially_superseded_time is not None
    assert not shown[imports["id"]].potentially_superseded

    exports = await operator.event(limit_export_w=2, minutes=5)
    assert await statuses(home) == {both["id"]: 4, imports["id"]: 1, exports["id"]: 1}
    # A server of 2023 never says superseded: its clients find out by themselves.
    assert set((await statuses(other)).values()) == {1}
    _, answer = await operator.ask("GET", f"/events/{both['id']}")
    assert answer["state"] == "superseded"


async def test_what_an_edition_cannot_say_is_not_half_said(
    home: Home, other: Home, operator: Operator
) -> None:
    event = await operator.event(limit_import_w=1500, limit_generation_w=100, minutes=5)
    assert len(await controls(home)) == 1
    assert await controls(other) == []
    told = {side["lfdi"]: side["told"] for side in event["homes"]}
    assert told == {home.lfdi: True, other.lfdi: False}


@pytest.mark.parametrize(
    ("wish", "reduction", "program"),
    [
        ({"shed_w": 2000}, (2, 2000), 2),
        ({"shed_w": 65535}, (2, 65535), 2),
        ({"shed_w": 250000}, (1, 250), 2),
        ({"reduce_energy_wh": 3000}, (0, 3), 3),
        ({"reduce_energy_wh": 500}, (7, 1706), 3),
        ({"shed_w": 2000, "program": "energy support"}, (2, 2000), 3),
    ],
)
async def test_reductions_go_out_in_the_closest_unit(
    home: Home,
    operator: Operator,
    wish: dict[str, object],
    reduction: tuple[int, int],
    program: int,
) -> None:
    await operator.event(minutes=10, **wish)
    (control,) = (await home.get(f"/drp/{program}/edc", EndDeviceControlList)).end_device_control
    assert control.target_reduction is not None
    assert (control.target_reduction.type, control.target_reduction.value) == reduction
    assert control.device_category & 1 << 14
    assert control.dr_program_mandatory is (program == 2)


async def test_an_answer_about_an_event_names_some_homes_and_counts_all(
    home: Home, other: Home, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_view, "MOST_HOMES", 1)
    event = await operator.event(limit_import_w=1500, minutes=10)
    _, seen = await operator.ask("GET", f"/events/{event['id']}")
    for told in (event, seen):
        assert told["reached"] == 2
        assert [each["lfdi"] for each in told["homes"]] == [home.lfdi]
    assert other.lfdi != home.lfdi


async def test_responses_are_kept_once(home: Home, other: Home, operator: Operator) -> None:
    event = await operator.event(limit_import_w=1500, minutes=10)
    (control,) = await controls(home)
    assert control.reply_to is not None
    received = DERControlResponse(
        created_date_time=1_800_000_000, end_device_lfdi=home.lfdi, status=1, subject=event["id"]
    )
    first = await home.ask("POST", control.reply_to, received)
    again = await home.ask("POST", control.reply_to, received)
    assert (first.status, again.status) == (201, 201)
    assert first.location == again.location
    started = DERControlResponse(
        created_date_time=1_800_000_001, end_device_lfdi=home.lfdi, status=2, subject=event["id"]
    )
    assert (await home.ask("POST", control.reply_to, started)).location != first.location

    kept = await home.get(first.location, DERControlResponse)
    assert (kept.status, kept.subject) == (1, event["id"])
    mine = await home.get(control.reply_to + "?l=10", ResponseList)
    assert [item.status for item in mine.response] == [1, 2]
    assert (await other.get(control.reply_to + "?l=10", ResponseList)).all == 0

    _, answer = await operator.ask("GET", f"/events/{event['id']}")
    sides = {side["lfdi"]: side for side in answer["homes"]}
    assert [r["status"] for r in sides[home.lfdi]["responses"]] == [1, 2]
    assert sides[home.lfdi]["status"] == "started"
    assert sides[other.lfdi]["status"] == "no answer"


async def test_responses_by_mode_are_told_apart(other: Home, operator: Operator) -> None:
    event = await operator.event(limit_import_w=1, limit_export_w=1, minutes=10)
    for modes in (1, 2, 1):
        answer = DERControlResponse(
            created_date_time=1, end_device_lfdi=other.lfdi, status=7, subject=event["id"],
            modes_responded=modes,
        )  # fmt: skip
        assert (await other.ask("POST", "/rsps/1/r", answer)).status == 201
    assert (await other.get("/rsps/1/r?l=9", ResponseList)).all == 2


async def test_responses_to_nothing_are_refused(home: Home, operator: Operator) -> None:
    event = await operator.event(shed_w=1000, minutes=10)
    unknown = DrResponse(end_device_lfdi=home.lfdi, status=1, subject="AB" * 16)
    answer = await home.ask("POST", "/rsps/1/r", unknown)
    assert answer.status == 400
    assert "subject" in answer.text
    mute = DrResponse(end_device_lfdi=home.lfdi, subject=event["id"])
    assert (await home.ask("POST", "/rsps/1/r", mute)).status == 400
    good = DrResponse(end_device_lfdi=home.lfdi, status=4, subject=event["id"])
    assert (await home.ask("POST", "/rsps/1/r", good)).status == 201


async def test_events_survive_a_restart_with_their_states(
    head_end: HeadEnd, operator: Operator, settings: HeadEndSettings
) -> None:
    old = await operator.event(limit_import_w=1, minutes=10)
    new = await operator.event(limit_import_w=2, minutes=10)
    gone = await operator.event(limit_export_w=2, minutes=10)
    await operator.ask("POST", f"/events/{gone['id']}/cancel")
    again = await Store.open(settings.database)
    loaded = Books.of(again, settings, SystemClock()).book
    await again.load()
    states = {e.mrid: loaded.state(e).status.name for e in loaded.events}
    assert states == {old["id"]: "SUPERSEDED", new["id"]: "ACTIVE", gone["id"]: "CANCELLED"}
    before, after = (
        book.shown(book.programs[1], Edition.CSIP_AUS) for book in (head_end.book, loaded)
    )
    assert [e.mrid for e, _ in after] == [e.mrid for e, _ in before]
    assert gone["id"] in {e.mrid for e, _ in after}
    await again.close()
