"""The launcher on a real disk: sides of one program each, a store of SQLite, and power cuts."""

import os
import shutil
import subprocess
import sys

import pytest

from hems.software import launcher, stores
from hems.software.sides import RECORD, UPDATES
from hems.software.switch import PACKAGE, Phase, State, Verdict, armed, installed, started
from tests.hems.software.machine import TREE, Hub, arm, migrate, rows
from web.words import tell

LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
import hems.software.launcher
print(*(name for name in sys.modules if name.split(".")[0] not in sys.stdlib_module_names))
"""


def _armed(state: State) -> State:
    return armed(installed(state, "0.2.0", migrates=False))


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
    arm(hub, migrates=True)
    assert hub.runs == "0.1.0", "nothing changes before the next start"
    assert hub.launch()
    assert hub.runs == "0.2.0"
    migrate(hub)
    hub.judge(Verdict(1, good=True))
    assert not launcher.watch(hub.sides, hub.home)
    assert hub.launch()
    assert hub.runs == "0.2.0"
    assert hub.rows == ["before", "during the trial"]
    assert not list((hub.home / UPDATES).glob("kept-*")), "not needed any more"


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.parametrize("migrates", [True, False])
def test_a_version_that_only_crashes_gives_way(hub: Hub, migrates: bool) -> None:
    arm(hub, migrates=migrates)
    for _ in range(3):
        assert hub.launch()
        assert hub.runs == "0.2.0"
        migrate(hub)
    assert hub.launch()
    assert hub.runs == "0.1.0"
    assert hub.rows == (["before"] if migrates else ["before", "during the trial"])
    aside = stores.tried(hub.store)
    assert (aside is not None) == migrates
    if aside is not None:
        assert rows(aside / hub.store.name) == ["before", "during the trial"], "nothing is lost"


@pytest.mark.requirement("LC-PATCH")
def test_a_version_that_proves_nothing_gives_way_in_time(hub: Hub) -> None:
    arm(hub, migrates=False)
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
    why = hub.sides.read().why
    assert "15 minutes" in why
    assert tell(why, "de") == "sie hat sich in 15 Minuten nicht bewährt"


@pytest.mark.requirement("LC-PATCH")
def test_a_power_cut_at_any_step_of_the_switch(hub: Hub) -> None:
    """Each step in turn is the last one before the dark; the next start makes it good."""
    first = hub.sides.read()
    for step in range(1, 100):
        hub.sides.write(first)
        hub.sides.link(PACKAGE)
        arm(hub, migrates=False)
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
    arm(hub, migrates=True)
    trial = launcher.settle(hub.sides, hub.home)
    kept = hub.home / UPDATES / "kept-1"
    for step in range(1, 100):
        hub.sides.write(trial)
        shutil.rmtree(kept, ignore_errors=True)
        over = hub.cut("store", step)
        if kept.exists():
            assert rows(kept / "home.db") == ["before"]
        assert launcher.main(hub.words("store")) == 0
        assert rows(kept / "home.db") == hub.rows == ["before"]
        if over:
            break
    assert step > 5


@pytest.mark.requirement("LC-PATCH")
def test_a_power_cut_at_any_step_of_the_way_back(hub: Hub) -> None:
    for step in range(1, 100):
        arm(hub, migrates=True)
        assert hub.launch()
        number = hub.sides.read().trial
        migrate(hub)
        hub.judge(Verdict(number, good=False, why="a device is gone"))
        launcher.settle(hub.sides, hub.home)
        over = hub.cut("store", step)
        assert launcher.main(hub.words("store")) == 0
        assert (hub.runs, hub.rows) == ("0.1.0", ["before"])
        aside = hub.home / UPDATES / f"tried-{number}"
        assert rows(aside / "home.db") == ["before", "during the trial"]
        assert not list((hub.home / UPDATES).glob("kept-*"))
        if over:
            break
    assert step > 5


def test_no_room_for_a_copy_of_the_store_ends_the_trial(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm(hub, migrates=True)
    assert launcher.settle(hub.sides, hub.home).phase is Phase.TRIAL
    monkeypatch.setattr(stores, "_SPARE", 1 << 62)
    words = [str(each) for each in (hub.sides.root, hub.home, hub.sides.package)]
    for _ in range(3):
        assert launcher.main(["store", *words]) == 1, "so the hub is not started"
        launcher.settle(hub.sides, hub.home)
    assert launcher.main(["store", *words]) == 0
    assert hub.runs == "0.1.0"
    assert hub.rows == ["before"]


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
