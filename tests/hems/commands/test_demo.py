"""`hems demo` as a person uses it: starts, says where, stops, and touches only its own folder."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from hems.cli import main
from hems.commands.folder import FolderError, claimed
from tests.waiting import until

START_S = 90.0
"""A busy machine starts three programs one after the other."""


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Process]:
    """Run a demo; a test that fails leaves none of its programs behind."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hems", "demo", "--port", "0", "--folder", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


async def page_of(process: Process) -> str:
    """Wait for the line that says where the page is."""
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(START_S):
        while line := (await process.stdout.readline()).decode():
            said += line
            if found := re.search(r"page:\s+(http://\S+)", line):
                return found[1]
    raise AssertionError(f"the demo ended without a page: {said}")


async def with_agent(demo: int) -> list[psutil.Process]:
    """Return all processes that a demo has started, once the hub's software agent is there."""

    async def started_by_it() -> list[psutil.Process]:
        return psutil.Process(demo).children(recursive=True)

    def watched(found: list[psutil.Process]) -> bool:
        return any("certs.agent" in each.cmdline() for each in found if each.is_running())

    return await until(started_by_it, watched, START_S, "the agent")


@pytest.mark.parametrize(
    "ending",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.deep),
        pytest.param(signal.SIGHUP, marks=pytest.mark.deep),
        signal.SIGKILL,
    ],
)
async def test_it_starts_and_leaves_nothing_behind(tmp_path: Path, ending: signal.Signals) -> None:
    async with started(tmp_path / "demo") as process:
        assert (await page_of(process)).startswith("http://127.0.0.1:")
        children = await with_agent(process.pid)
        assert len(psutil.Process(process.pid).children()) == 3
        os.kill(process.pid, ending)
        await process.communicate()
    if ending is not signal.SIGKILL:
        assert process.returncode == 0
    _, alive = psutil.wait_procs(children, timeout=12)
    assert not alive


async def test_ctrl_c_while_it_starts(tmp_path: Path) -> None:
    async with started(tmp_path / "demo") as process:
        assert process.stdout is not None
        await process.stdout.readline()  # "Starting ..."
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
    _, alive = psutil.wait_procs(children, timeout=12)
    assert not alive


@pytest.mark.requirement("LC-TEST")
def test_a_folder_with_something_else_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deeds = tmp_path / "house" / "deeds.txt"
    deeds.parent.mkdir()
    deeds.write_text("mine")
    assert main(["demo", "--folder", str(tmp_path)]) == 1
    assert "it is left as it is" in capsys.readouterr().err
    assert deeds.read_text() == "mine"


@pytest.mark.requirement("LC-TEST")
def test_a_folder_in_use_and_no_folder_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with claimed(tmp_path / "demo"):
        assert main(["demo", "--folder", str(tmp_path / "demo")]) == 1
        assert "another demo is running in it" in capsys.readouterr().err
    file = tmp_path / "file"
    file.write_text("")
    assert main(["demo", "--folder", str(file / "demo")]) == 1
    assert "is not a folder" in capsys.readouterr().err
    with pytest.raises(FolderError, match="cannot be used"), claimed(Path("/proc/nope")):
        pass


def test_a_port_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--port", "99999"])
    assert "99999 is not a port: 0 to 65535" in capsys.readouterr().err
