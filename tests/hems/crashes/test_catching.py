"""What nobody catches, in small programs of their own: a report is left, and the end stays one."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hems.crashes.catching import SHOWN_S, Catching
from hems.crashes.files import keep

pytestmark = pytest.mark.requirement("LC-TEST")

PROGRAM = """
import asyncio, gc, logging, os, signal, sys, threading
from pathlib import Path
from hems.crashes.catching import Catching

logging.basicConfig(level=logging.INFO)
catching = Catching(Path(sys.argv[1]), lambda: ("5 devices",))
catching.kept = lambda kept: print("told", kept.path.name)

def fail(what="Ada's bath at 10.0.0.7"):
    raise ValueError(what)

async def task():
    fail()

async def serve(way):
    catching.begin()
    catching.watch(asyncio.get_running_loop())
    if way == "task":
        for _ in range(3):
            lost = asyncio.create_task(task())
            await asyncio.sleep(0.01)
            del lost
            gc.collect()
    elif way == "callback":
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.01)
    elif way == "thread":
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    elif way == "connection":
        context = {"message": "x", "exception": OSError(5, "x"), "transport": None}
        asyncio.get_running_loop().call_exception_handler(context)
    elif way == "process":
        fail()
    elif way == "at last":
        for number in range(9):  # in so many places of the program
            exec(f"def fault_{number}(): fail()", globals())
            asyncio.get_running_loop().call_soon(globals()[f"fault_{number}"])
        await asyncio.sleep(0.01)
        fail()
    elif way == "interrupt":
        raise KeyboardInterrupt
    elif way == "abort":
        os.kill(os.getpid(), signal.SIGABRT)

asyncio.run(serve(sys.argv[2]))
catching.end()
"""


def run(folder: Path, way: str) -> tuple[int, str, list[str]]:
    """Run the program; returns its exit code, what it said, and the reports."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), way],
        capture_output=True,
        text=True,
        check=False,
        timeout=100.0,
    )
    reports = [path.read_text() for path in sorted(folder.glob("crash-*.txt"))]
    return done.returncode, done.stdout + done.stderr, reports


@pytest.mark.parametrize(
    ("way", "what", "code"),
    [
        ("process", "the process", 1),
        ("thread", "a thread", 0),
        ("task", "a task", 0),
        ("callback", "a task", 0),
    ],
)
def test_a_report_is_left_and_told(tmp_path: Path, way: str, what: str, code: int) -> None:
    ended, said, (report,) = run(tmp_path / "crashes", way)
    assert ended == code
    assert "Ada's bath" in said, "the log on the machine says all of it"
    assert "told crash-" in said
    assert f"what: {what}\n" in report
    assert "ValueError (its message is withheld)" in report
    assert "  5 devices\n" in report
    assert "in fail" in report
    assert "Ada" not in report
    assert "10.0.0.7" not in report
    assert str(tmp_path) not in report


def test_what_ends_the_process_is_kept_whatever_went_wrong_before(tmp_path: Path) -> None:
    ended, said, reports = run(tmp_path / "crashes", "at last")
    assert ended == 1
    assert len([each for each in reports if "what: a task\n" in each]) == 5
    assert len([each for each in reports if "what: the process\n" in each]) == 1, said


@pytest.mark.parametrize(("way", "code"), [("none", 0), ("connection", 0)])
def test_what_ends_in_order_leaves_none(tmp_path: Path, way: str, code: int) -> None:
    ended, _, reports = run(tmp_path / "crashes", way)
    assert (ended, reports) == (code, [])
    assert list((tmp_path / "crashes").iterdir()) == []


def test_who_interrupts_it_is_no_fault(tmp_path: Path) -> None:
    ended, said, reports = run(tmp_path / "crashes", "interrupt")
    assert ended in {130, -signal.SIGINT}
    assert "KeyboardInterrupt" in said
    assert reports == []


def test_what_a_signal_ended_is_told_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "crashes"
    ended, _, reports = run(folder, "abort")
    assert (ended, reports) == (-signal.SIGABRT, [])
    ended, said, (report,) = run(folder, "none")
    assert ended == 0
    assert "told crash-" in said
    assert "what: the process, by a signal\n" in report
    assert "Aborted" in report
    assert "in serve" in report
    assert "5 devices" not in report, "what this run is at says nothing of that one"
    assert run(folder, "none")[2] == [report]


def test_where_nothing_can_be_written_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "crashes").touch()
    ended, said, _ = run(tmp_path / "crashes", "thread")
    assert ended == 0
    assert "no crash report can be left there: " in said
    ended, said, _ = run(tmp_path / "away" / "crashes", "none")
    assert (ended, said) == (0, "")


def test_it_is_shown_for_a_week(tmp_path: Path) -> None:
    now = [1_000_000.0]
    catching = Catching(tmp_path, now=lambda: now[0])
    assert catching.last() is None
    kept = keep(tmp_path, now[0], "a")
    now[0] += SHOWN_S - 1.0
    assert catching.last() == kept
    now[0] += 1.0
    assert catching.last() is None
    now[0] = 1_000_000.0
    kept.path.unlink()
    assert catching.last() is None


def test_one_that_a_wrong_clock_has_dated_is_not_shown_for_years(tmp_path: Path) -> None:
    now = [1_000_000.0]
    catching = Catching(tmp_path, now=lambda: now[0])
    ahead = keep(tmp_path, now[0] + 3600.0, "by a clock that was put right since")
    assert catching.last() == ahead
    keep(tmp_path, now[0] + 5 * 365 * 86_400.0, "by one that was years ahead")
    assert catching.last() == ahead
    ahead.path.unlink()
    assert catching.last() is None
