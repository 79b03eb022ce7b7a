"""The launcher on a real disk: sides of one program each, a store of SQLite, and power cuts."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from hems.software import launcher, stores
from hems.software.sides import RECORD, UPDATES, VERDICT, Sides, put, verdict
from hems.software.switch import PACKAGE, Phase, State, Verdict, armed, disarmed, installed, started
from tests.block_disk import disk_or_skip

TREE = Path(__file__).parents[3]
LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
import hems.software.launcher
print(*(name for name in sys.modules if name.split(".")[0] not in sys.stdlib_module_names))
"""
HOSTILE = (
    b"[" * 60_000,
    b'{"trial": 99999999999999999999, "good": true, "why": ""}',
    b'{"trial": 0, "good": true, "why": ""}',
)
KILLED = Path(__file__).with_name("killed.py")


@dataclass(frozen=True)
class Hub:
    sides: Sides
    home: Path
    store: Path

    @property
    def runs(self) -> str:
        """What the service would start."""
        return (self.sides.root / "current" / "bin" / "hems").read_text()

    @property
    def rows(self) -> list[str]:
        return _rows(self.store)

    def words(self, what: str) -> list[str]:
        return [what, str(self.sides.root), str(self.home), str(self.sides.package)]

    def launch(self) -> bool:
        """Do what the service does before its hub; returns whether the hub would be started."""
        return launcher.main(self.words("settle")) == 0 == launcher.main(self.words("store"))

    def cut(self, what: str, step: int) -> bool:
        """Have the power cut before a step; returns whether there was no such step any more."""
        done = subprocess.run(
            [sys.executable, "-S", KILLED, TREE, str(step), *self.words(what)],
            check=False,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        return done.returncode == 0

    def judge(self, found: Verdict) -> None:
        (self.home / UPDATES).mkdir(exist_ok=True)
        put(self.home / UPDATES / VERDICT, asdict(found), mode=0o600)


def _side(place: Path, version: str) -> None:
    (place / "bin").mkdir(parents=True)
    command = place / "bin" / "hems"
    command.write_text(version)
    command.chmod(0o755)
    (place / "bin" / "python").symlink_to(sys.executable)
    (place / "lib/python3.11/site-packages" / f"hems-{version}.dist-info").mkdir(parents=True)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    sides = Sides(tmp_path / "root", tmp_path / "package")
    made = Hub(sides, tmp_path / "home", tmp_path / "home" / "home.db")
    _side(made.sides.package, "0.1.0")
    _side(made.sides.root / "a", "0.2.0")
    made.home.mkdir()
    with sqlite3.connect(made.store) as store:
        store.execute("CREATE TABLE events (what TEXT)")
        store.execute("INSERT INTO events VALUES ('before')")
    store.close()
    stores.tell(made.home, made.store)
    assert made.launch()
    return made


def _rows(store: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as opened:
        return [row[0] for row in opened.execute("SELECT what FROM events ORDER BY what")]


def _armed(state: State) -> State:
    return armed(installed(state, "0.2.0", migrates=False))


def _seal(hub: Hub) -> None:
    """Have the record be one that cannot be written, as on a full disk."""
    (hub.sides.root / f".{RECORD}.new").mkdir()


def _unseal(hub: Hub) -> None:
    (hub.sides.root / f".{RECORD}.new").rmdir()


def _arm(hub: Hub, *, migrates: bool) -> None:
    hub.sides.write(armed(installed(hub.sides.read(), "0.2.0", migrates=migrates)))


def _migrate(hub: Hub) -> None:
    """What a new version does at its first start: a form that the former one cannot read."""
    with sqlite3.connect(hub.store) as store:
        if "more" not in {row[1] for row in store.execute("PRAGMA table_info(events)")}:
            store.execute("ALTER TABLE events ADD COLUMN more TEXT")
            store.execute("INSERT INTO events (what) VALUES ('during the trial')")
    store.close()


def test_a_machine_without_updates_runs_its_package(hub: Hub) -> None:
    assert hub.runs == "0.1.0"
    assert hub.sides.read() == State(versions=((PACKAGE, "0.1.0"),))


def test_everybody_may_follow_what_the_launcher_writes(hub: Hub) -> None:
    """The service's own mask is for the hub's private files."""
    shutil.rmtree(hub.sides.root)
    before = os.umask(0o077)
    try:
        assert hub.launch()
    finally:
        os.umask(before)
    assert hub.sides.root.stat().st_mode & 0o777 == 0o755
    assert (hub.sides.root / RECORD).stat().st_mode & 0o777 == 0o644


@pytest.mark.requirement("LC-PATCH")
def test_a_version_is_tried_and_kept(hub: Hub) -> None:
    _arm(hub, migrates=True)
    assert hub.runs == "0.1.0", "nothing changes before the next start"
    assert hub.launch()
    assert hub.runs == "0.2.0"
    _migrate(hub)
    hub.judge(Verdict(1, good=True))
    assert not launcher.watch(hub.sides, hub.home)
    assert hub.launch()
    assert hub.runs == "0.2.0"
    assert hub.rows == ["before", "during the trial"]
    assert not list((hub.home / UPDATES).glob("kept-*")), "not needed any more"


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.parametrize("migrates", [True, False])
def test_a_version_that_only_crashes_gives_way(hub: Hub, migrates: bool) -> None:
    _arm(hub, migrates=migrates)
    for _ in range(3):
        assert hub.launch()
        assert hub.runs == "0.2.0"
        _migrate(hub)
    assert hub.launch()
    assert hub.runs == "0.1.0"
    assert hub.rows == (["before"] if migrates else ["before", "during the trial"])
    aside = stores.tried(hub.store)
    assert (aside is not None) == migrates
    if aside is not None:
        assert _rows(aside / hub.store.name) == ["before", "during the trial"], "nothing is lost"


@pytest.mark.requirement("LC-PATCH")
def test_a_version_that_proves_nothing_gives_way_in_time(hub: Hub) -> None:
    _arm(hub, migrates=False)
    assert hub.launch()
    now = [0.0]
    ends = launcher.watch(
        hub.sides,
        hub.home,
        clock=lambda: now[0],
        wait=lambda seconds: now.__setitem__(0, now[0] + seconds),
        given_up=lambda: False,
    )
    assert ends
    assert launcher.WITHIN_S <= now[0] <= launcher.WITHIN_S + launcher.LOOK_EVERY_S
    assert hub.launch()
    assert hub.runs == "0.1.0"
    assert "15 minutes" in hub.sides.read().why


@pytest.mark.requirement("LC-PATCH")
def test_a_power_cut_at_any_step_of_the_switch(hub: Hub) -> None:
    """Each step in turn is the last one before the dark; the next start makes it good."""
    first = hub.sides.read()
    for step in range(1, 100):
        hub.sides.write(first)
        hub.sides.link(PACKAGE)
        _arm(hub, migrates=False)
        over = hub.cut("settle", step)
        assert hub.sides.read() in {_armed(first), started(_armed(first))}
        assert hub.runs in {"0.1.0", "0.2.0"}, "there is a side to start at each moment"
        assert hub.launch()
        assert (hub.runs, hub.sides.read().phase) == ("0.2.0", Phase.TRIAL)
        if over:
            break
    assert step > 5


@pytest.mark.requirement("LC-PATCH")
def test_a_power_cut_at_any_step_of_keeping_the_store(hub: Hub) -> None:
    _arm(hub, migrates=True)
    trial = launcher.settle(hub.sides, hub.home)
    kept = hub.home / UPDATES / "kept-1"
    for step in range(1, 100):
        hub.sides.write(trial)
        shutil.rmtree(kept, ignore_errors=True)
        over = hub.cut("store", step)
        if kept.exists():
            assert _rows(kept / "home.db") == ["before"]
        assert launcher.main(hub.words("store")) == 0
        assert _rows(kept / "home.db") == hub.rows == ["before"]
        if over:
            break
    assert step > 5


@pytest.mark.requirement("LC-PATCH")
def test_a_power_cut_at_any_step_of_the_way_back(hub: Hub) -> None:
    for step in range(1, 100):
        _arm(hub, migrates=True)
        assert hub.launch()
        number = hub.sides.read().trial
        _migrate(hub)
        hub.judge(Verdict(number, good=False, why="a device is gone"))
        launcher.settle(hub.sides, hub.home)
        over = hub.cut("store", step)
        assert launcher.main(hub.words("store")) == 0
        assert (hub.runs, hub.rows) == ("0.1.0", ["before"])
        aside = hub.home / UPDATES / f"tried-{number}"
        assert _rows(aside / "home.db") == ["before", "during the trial"]
        assert not list((hub.home / UPDATES).glob("kept-*"))
        if over:
            break
    assert step > 5


def test_a_side_that_is_gone_is_not_linked(hub: Hub) -> None:
    _arm(hub, migrates=False)
    assert hub.launch()
    hub.judge(Verdict(1, good=True))
    assert hub.launch()
    (hub.sides.root / "a" / "bin" / "hems").unlink()
    assert hub.launch()
    assert hub.runs == "0.1.0"
    assert "cannot be started" in hub.sides.read().why


def test_a_damaged_record_changes_nothing_of_what_runs(hub: Hub) -> None:
    _arm(hub, migrates=False)
    assert hub.launch()
    hub.judge(Verdict(1, good=True))
    assert hub.launch()
    (hub.sides.root / RECORD).write_bytes(b'{"phase": "tri')
    assert hub.launch()
    assert hub.runs == "0.2.0"
    assert hub.sides.read().phase is Phase.SETTLED


def test_no_room_for_a_copy_of_the_store_ends_the_trial(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _arm(hub, migrates=True)
    assert launcher.settle(hub.sides, hub.home).phase is Phase.TRIAL
    monkeypatch.setattr(stores, "_SPARE", 1 << 62)
    words = [str(each) for each in (hub.sides.root, hub.home, hub.sides.package)]
    for _ in range(3):
        assert launcher.main(["store", *words]) == 1, "so the hub is not started"
        launcher.settle(hub.sides, hub.home)
    assert launcher.main(["store", *words]) == 0
    assert hub.runs == "0.1.0"
    assert hub.rows == ["before"]


def test_what_the_hub_may_write_leads_nobody_astray(hub: Hub, tmp_path: Path) -> None:
    place = hub.home / UPDATES / VERDICT
    good = {"trial": 1, "good": True, "why": ""}
    for text in (b"", b"[]", b'{"trial": true, "good": true, "why": ""}', b"{" * 70_000, *HOSTILE):
        place.write_bytes(text)
        assert verdict(hub.home) is None
    (tmp_path / "elsewhere").write_text(json.dumps(good))
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere")
    assert verdict(hub.home) is None, "no link is followed"
    place.unlink()
    put(place, good, mode=0o600)
    assert verdict(hub.home) == Verdict(1, good=True)
    put(place, good | {"why": "a\nhems software: 9 runs\ud800"}, mode=0o600)
    assert verdict(hub.home) == Verdict(1, good=True, why="ahems software: 9 runs")


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.parametrize("text", HOSTILE, ids=["deep", "far", "below"])
def test_a_version_on_trial_cannot_keep_the_launcher_from_counting(hub: Hub, text: bytes) -> None:
    _arm(hub, migrates=False)
    for _ in range(3):
        assert hub.launch()
        (hub.home / UPDATES / VERDICT).write_bytes(text)
    assert hub.launch()
    assert hub.runs == "0.1.0"


def test_a_side_whose_python_is_gone_is_not_linked(hub: Hub) -> None:
    """A new release of Debian brings another Python, and takes that of the sides away."""
    _arm(hub, migrates=False)
    assert hub.launch()
    hub.judge(Verdict(1, good=True))
    assert hub.launch()
    python = hub.sides.root / "a" / "bin" / "python"
    python.unlink()
    python.symlink_to("/usr/bin/python3.0")
    assert hub.launch()
    assert hub.runs == "0.1.0"


def test_a_record_that_is_damaged_and_cannot_be_mended_changes_nothing(hub: Hub) -> None:
    _arm(hub, migrates=True)
    assert hub.launch()
    hub.judge(Verdict(1, good=True))
    assert hub.launch()
    (hub.sides.root / RECORD).write_bytes(b'{"phase": "tri')
    _seal(hub)
    hub.launch()
    assert launcher.main(hub.words("store")) == 0, "so the hub is started"
    assert hub.runs == "0.2.0"


@pytest.mark.requirement("LC-PATCH")
def test_starts_that_cannot_be_counted_are_none_of_the_new_version(hub: Hub) -> None:
    """The disk became full between the switch and the copy of the store."""
    _arm(hub, migrates=True)
    launcher.settle(hub.sides, hub.home)
    assert hub.runs == "0.2.0"
    _seal(hub)
    assert hub.launch()
    assert hub.runs == "0.1.0"
    assert not list((hub.home / UPDATES).glob("kept-*"))
    _unseal(hub)
    assert hub.launch()
    assert hub.runs == "0.2.0", "and the trial goes on with its second start"
    assert _rows(hub.home / UPDATES / "kept-1" / "home.db") == ["before"]


def test_a_verdict_of_a_record_that_was_lost_counts_nothing(hub: Hub) -> None:
    hub.judge(Verdict(1, good=True))
    _arm(hub, migrates=False)
    assert hub.launch()
    assert hub.sides.read().trial == 2
    assert hub.launch()
    assert hub.sides.read().phase is Phase.TRIAL


def test_a_copy_that_cannot_be_removed_keeps_no_hub_from_its_start(
    hub: Hub,
) -> None:
    (hub.home / UPDATES / "kept-1").write_text("a file, where a folder belongs")
    assert hub.launch()
    assert hub.runs == "0.1.0"


@pytest.mark.requirement("LC-PATCH")
def test_a_store_on_a_disk_of_its_own_goes_back(hub: Hub) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == hub.home.stat().st_dev:
            pytest.skip("there is one disk here")
        elsewhere = Hub(hub.sides, hub.home, Path(other) / "home.db")
        shutil.move(hub.store, elsewhere.store)
        _goes_back(elsewhere)


@pytest.mark.requirement("LC-PATCH")
def test_the_way_back_needs_no_room(hub: Hub, tmp_path: Path) -> None:
    with disk_or_skip(tmp_path / "disk", megabytes=48) as disk:
        elsewhere = Hub(hub.sides, hub.home, disk.at / "home.db")
        shutil.move(hub.store, elsewhere.store)

        def fill() -> None:
            for size in (1 << 20, 4096, 1):
                full = disk.at / f"full-{size}"
                with full.open("wb", buffering=0) as file, suppress(OSError):
                    while True:
                        file.write(bytes(size))
            with pytest.raises(OSError, match="No space"):
                (disk.at / "more").mkdir()

        _goes_back(elsewhere, fill)


def _goes_back(hub: Hub, before_it: Callable[[], None] = lambda: None) -> None:
    key = hub.store.with_name("home.db.key")
    key.write_text("key")
    stores.tell(hub.home, hub.store)
    _arm(hub, migrates=True)
    assert hub.launch()
    _migrate(hub)
    key.write_text("key of a backup")
    before_it()
    hub.judge(Verdict(1, good=False, why="a device is gone"))
    assert hub.launch()
    assert (hub.runs, hub.rows) == ("0.1.0", ["before"])
    aside = stores.tried(hub.store)
    assert aside is not None
    assert _rows(aside / "home.db") == ["before", "during the trial"]
    assert (key.read_text(), (aside / key.name).read_text()) == ("key", "key of a backup")


@pytest.mark.requirement("LC-PATCH")
def test_a_watch_that_cannot_write_tries_again(hub: Hub) -> None:
    _arm(hub, migrates=False)
    assert hub.launch()
    hub.judge(Verdict(1, good=False, why="a device is gone"))
    _seal(hub)
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            _unseal(hub)

    assert launcher.watch(hub.sides, hub.home, wait=wait)
    assert len(waited) == 3
    assert hub.launch()
    assert hub.runs == "0.1.0"


@pytest.mark.requirement("LC-PATCH")
def test_a_version_that_will_not_be_started_again_gives_way_at_once(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the code by which no service manager starts it again: 78, or 2."""
    _arm(hub, migrates=False)
    assert hub.launch()
    manager, failed = tmp_path / "bin" / "systemctl", tmp_path / "failed"
    manager.parent.mkdir()
    manager.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ -e {failed} ]\n')
    manager.chmod(0o755)
    monkeypatch.setenv("PATH", str(manager.parent), prepend=":")
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            failed.touch()

    assert launcher.watch(hub.sides, hub.home, wait=wait)
    assert len(waited) == 2
    assert (tmp_path / "asked").read_text() == "is-failed --quiet hems.service\n" * 3
    assert hub.launch()
    assert hub.runs == "0.1.0"
    assert "has ended" in hub.sides.read().why


def test_who_changes_the_record_waits_for_who_does(hub: Hub) -> None:
    """Else a start that is counted, or a trial that begins, could be written over."""
    _arm(hub, migrates=False)
    before = hub.sides.read()
    with ThreadPoolExecutor(1) as beside:
        with hub.sides.held():
            settling = beside.submit(launcher.settle, hub.sides, hub.home)
            with pytest.raises(TimeoutError):
                settling.result(timeout=0.5)
            assert hub.sides.read() == before
            hub.sides.write(disarmed(before))
        assert settling.result(timeout=30).phase is Phase.SETTLED
    assert hub.runs == "0.1.0"
    assert (hub.sides.root / ".lock").stat().st_mode & 0o777 == 0o600


def test_the_launcher_needs_the_standard_library_alone() -> None:
    """No part of others, nor anything else of ours, can keep a hub from going back."""
    told = subprocess.run(
        [sys.executable, "-S", "-c", LOADED, TREE],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert set(told.stdout.split()) - {"__main__"} == {
        "hems",
        "hems.software",
        *(f"hems.software.{each}" for each in ("launcher", "sides", "stores", "switch")),
    }
