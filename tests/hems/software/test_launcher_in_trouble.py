"""The launcher where something is wrong: what is damaged, full, gone, or meant to mislead it."""

import json
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from hems.software import launcher, stores
from hems.software.sides import RECORD, UPDATES, VERDICT, put, verdict
from hems.software.switch import Phase, Verdict, disarmed
from tests.block_disk import disk_or_skip
from tests.hems.software.machine import Hub, arm, migrate, rows, seal, unseal
from web.words import tell

HOSTILE = (
    b"[" * 60_000,
    b'{"trial": 99999999999999999999, "good": true, "why": ""}',
    b'{"trial": 0, "good": true, "why": ""}',
)


def test_a_side_that_is_gone_is_not_linked(hub: Hub) -> None:
    arm(hub, migrates=False)
    assert hub.launch()
    hub.judge(Verdict(1, good=True))
    assert hub.launch()
    (hub.sides.root / "a" / "bin" / "hems").unlink()
    assert hub.launch()
    assert hub.runs == "0.1.0"
    why = hub.sides.read().why
    assert "cannot be started" in why
    assert "kann nicht gestartet werden" in tell(why, "de")


def test_a_damaged_record_changes_nothing_of_what_runs(hub: Hub) -> None:
    arm(hub, migrates=False)
    assert hub.launch()
    hub.judge(Verdict(1, good=True))
    assert hub.launch()
    (hub.sides.root / RECORD).write_bytes(b'{"phase": "tri')
    assert hub.launch()
    assert hub.runs == "0.2.0"
    assert hub.sides.read().phase is Phase.SETTLED


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
    arm(hub, migrates=False)
    for _ in range(3):
        assert hub.launch()
        (hub.home / UPDATES / VERDICT).write_bytes(text)
    assert hub.launch()
    assert hub.runs == "0.1.0"


def test_a_side_whose_python_is_gone_is_not_linked(hub: Hub) -> None:
    """A new release of Debian brings another Python, and takes that of the sides away."""
    arm(hub, migrates=False)
    assert hub.launch()
    hub.judge(Verdict(1, good=True))
    assert hub.launch()
    python = hub.sides.root / "a" / "bin" / "python"
    python.unlink()
    python.symlink_to("/usr/bin/python3.0")
    assert hub.launch()
    assert hub.runs == "0.1.0"


def test_a_record_that_is_damaged_and_cannot_be_mended_changes_nothing(hub: Hub) -> None:
    arm(hub, migrates=True)
    assert hub.launch()
    hub.judge(Verdict(1, good=True))
    assert hub.launch()
    (hub.sides.root / RECORD).write_bytes(b'{"phase": "tri')
    seal(hub)
    hub.launch()
    assert launcher.main(hub.words("store")) == 0, "so the hub is started"
    assert hub.runs == "0.2.0"


@pytest.mark.requirement("LC-PATCH")
def test_starts_that_cannot_be_counted_are_none_of_the_new_version(hub: Hub) -> None:
    """The disk became full between the switch and the copy of the store."""
    arm(hub, migrates=True)
    launcher.settle(hub.sides, hub.home)
    assert hub.runs == "0.2.0"
    seal(hub)
    assert hub.launch()
    assert hub.runs == "0.1.0"
    assert not list((hub.home / UPDATES).glob("kept-*"))
    unseal(hub)
    assert hub.launch()
    assert hub.runs == "0.2.0", "and the trial goes on with its second start"
    assert rows(hub.home / UPDATES / "kept-1" / "home.db") == ["before"]


def test_a_verdict_of_a_record_that_was_lost_counts_nothing(hub: Hub) -> None:
    hub.judge(Verdict(1, good=True))
    arm(hub, migrates=False)
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
    arm(hub, migrates=True)
    assert hub.launch()
    migrate(hub)
    key.write_text("key of a backup")
    before_it()
    hub.judge(Verdict(1, good=False, why="a device is gone"))
    assert hub.launch()
    assert (hub.runs, hub.rows) == ("0.1.0", ["before"])
    aside = stores.tried(hub.store)
    assert aside is not None
    assert rows(aside / "home.db") == ["before", "during the trial"]
    assert (key.read_text(), (aside / key.name).read_text()) == ("key", "key of a backup")


@pytest.mark.requirement("LC-PATCH")
def test_a_watch_that_cannot_write_tries_again(hub: Hub) -> None:
    arm(hub, migrates=False)
    assert hub.launch()
    hub.judge(Verdict(1, good=False, why="a device is gone"))
    seal(hub)
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            unseal(hub)

    assert launcher.watch(hub.sides, hub.home, wait=wait)
    assert len(waited) == 3
    assert hub.launch()
    assert hub.runs == "0.1.0"


@pytest.mark.requirement("LC-PATCH")
def test_a_version_that_will_not_be_started_again_gives_way_at_once(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the code by which no service manager starts it again: 78, or 2."""
    arm(hub, migrates=False)
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
    why = hub.sides.read().why
    assert "has ended" in why
    assert "nichts nützt" in tell(why, "de")


def test_who_changes_the_record_waits_for_who_does(hub: Hub) -> None:
    """Else a start that is counted, or a trial that begins, could be written over."""
    arm(hub, migrates=False)
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
