"""A hub's heart, at a real socket: what is said in each part of its life."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hems.service.feeding import CHANGE_WITHIN_S, STEP_WITHIN_S, Phase
from hems.service.heart import Heart
from hems.service.notify import ServiceManager

pytestmark = pytest.mark.requirement("LC-TEST")


class Manager:
    """The service manager's end."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def heard(self, within_s: float = 0.0) -> list[str]:
        """Return all that has come; the first of it is waited for."""
        messages = []
        self._line.settimeout(within_s)
        try:
            while True:
                messages.append(self._line.recv(999).decode())
                self._line.settimeout(0.0)
        except (BlockingIOError, TimeoutError):
            return messages

    def until(self, wanted: str, within_s: float = 20.0) -> None:
        """Wait for a message."""
        deadline = time.monotonic() + within_s
        while wanted not in self.heard(0.2):
            assert time.monotonic() < deadline, f"nobody said {wanted}"


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"{tmp_path}/n")
        yield Manager(line)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def heart(manager: Manager, clock: Time, tmp_path: Path) -> Iterator[Heart]:
    assert manager.heard() == []
    made = Heart(ServiceManager(f"{tmp_path}/n", 0.5), clock)
    yield made
    made.ending()


def said(text: str) -> Callable[[], str]:
    return lambda: text


def test_who_asks_to_read_anew_ends_no_start_and_no_end(heart: Heart, manager: Manager) -> None:
    assert not heart.reloading()
    heart.reloaded("says nothing")
    assert manager.heard() == [], "the start is not over, whoever asks meanwhile"
    heart.decided(said("controls"))
    manager.heard()
    assert heart.reloading()
    assert not any(heart.reloading() for _ in range(9)), "once for all who ask meanwhile"
    heart.reloaded("controls")
    reads, ready = manager.heard()
    assert reads.startswith("RELOADING=1\n")
    assert ready == "READY=1\nSTATUS=controls"
    heart.ending()
    assert not heart.reloading()
    heart.reloaded("controls")
    assert [each.partition("\n")[0] for each in manager.heard()] == ["STOPPING=1"]


def test_a_life(heart: Heart, manager: Manager, clock: Time) -> None:
    heart.decided(said("controls 2 devices"))
    assert manager.heard() == ["READY=1\nSTATUS=controls 2 devices", "WATCHDOG=1"]
    for _ in range(5):
        clock.now += 0.0625
        heart.decided(said("controls 2 devices"))
    assert manager.heard() == ["WATCHDOG=1", "WATCHDOG=1"], "each 0.125 s, not with each decision"
    clock.now += 1.0
    assert manager.heard(0.3) == [], "nothing but a decision feeds it"
    heart.decided(said("controls 2 devices; 1 alarm"))
    assert manager.heard() == ["WATCHDOG=1", "STATUS=controls 2 devices; 1 alarm"]
    heart.ending()
    assert manager.heard() == ["STOPPING=1\nSTATUS=ends in order"]
    heart.decided(said("controls 2 devices"))
    assert manager.heard() == []


def test_a_reload(heart: Heart, manager: Manager, clock: Time) -> None:
    heart.decided(said("a"))
    manager.heard()
    heart.reloading()
    assert manager.heard()[0].startswith("RELOADING=1\nMONOTONIC_USEC=")
    heart.reloaded("a; 1 alarm")
    assert manager.heard() == ["READY=1\nSTATUS=a; 1 alarm"]
    heart.reloading()
    heart.changing()
    assert heart.phase is Phase.CHANGING
    clock.now += 1.0
    manager.until("WATCHDOG=1")
    heart.decided(said("b"))
    assert "READY=1\nSTATUS=b" in manager.heard()


def test_a_home_that_does_not_come_is_not_waited_for(
    heart: Heart, manager: Manager, clock: Time
) -> None:
    heart.decided(said("a"))
    heart.changing()
    clock.now += 1.0
    manager.until("WATCHDOG=1")
    clock.now += CHANGE_WITHIN_S
    manager.heard(0.3)  # what was under way
    assert manager.heard(1.0) == []


def test_a_long_start_asks_for_time_and_feeds_nothing(
    heart: Heart, manager: Manager, clock: Time
) -> None:
    with heart.step():
        manager.until("EXTEND_TIMEOUT_USEC=60000000")
        assert "WATCHDOG=1" not in manager.heard(0.3)
        clock.now += STEP_WITHIN_S
        manager.heard(0.3)
        assert manager.heard(1.0) == []
    assert heart.phase is Phase.STARTING
    heart.decided(said("a"))
    assert manager.heard()[0] == "READY=1\nSTATUS=a"


def test_a_step_between_two_homes_is_fed(heart: Heart, manager: Manager, clock: Time) -> None:
    heart.decided(said("a"))
    heart.changing()
    with heart.step():
        for _ in range(3):
            clock.now += 600.0
            manager.until("WATCHDOG=1")
    assert heart.phase is Phase.CHANGING
    manager.heard()
    heart.decided(said("b"))
    assert "READY=1\nSTATUS=b" in manager.heard()


def test_a_hub_that_nobody_started_says_nothing_and_has_no_thread() -> None:
    heart = Heart(ServiceManager())
    heart.decided(said("a"))
    heart.changing()
    with heart.step():
        heart.decided(said("a"))
    assert heart.watchdog_s is None
    assert heart._rest is None
