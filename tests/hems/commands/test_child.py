"""Child processes: ready, dying at the start, stopping, being killed."""

import sys
from pathlib import Path

import pytest

from hems.commands.child import Child, ChildError

READY = """
import json, pathlib, signal, sys, threading
stopped = threading.Event()
signal.signal(signal.SIGINT, lambda *_: stopped.set())
pathlib.Path(sys.argv[1]).write_text(json.dumps({"port": 1}))
stopped.wait(30)
"""


def child(folder: Path, program: str) -> Child:
    ready = folder / "ready.json"
    command = [sys.executable, "-c", program, str(ready)]
    return Child("thing", command, folder / "thing.log", ready)


async def test_it_is_ready_then_stops_when_asked(tmp_path: Path) -> None:
    thing = child(tmp_path, READY)
    await thing.start()
    assert await thing.wait_ready(10.0) == {"port": 1}
    assert thing.running
    assert await thing.stop() == 0
    assert not thing.running


async def test_one_that_dies_at_its_start_is_said_with_its_last_words(tmp_path: Path) -> None:
    thing = child(tmp_path, "import sys; sys.exit('no port is free')")
    await thing.start()
    with pytest.raises(ChildError, match=r"thing ended at its start:\nno port is free"):
        await thing.wait_ready(10.0)


async def test_one_that_hangs_is_said_and_can_be_killed(tmp_path: Path) -> None:
    thing = child(tmp_path, "import threading; threading.Event().wait(30)")
    await thing.start()
    with pytest.raises(ChildError, match=r"thing was not ready within 0\.2 s"):
        await thing.wait_ready(0.2)
    await thing.kill()
    assert not thing.running
    await thing.kill()


async def test_an_old_ready_file_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "ready.json").write_text('{"port": 99}')
    thing = child(tmp_path, READY)
    await thing.start()
    assert await thing.wait_ready(10.0) == {"port": 1}
    await thing.stop()
