"""What a changed devices file means for the running home."""

import asyncio
from pathlib import Path

import pytest

from certs.errors import CertificateError
from der.errors import PermanentError
from hems.alarms import Alarms
from hems.clock import SystemClock
from hems.commands.beside import proved
from hems.commands.follow import (
    Follower,
    beside_the_home,
    leaving,
    mark,
    marks,
    taken,
    waiting,
)
from hems.home import Home
from hems.settings import settings_file
from hems.settings.config import Config, load
from hems.settings.devices_file import Table, write
from hems.settings.toml_file import ConfigError

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
        home = Home.__new__(Home)
        home.alarms = Alarms(SystemClock(), lambda: None)
        return home


async def next_of(
    folder: Path, present: Config, make: Makes, alarms: Alarms, within_s: float = 20.0
) -> tuple[Config, Home]:
    follower = Follower(folder / "hems.toml", make, marks(folder / "hems.toml", present))
    following = asyncio.create_task(follower.next(present, alarms))
    await asyncio.sleep(0)
    try:
        write(folder / "devices.toml", [METER, PV])
        async with asyncio.timeout(within_s):
            return await following
    finally:
        following.cancel()


async def test_a_change_is_taken_but_for_what_the_program_stands_on(tmp_path: Path) -> None:
    present = config(tmp_path, METER)
    text = '[home]\nname = "Renamed"\n[web]\nport = 9999\n[store]\npath = "other.db"\n'
    (tmp_path / "hems.toml").write_text(text)
    make, alarms = Makes(), Alarms(SystemClock(), lambda: None)
    after, home = await next_of(tmp_path, present, make, alarms)
    assert [device.id for device in after.device] == ["m", "pv"]
    assert after.home.name == "Renamed"
    assert (after.web, after.store) == (present.web, present.store)
    assert make.made == [after]
    assert home.alarms.messages == ("This holds from the next start: web.port, store.path.",)


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
        ((METER, {**PV, "transport": "rtu-over-tcp"}), {"pv"}),
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


class Asked:
    """A follower that is asked to look now, and what it says."""

    def __init__(self, folder: Path, present: Config) -> None:
        self.said: list[str] = []
        self.read: list[Config] = []
        self.news = asyncio.Event()
        self.make = Makes()
        self.alarms = Alarms(SystemClock(), lambda: None)
        path = folder / "hems.toml"
        self.follower = Follower(
            path, self.make, marks(path, present), read=self.read.append, looked=self._looked
        )
        self.following = asyncio.create_task(self.follower.next(present, self.alarms))

    def _looked(self, text: str) -> None:
        self.said.append(text)
        self.news.set()

    async def ask(self) -> str:
        """Ask, and return what came of it."""
        self.news.clear()
        self.follower.ask()
        async with asyncio.timeout(20.0):
            await self.news.wait()
        return self.said[-1]


async def test_who_asks_is_told_what_came_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    present = config(tmp_path, METER)
    asked = Asked(tmp_path, present)
    try:
        assert await asked.ask() == "the configuration is as it was"
        assert not asked.alarms.messages

        (tmp_path / "hems.toml").write_text('[home]\nphases = 2\nname = ""\n')
        said = await asked.ask()
        assert said.startswith("the home goes on as it was: ")
        assert "home.name" in said
        (shown,) = asked.alarms.messages
        assert shown.startswith("The change of settings is not taken: ")
        assert len([line for line in caplog.messages if "home.name" in line]) == 1
        assert len([line for line in caplog.messages if "home.phases" in line]) == 1
        assert await asked.ask() == said, "whoever asks again is told why again"

        (tmp_path / "hems.toml").write_text('[logging]\nlevel = "debug"\n')
        assert await asked.ask() == "the configuration is as it was"
        assert asked.read[-1].logging.level == "debug"
        assert not asked.alarms.messages
        assert not asked.make.made, "for the log alone no home is made anew"

        asked.make.refuses = "m: cannot be"
        (tmp_path / "hems.toml").write_text('[logging]\nlevel = "error"\n')
        write(tmp_path / "devices.toml", [METER, PV])
        assert await asked.ask() == "the home goes on as it was: m: cannot be"
        assert asked.read[-1].logging.level == "debug", "what is refused is refused as a whole"
        asked.make.refuses = ""
        asked.follower.ask()
        async with asyncio.timeout(20.0):
            after, _ = await asked.following
        assert [device.id for device in after.device] == ["m", "pv"]
    finally:
        asked.following.cancel()


def test_what_holds_from_the_next_start_is_named(tmp_path: Path) -> None:
    before = config(tmp_path, METER)
    text = '[home]\nphases = 3\n[web]\nport = 9999\nhttps = false\n[store]\npath = "o.db"\n'
    (tmp_path / "hems.toml").write_text(text)
    after = load(tmp_path / "hems.toml")
    taken = after.model_copy(update={"web": before.web, "store": before.store})
    assert waiting(taken, after) == ["web.port", "web.https", "store.path"]
    assert waiting(after, after) == []


def test_what_the_program_stands_on_waits_for_its_next_start(tmp_path: Path) -> None:
    present = config(tmp_path, METER)
    (tmp_path / "hems.toml").write_text(
        '[time]\ndaemon = "none"\n[threats]\nguesses = 3\n[push]\nenabled = false\n'
    )
    loaded = load(tmp_path / "hems.toml")
    after = taken(present, loaded)
    assert waiting(after, loaded) == ["threats.guesses", "time.daemon"]
    assert (after.time, after.threats) == (present.time, present.threats)
    assert beside_the_home(after) != beside_the_home(present), "messages to phones end at once"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[mqtt]\nhome_assistant = true\ntrust = "gone.pem"\n', "mqtt.trust"),
        ('[mqtt]\nhome_assistant = true\ntrust = "hems.toml"\n', "mqtt.trust"),
        ('[push]\ntrust = "gone.pem"\n', "gone.pem"),
        ('[push]\ntrust = "hems.toml"\n', "hems.toml"),
    ],
)
def test_what_stands_beside_the_home_is_proved_before_it_ends(
    tmp_path: Path, text: str, named: str
) -> None:
    proved(config(tmp_path, METER))
    (tmp_path / "hems.toml").write_text(text)
    with pytest.raises((ConfigError, CertificateError), match=named):
        proved(load(tmp_path / "hems.toml"))
