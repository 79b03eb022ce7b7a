"""Who is barred, in a real network: no new way in, and nothing else is lost by it."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from hems.emg.firewall.client import ask
from hems.emg.firewall.wire import Barred, Order, Rules
from tests.hems.emg.firewall.lan import DEVICE, HUB, OTHER, OUTSIDE, Lan, lan, needs_nft
from tests.hems.emg.firewall.test_helper import Helper, helping
from tests.waiting import until

pytestmark = [needs_nft, pytest.mark.requirement("L2-BLOCK"), pytest.mark.timeout(120)]

PAGE, CHARGERS = 8080, 9000
DOORS = """
import socket, threading
def door(port):
    server = socket.create_server(("0.0.0.0", port))
    while True:
        caller, _ = server.accept()
        caller.sendall(caller.recv(100))
        caller.close()
for port in (8080, 9000):
    threading.Thread(target=door, args=(port,), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""
CALL = """
import socket
with socket.create_connection(("10.9.0.2", 9443), 3) as called:
    called.settimeout(3)
    called.sendall(b"hello")
    print(called.recv(100).decode(), flush=True)
"""


@pytest.fixture(scope="module")
def net() -> Iterator[Lan]:
    with lan() as found, _doors(found):
        yield found


@pytest.fixture
def helper(net: Lan, tmp_path: Path) -> Iterator[Helper]:
    with helping(net.hub, tmp_path, "--as", "nobody") as found:
        yield found
        if found.process.poll() is None:
            found.flush()


@contextlib.contextmanager
def _doors(net: Lan) -> Iterator[None]:
    server = subprocess.Popen(
        net.hub.command(sys.executable, "-c", DOORS), stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "ready"
        yield
    finally:
        server.kill()
        server.communicate()


def bar(helper: Helper, address: str, seconds: int) -> None:
    barred = Barred(source=ip_network(address), seconds=seconds)
    rules = Rules(barred=(barred,), open_ports=(PAGE,))
    assert asyncio.run(ask(helper.path, Order(ask="set", rules=rules))).holds


def test_who_is_barred_finds_the_page_alone(net: Lan, helper: Helper) -> None:
    assert net.tried("tcp", CHARGERS, HUB)
    bar(helper, DEVICE, 600)
    assert not net.tried("tcp", CHARGERS, HUB)
    assert net.tried("tcp", PAGE, HUB), "there the owner can prove who they are"
    assert net.tried("tcp", OTHER), "what passes the hub is another matter"
    helper.flush()
    assert net.tried("tcp", CHARGERS, HUB)


def test_whom_the_hub_calls_answers_it_though_barred(net: Lan, helper: Helper) -> None:
    bar(helper, OUTSIDE, 600)
    assert net.hub.run(sys.executable, "-c", CALL).strip() == "hello"


async def test_the_kernel_lets_go_by_itself(net: Lan, helper: Helper) -> None:
    await asyncio.to_thread(bar, helper, DEVICE, 2)
    helper.stop()  # nobody is there to lift it

    async def comes_in() -> bool:
        return await asyncio.to_thread(net.tried, "tcp", CHARGERS, HUB)

    await until(comes_in, bool, 30.0, "the time is over")
    await asyncio.to_thread(net.hub.run, "nft", "delete", "table", "inet", "hems")
