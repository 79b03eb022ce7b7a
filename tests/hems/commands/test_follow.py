"""What a changed devices file means for the running home."""

import asyncio
from pathlib import Path

import pytest

from der.errors import PermanentError
from hems.alarms import Alarms
from hems.clock import SystemClock
from hems.commands.follow import Follower, beside_the_home, leaving, mark, marks
from hems.home import Home
from hems.settings import settings_file
from hems.settings.config import Config, load
from hems.settings.devices_file import Table, write

METER: Table = {"id": "m", "kind": "meter", "name": "M", "driver": "sunspec", "port": 1}
PV: Table = {**METER, "id": "pv", "kind": "pv", "min": "-1 kW"}


def config(folder: Path, *devices: Table) -> Config:
    path = folder / "hems.toml"
    path.touch()
    write(folder / "devices.toml", devices)
    return load(path)


class Makes:
    """Stands where a home is made; only what it is made of matters here."""

    def __init__(self) -> None:
        self.made: list[Config] = []
        self.refuses = ""

    def __call__(self, made: Config) -> Home:
        if self.refuses:
            raise PermanentError(self.refuses)
        self.made.append(made)
        return Home.__new__(Home)


async def next_of(
    folder: Path, present: Config, make: Makes, alarms: Alarms, within_s: float = 20.0
) -> Config:
    follower = Follower(folder / "hems.toml", make, marks(folder / "hems.toml", present))
    following = asyncio.create_task(follower.next(present, alarms))
    await asyncio.sleep(0)
    try:
        write(folder / "devices.toml", [METER, PV])
        async with asyncio.timeout(within_s):
            return (await following)[0]
    finally:
        following.cancel()


async def test_a_change_is_taken_but_for_what_the_program_stands_on(tmp_path: Path) -> None:
    present = config(tmp_path, METER)
    text = '[home]\nname = "Renamed"\n[web]\nport = 9999\n[store]\npath = "other.db"\n'
    (tmp_path / "hems.toml").write_text(text)
    make, alarms = Makes(), Alarms(SystemClock(), lambda: None)
    after = await next_of(tmp_path, present, make, alarms)
    assert [device.id for device in after.device] == ["m", "pv"]
    assert after.home.name == "Renamed"
    assert (after.web, after.store) == (present.web, present.store)
    assert make.made == [after]
    assert alarms.messages == (
        "A change of [web], [store], [agent] or home.devices holds from the next start.",
    )


async def test_what_the_page_sets_is_followed(tmp_path: Path) -> None:
    present = config(tmp_path, METER, PV)
    follower = Follower(tmp_path / "hems.toml", Makes(), marks(tmp_path / "hems.toml", present))
    alarms = Alarms(SystemClock(), lambda: None)
    following = asyncio.create_task(follower.next(present, alarms))
    await asyncio.sleep(0)
    settings_file.write(tmp_path / "settings.toml", {"home": {"phases": 3}}, 0.0)
    async with asyncio.timeout(20.0):
        after, _ = await following
    assert after.home.phases == 3
    assert beside_the_home(after) == beside_the_home(present)


def test_the_page_is_served_anew_where_its_days_begin_otherwise(tmp_path: Path) -> None:
    before = config(tmp_path, METER)
    (tmp_path / "hems.toml").write_text('[home]\ntime_zone = "Europe/Paris"\n')
    assert beside_the_home(load(tmp_path / "hems.toml")) != beside_the_home(before)


async def test_what_no_home_can_be_made_of_is_one_alarm(tmp_path: Path) -> None:
    present = config(tmp_path, METER)
    make, alarms = Makes(), Alarms(SystemClock(), lambda: None)
    make.refuses = "pv: cannot be"
    with pytest.raises(TimeoutError):
        await next_of(tmp_path, present, make, alarms, within_s=2.5)
    assert alarms.messages == ("The change of devices is not taken: pv: cannot be",)


@pytest.mark.parametrize(
    ("after", "gone"),
    [
        ((METER, PV), set()),
        ((METER, {**PV, "name": "Roof", "essentiality": 9}), set()),
        ((METER,), {"pv"}),
        ((METER, {**PV, "port": 2}), {"pv"}),
        ((METER, {**PV, "host": "192.168.1.3"}), {"pv"}),
        ((), {"m", "pv"}),
    ],
)
def test_who_leaves_is_given_back(tmp_path: Path, after: tuple[Table, ...], gone: set[str]) -> None:
    assert leaving(config(tmp_path, METER, PV), config(tmp_path, *after)) == gone


def test_the_mark_of_a_file_changes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert mark(path) is None
    path.write_text("a")
    first = mark(path)
    assert first == mark(path) is not None
    other = tmp_path / "y"
    other.write_text("b")
    other.replace(path)
    assert mark(path) != first
