"""Reports on the disk: few, private, and none of a run that ended well."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hems.crashes import files
from hems.crashes.files import MOST, Run, keep, left_behind, newest

pytestmark = pytest.mark.requirement("LC-TEST")
NOW = 1_790_000_000.0


def test_the_oldest_go(tmp_path: Path) -> None:
    folder = tmp_path / "crashes"
    assert newest(folder, NOW) is None
    for number in range(MOST + 5):
        keep(folder, 1_000_000.0 + number, f"report {number}")
    kept = sorted(folder.iterdir())
    assert len(kept) == MOST
    last = newest(folder, NOW)
    assert last is not None
    assert last.at == 1_000_000.0 + MOST + 4
    assert last.path.read_text() == f"report {MOST + 4}"
    assert stat.S_IMODE(last.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_last_one_stays_whatever_the_clock_said(tmp_path: Path) -> None:
    for number in range(MOST):
        keep(tmp_path, 1_790_000_000.0 + number, "before")
    last = keep(tmp_path, 600.0, "on a machine that woke up in 1970")
    assert last.path.exists()
    assert len(list(tmp_path.iterdir())) == MOST


def test_one_of_a_time_to_come_is_not_the_last_for_ever(tmp_path: Path) -> None:
    """The clock was years ahead when it was written, and is right now."""
    ahead = keep(tmp_path, NOW + 5 * 365 * 86_400.0, "by a wrong clock")
    assert newest(tmp_path, NOW) == ahead, "there is no other"
    for number in range(MOST - 1):
        later = keep(tmp_path, NOW + number, "by the right one")
        assert newest(tmp_path, NOW + number) == later
    assert ahead.path.exists()
    keep(tmp_path, NOW + MOST, "one more")
    assert not ahead.path.exists(), "what nobody knows the age of goes first"
    assert len(list(tmp_path.iterdir())) == MOST


def test_two_in_one_second_are_both_kept(tmp_path: Path) -> None:
    first, second = (keep(tmp_path, 5.0, text) for text in "ab")
    assert {first.path.read_text(), second.path.read_text()} == {"a", "b"}


def test_what_else_lies_there_is_left(tmp_path: Path) -> None:
    (tmp_path / "crash-notes.txt").write_text("mine")
    keep(tmp_path, 5.0, "a")
    found = newest(tmp_path, NOW)
    assert found is not None
    assert found.path.name.startswith("crash-19700101T000005Z-")


def test_a_run_that_ended_well_leaves_nothing(tmp_path: Path) -> None:
    run = Run.begun(tmp_path)
    assert list(left_behind(tmp_path)) == [], "it runs still"
    assert run.path.exists()
    run.end()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL])
def test_what_a_signal_ended_is_found_once(tmp_path: Path, number: signal.Signals) -> None:
    program = (
        "import faulthandler, sys, time\nfrom pathlib import Path\n"
        "from hems.crashes.files import Run\n"
        f"run = Run.begun(Path({str(tmp_path)!r}))\n"
        "faulthandler.enable(run.file)\nprint('runs', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"runs\n"
        child.send_signal(number)
    found = list(left_behind(tmp_path))
    assert len(found) == (0 if number is signal.SIGKILL else 1)
    assert all("most recent call first" in text for text, _ in found)
    assert list(left_behind(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_where_no_folder_can_be_there_is_nothing(tmp_path: Path) -> None:
    place = tmp_path / "file" / "crashes"
    (tmp_path / "file").touch()
    assert newest(place, NOW) is None
    assert list(left_behind(place)) == []
    with pytest.raises(OSError, match="Not a directory"):
        keep(place, 1.0, "a")
    assert files.FOLDER == "crashes"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - names alone
