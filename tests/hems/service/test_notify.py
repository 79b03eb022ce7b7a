"""What the service manager hears, on a real datagram socket."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hems.service.notify import ServiceManager

pytestmark = pytest.mark.requirement("LC-TEST")


@pytest.fixture(params=["path", "abstract"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Yield the manager's end, and what `NOTIFY_SOCKET` says of it."""
    name = f"@{tmp_path.name}-{os.getpid()}" if request.param == "abstract" else f"{tmp_path}/n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0", 1))
        manager.settimeout(10.0)
        yield manager, name


def test_it_is_told_by_one_datagram_each(line: tuple[socket.socket, str]) -> None:
    manager, name = line
    environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000", "LANG": "C"}
    told = ServiceManager.taken(environment, os.getpid())
    assert environment == {"LANG": "C"}, "no child of ours is to speak for us"
    assert told.watchdog_s == 30.0
    told.ready("all\nis  well")
    assert manager.recv(999) == b"READY=1\nSTATUS=all is well"
    told.well()
    assert manager.recv(999) == b"WATCHDOG=1"
    told.reloading()
    first, moment, status = manager.recv(999).split(b"\n")
    assert (first, status) == (b"RELOADING=1", b"STATUS=reads its configuration")
    assert moment.removeprefix(b"MONOTONIC_USEC=").isdigit()
    told.patience(60.0)
    assert manager.recv(999) == b"EXTEND_TIMEOUT_USEC=60000000"
    told.stopping()
    assert manager.recv(999) == b"STOPPING=1\nSTATUS=ends in order"
    told.status("x" * 5000)
    assert len(manager.recv(9999)) < 300


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({}, None),
        ({"NOTIFY_SOCKET": "/x"}, None),
        ({"WATCHDOG_USEC": "1000000"}, None),
        ({"NOTIFY_SOCKET": "vsock:2:1", "WATCHDOG_USEC": "1000000"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "500000"}, 0.5),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "500000", "WATCHDOG_PID": "77"}, 0.5),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "500000", "WATCHDOG_PID": "78"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, None),
    ],
)
def test_a_watchdog_is_fed_where_it_waits_for_us(
    environment: dict[str, str], watchdog_s: float | None
) -> None:
    assert ServiceManager.taken(environment, 77).watchdog_s == watchdog_s
    assert environment == {}


def test_nobody_or_one_who_has_gone_is_no_trouble(tmp_path: Path) -> None:
    ServiceManager().ready("x")
    ServiceManager(str(tmp_path / "gone")).well()


def test_one_who_does_not_listen_holds_nobody_up(line: tuple[socket.socket, str]) -> None:
    _, name = line
    told = ServiceManager.taken({"NOTIFY_SOCKET": name}, 1)
    for _ in range(5000):  # more than the kernel keeps for a reader who does not read
        told.well()


def test_a_child_of_a_hub_does_not_know_the_socket() -> None:
    program = (
        "import os, subprocess, sys\n"
        "from hems.service.notify import started_by\n"
        "assert started_by().address == '/x'\n"
        "sys.stdout.write(subprocess.check_output(['env'], text=True))\n"
    )
    variables = {**os.environ, "NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}
    said = subprocess.check_output([sys.executable, "-c", program], env=variables, text=True)
    assert "PATH=" in said
    assert not [each for each in said.splitlines() if each.startswith(("NOTIFY", "WATCHDOG"))]
