"""A device joins: written down, moved, and kept only once its owner says so."""

import asyncio
from pathlib import Path

import pytest

from hems.access.rights import HERE
from hems.clock import SystemClock
from hems.device_surface import MoveOutcome
from hems.settings.config import load
from hems.settings.devices_file import locked, tables, write
from hems.setup.admission import Admission
from hems.setup.device_setup import DeviceSetup
from hems.setup.found_surface import BusyError, Joining, JoinState, JoinView, RefusedError
from hems.surface import SurfaceError
from tests.hems.setup.following import CAR, FollowingHome
from tests.waiting import until

pytestmark = [pytest.mark.requirement("LC-COMMISSION"), pytest.mark.timeout(60)]


@pytest.fixture
def home(tmp_path: Path) -> FollowingHome:
    path = tmp_path / "hems.toml"
    path.write_text("[home]\nphases = 3\n", encoding="utf-8")
    return FollowingHome(path)


@pytest.fixture
def admission(home: FollowingHome) -> Admission:
    return Admission(home.path, home)


def ids(home: FollowingHome) -> list[str]:
    return [section.id for section in load(home.path).device]


async def reached(admission: Admission, state: JoinState) -> JoinView:
    async def view() -> JoinView:
        return admission.view

    return await until(view, lambda now: now.state is state, 15.0, f"it is {state}")


async def test_it_stays_once_that_is_said(home: FollowingHome, admission: Admission) -> None:
    assert admission.join(CAR).state is JoinState.DRAFTING
    asking = await reached(admission, JoinState.ASKING)
    assert asking.outcome == home.outcome
    assert asking.detail is not None
    assert (asking.device, asking.doing, home.moves) == ("wallbox", "take 1 kW", ["wallbox"])
    with pytest.raises(BusyError, match="Wallbox is being added"):
        admission.join(CAR)
    assert (await admission.confirm(HERE)).state is JoinState.ADDED
    (section,) = load(home.path).device
    assert section.connected_to == ("B",), "where the meter saw it"
    with pytest.raises(RefusedError):
        await admission.confirm(HERE)


async def test_a_second_of_its_name_gets_an_id_of_its_own(
    home: FollowingHome, admission: Admission
) -> None:
    admission.join(CAR)
    await reached(admission, JoinState.ASKING)
    await admission.confirm(HERE)
    admission.join(Joining("Wallbox", given={**CAR.given, "station": "yard"}))
    await reached(admission, JoinState.ASKING)
    await admission.confirm(HERE)
    assert ids(home) == ["wallbox", "wallbox_2"]


async def test_what_no_hub_would_start_with_is_never_written(
    home: FollowingHome, admission: Admission
) -> None:
    wrong = {"kind": "pv", "driver": "modbus", "map": "victron-ess", "host": "127.0.0.1"}
    admission.join(Joining("Roof", given={**wrong, "min": "-4 kW"}))
    refused = await reached(admission, JoinState.REFUSED)
    assert refused.error == "roof: victron-ess describes a battery, not a pv"
    assert not load(home.path).home.devices.exists()


async def test_it_leaves_no_trace_where_nobody_wants_it(
    home: FollowingHome, admission: Admission
) -> None:
    admission.join(CAR)
    await reached(admission, JoinState.ASKING)
    assert ids(home) == ["wallbox"], "the home has taken it up"
    assert (await admission.drop()).state is JoinState.LEFT
    assert ids(home) == []
    assert (await admission.drop()).state is JoinState.LEFT, "once more changes nothing"


async def test_it_leaves_where_nobody_says_anything(home: FollowingHome) -> None:
    admission = Admission(home.path, home, asked_s=0.05)
    admission.join(CAR)
    await reached(admission, JoinState.LEFT)
    await until_gone(home)


async def until_gone(home: FollowingHome) -> None:
    async def there() -> list[str]:
        return ids(home)

    await until(there, lambda found: not found, 10.0, "it is taken out again")


async def test_it_is_given_back_where_its_move_is_broken_off(
    home: FollowingHome, admission: Admission
) -> None:
    home.stays_in_test = True
    admission.join(CAR)
    await reached(admission, JoinState.MOVING)
    await until_moved(home)
    await admission.drop()
    assert home.given_back == 1
    assert ids(home) == []


async def until_moved(home: FollowingHome) -> None:
    async def moves() -> int:
        return len(home.moves)

    await until(moves, bool, 10.0, "it moves")


async def test_one_that_failed_is_shown_and_stays_only_if_told_to(
    home: FollowingHome, admission: Admission
) -> None:
    home.outcome = MoveOutcome(passed=False, moved=False, findings=("It did not move.",))
    admission.join(CAR)
    asking = await reached(admission, JoinState.ASKING)
    assert asking.outcome is not None
    assert not asking.outcome.passed
    await admission.drop()
    assert ids(home) == []


async def test_the_hub_s_refusal_is_told_and_nothing_stays(
    home: FollowingHome, admission: Admission
) -> None:
    home.refuses = SurfaceError("a grid event is running")
    admission.join(CAR)
    refused = await reached(admission, JoinState.REFUSED)
    assert refused.error == "a grid event is running"
    await until_gone(home)


@pytest.mark.parametrize(
    ("joining", "said", "lacking"),
    [
        (Joining("Wallbox"), "Wallbox: its kind is not known.", "kind"),
        (
            Joining("Roof", given={"kind": "pv", "driver": "sunspec", "min": "-4 kW"}),
            "Roof: its host is not known.",
            "host",
        ),
        (Joining("9", given=CAR.given), "'9' has no letter for an id; give it another name.", ""),
        (Joining("Wallbox", 3), "nothing was scanned yet: run `hems device scan` first", ""),
        (
            Joining("Wallbox", given={**CAR.given, "max": "0 W"}),
            "Wallbox: an evse needs a range of power: min, max or both",
            "",
        ),
    ],
)
async def test_what_cannot_be_added_is_said(
    home: FollowingHome, admission: Admission, joining: Joining, said: str, lacking: str
) -> None:
    admission.join(joining)
    refused = await reached(admission, JoinState.REFUSED)
    assert (refused.error, refused.lacking) == (said, lacking)
    assert ids(home) == []
    assert not home.moves


async def test_a_file_that_another_command_changes_is_left_alone(
    home: FollowingHome, admission: Admission
) -> None:
    with locked(load(home.path).home.devices):
        admission.join(CAR)
        refused = await reached(admission, JoinState.REFUSED)
    assert refused.error is not None
    assert "another command is changing it" in refused.error


async def test_removing_what_is_being_added_gives_it_up(home: FollowingHome) -> None:
    setup = DeviceSetup(home.path, home, lambda: None, SystemClock())
    setup.join(CAR)
    while setup.joining().state is not JoinState.ASKING:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    await setup.remove("wallbox")
    assert setup.joining().state is JoinState.LEFT
    assert ids(home) == []


async def test_a_stopped_hub_leaves_only_what_was_agreed_to(home: FollowingHome) -> None:
    devices = load(home.path).home.devices
    write(devices, [{"id": "kept", "name": "Kept", **CAR.given, "station": "yard"}])
    admission = Admission(home.path, home)
    admission.join(CAR)
    await reached(admission, JoinState.ASKING)
    assert len(tables(devices)) == 2
    await admission.drop()  # as `DeviceSetup.close` does
    assert ids(home) == ["kept"]
