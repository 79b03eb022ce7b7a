"""Whose turn it is to write to an SQLite file, among processes."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from hems.headend.db.writers import Writers
from hems.headend.errors import BusyError


def _hold(path: Path, told: Connection) -> None:
    """Be another worker that has the turn until it is told to give it up."""
    with Writers(path, 1.0).turn():
        told.send("mine")
        told.recv()
    told.send("yours")
    told.recv()


class Other:
    """Another worker, in a process of its own."""

    def __init__(self, path: Path) -> None:
        self.told, theirs = multiprocessing.Pipe()
        spawned = multiprocessing.get_context("spawn")
        self.process = spawned.Process(target=_hold, args=(path, theirs), daemon=True)
        self.process.start()
        assert self.told.recv() == "mine"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "headend.sqlite"


@pytest.fixture
def other(path: Path) -> Iterator[Other]:
    other = Other(path)
    yield other
    other.process.kill()
    other.process.join()


def _takes(path: Path, timeout_s: float) -> None:
    writers = Writers(path, timeout_s)
    try:
        with writers.turn():
            pass
    finally:
        writers.close()


def test_who_waits_for_too_long_is_told(path: Path, other: Other) -> None:
    with pytest.raises(BusyError, match="others write"):
        _takes(path, 0.05)
    other.told.send("on")


def test_the_turn_is_handed_on(path: Path, other: Other) -> None:
    other.told.send("on")
    _takes(path, 30.0)
    assert other.told.recv() == "yours"


def test_of_one_that_is_killed_the_turn_is_free(path: Path, other: Other) -> None:
    assert other.process.pid is not None
    os.kill(other.process.pid, signal.SIGKILL)
    _takes(path, 30.0)


async def test_it_is_one_turn_for_threads_and_the_loop(path: Path, other: Other) -> None:
    writers = Writers(path, 0.05)
    with pytest.raises(BusyError):
        async with writers.turn_of_loop():
            pass
    other.told.send("on")
    assert other.told.recv() == "yours"
    async with writers.turn_of_loop():
        with pytest.raises(BusyError):
            _takes(path, 0.05)
    _takes(path, 0.05)
    writers.close()
    assert path.with_name("headend.sqlite-turn").stat().st_mode & 0o777 == 0o600
