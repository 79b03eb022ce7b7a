"""Who looks after the hub's clock: what it believes, writes down and says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from certs import instants
from hems.commands.time_keeping import hub_clock
from hems.sep2.rules.servertime import Told
from hems.timekeeping import floor
from hems.timekeeping.hub_clock import PATIENCE_S, HubClock
from hems.timekeeping.reading import Reading, Source
from hems.timekeeping.settings import Daemon, TimeSettings
from hems.timekeeping.timekeeper import Ties, Timekeeper
from tests.hems.timekeeping.test_hub_clock import T0, Machine

pytestmark = [pytest.mark.requirement("TIME-SERVER"), pytest.mark.requirement("TIME-SOURCES")]

KEPT = Reading(Source.KERNEL, synchronised=True, error_s=0.01)
FREE = Reading(Source.KERNEL, synchronised=False)


@dataclass
class Bench:
    """A timekeeper over a machine's clock that tests set, with real files."""

    folder: Path
    machine: Machine = field(default_factory=lambda: Machine(T0))
    least: float = T0
    restarted: bool = False
    kernel: Reading | None = FREE
    told: dict[str, Told] = field(default_factory=dict)
    alarms: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = HubClock(self.least, restarted=self.restarted, machine=self.machine)
        ties = Ties(self._servers, self.alarms.append, lambda: self.kernel)
        settings = TimeSettings(daemon=Daemon.NONE)
        self.keeper = Timekeeper(self.clock, settings, self.file, ties)

    @property
    def file(self) -> Path:
        return self.folder / "hems.db.time"

    def _servers(self) -> Mapping[str, Told]:
        return self.told

    def says(self, name: str, now: float, quality: int = 3) -> None:
        self.told[name] = Told(now, quality, 1.0, 0.0, 0.0)


async def test_a_clock_that_is_kept_is_written_down_once_an_hour(tmp_path: Path) -> None:
    bench = Bench(tmp_path, kernel=KEPT)
    written: list[float] = []
    for _ in range(180):
        await bench.keeper.look()
        mark = floor.read(bench.file)
        assert mark is not None
        if not written or written[-1] != mark.at:
            written.append(mark.at)
        bench.machine.run(60.0)
    assert written == [T0, T0 + 3_600.0, T0 + 7_200.0]
    assert bench.clock.least == T0 + 7_200.0
    assert set(bench.alarms) == {None}


async def test_a_clock_of_which_nobody_says_that_it_is_right_is_not(tmp_path: Path) -> None:
    """Somebody has set it to 2099 by mistake: that must not hold for ever."""
    bench = Bench(tmp_path)
    bench.machine.utc = 4_070_908_800.0
    await bench.keeper.look()
    assert not bench.file.exists()
    bench.says("utility", T0)
    await bench.keeper.look()
    assert not bench.file.exists()
    bench.machine.utc = T0 + 10.0
    bench.says("utility", T0 + 11.0)
    await bench.keeper.look()
    assert floor.read(bench.file) is not None, "a utility that agrees vouches for it"


async def test_in_doubt_the_utility_tells_the_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, machine=Machine(60.0))
    await bench.keeper.look()
    said = bench.keeper.time()
    assert (said.known, said.quality, said.error_s, said.now) == (False, 7, None, T0)
    assert bench.alarms[-1] is not None
    assert str(bench.file) in bench.alarms[-1]
    bench.says("utility", T0 + 9_000.0, quality=4)
    await bench.keeper.look()
    said = bench.keeper.time()
    assert (said.known, said.source, said.name) == (True, "utility", "utility")
    assert (said.quality, said.now) == (5, T0 + 9_000.0)
    assert bench.alarms[-1] is None
    assert not bench.file.exists()


async def test_a_utility_that_is_apart_from_a_kept_clock_is_told_of(tmp_path: Path) -> None:
    bench = Bench(tmp_path, kernel=KEPT)
    bench.says("near", T0 + 3.0)
    await bench.keeper.look()
    assert bench.alarms[-1] is None
    bench.says("far", T0 - 300.0)
    await bench.keeper.look()
    assert bench.alarms[-1] is not None
    assert "far is -300 s off" in bench.alarms[-1]
    assert bench.keeper.time().source == "kernel"
    far = bench.keeper.time().servers[-1]
    assert (far.name, far.apart_s) == ("far", -300.0)


async def test_time_that_nobody_keeps_any_more_is_held_over_and_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path, kernel=KEPT)
    await bench.keeper.look()
    bench.kernel = FREE
    errors = []
    for _ in range(3):
        bench.machine.run(1_900.0)
        await bench.keeper.look()
        said = bench.keeper.time()
        assert (said.source, said.quality) == ("held over", 3)
        errors.append(said.error_s)
    assert errors == pytest.approx([0.105, 0.2, 0.295])
    assert bench.alarms[-1] is not None
    assert "Nobody keeps the clock" in bench.alarms[-1]


async def test_a_machine_that_was_off_is_believed_in_the_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, restarted=True)
    await bench.keeper.look()
    assert not bench.clock.known
    bench.machine.run(PATIENCE_S)
    await bench.keeper.look()
    assert bench.clock.known
    assert bench.keeper.time().source == "machine"


async def test_a_clock_that_was_set_back_while_it_ran_is_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path, kernel=KEPT)
    await bench.keeper.look()
    bench.machine.run(60.0)
    bench.machine.utc = 1_000.0
    assert bench.clock.now() == T0 + 60.0
    await bench.keeper.look()
    assert bench.alarms[-1] is not None
    assert "set to a time that is over" in bench.alarms[-1]
    assert bench.keeper.time().source == "held over"


async def test_a_disk_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, kernel=KEPT)
    bench.file.mkdir()
    await bench.keeper.look()
    assert bench.keeper.time().quality == 3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"at": "x"}', '{"at": 1e999}', '{"at": -5}'])
def test_a_file_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    store = tmp_path / "hems.db"
    floor.place(store).write_text(text)
    assert floor.read(floor.place(store)) is None
    clock = hub_clock(store)
    assert clock.known
    assert clock.least == floor.released()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (floor.stamped(1_790_000_000), 1_790_000_000.0),
        (floor.stamped(1), 1_751_328_000.0),  # SOURCE_DATE_EPOCH=1 says nothing of a release
        ("", 1_751_328_000.0),
        ("at = ", 1_751_328_000.0),
        ("at = 'soon'", 1_751_328_000.0),
        (None, 1_751_328_000.0),
    ],
)
def test_before_a_release_it_cannot_be(tmp_path: Path, text: str | None, expected: float) -> None:
    stamp = tmp_path / "released.toml"
    if text is not None:
        stamp.write_text(text)
    assert floor.released(stamp) == expected


def test_the_same_start_of_the_machine_leaves_no_doubt(tmp_path: Path) -> None:
    store = tmp_path / "hems.db"
    now = HubClock(floor.released()).now()
    floor.write(floor.place(store), floor.Mark(now, floor.this_boot()))
    assert hub_clock(store).known
    floor.write(floor.place(store), floor.Mark(now + 40 * 86_400.0, floor.this_boot()))
    assert not hub_clock(store).known


def test_certificates_are_judged_by_the_machine_unless_told_otherwise() -> None:
    assert not instants.apart()
    assert instants.known()
    clock = HubClock(T0, machine=Machine(60.0))
    try:
        instants.go_by(clock.now, lambda: clock.known)
        assert (instants.now(), instants.known(), instants.apart()) == (T0, False, True)
    finally:
        instants.go_by_machine()
    assert not instants.apart()
