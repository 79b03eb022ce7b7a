"""The helper with Debian's nft in a real network: what passes the hub, what does not, and nonsense.

The hub's part of the network is a namespace of its own; what the helper does there touches no other
machine.
"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest

from der.service import Device
from hems.clock import SystemClock
from hems.commands.firewall_helper import HelperError, give, listen
from hems.emg.firewall.client import FirewallError, ask
from hems.emg.firewall.wire import DeviceRules, Order, Outside, Rules, State
from hems.emg.trust.trust import Trust, TrustEvents
from hems.security.fencing import Fencing
from hems.settings.config import Config
from hems.store.store import open_store
from tests.der.shelf import SPEC, Shelf
from tests.hems.emg.firewall.lan import (
    CLOUD,
    DEVICE,
    HUB,
    MAC,
    OTHER,
    OUTSIDE,
    Lan,
    lan,
    needs_nft,
)
from tests.machines import Machine

pytestmark = [
    needs_nft,
    pytest.mark.requirement("L2-BLOCK", "L1-PRIVILEGE"),
    pytest.mark.timeout(120),
]

OPEN = DeviceRules(
    device="bat",
    macs=(MAC,),
    addresses=(ip_address(DEVICE),),
    outside=(Outside(address=ip_address(OUTSIDE), port=CLOUD),),
)
SHUT = DeviceRules(device="bat", macs=(MAC,), addresses=(ip_address(DEVICE),), shut=True)
NET_ADMIN = 1 << 12
NOBODY = 65534


@dataclass
class Helper:
    """A helper that runs in the hub's namespace."""

    process: "subprocess.Popen[bytes]"
    path: Path
    log: Path

    def set(self, *devices: DeviceRules) -> State:
        """Set rules."""
        return asyncio.run(ask(self.path, Order(ask="set", rules=Rules(devices=devices))))

    def show(self) -> State:
        """Ask what holds."""
        return asyncio.run(ask(self.path, Order(ask="show")))

    def flush(self) -> State:
        """Take the rules away."""
        return asyncio.run(ask(self.path, Order(ask="flush")))

    def stop(self) -> None:
        """End it; twice does nothing."""
        self.process.terminate()
        self.process.wait(10)


@contextlib.contextmanager
def helping(hub: Machine, folder: Path, *more: str) -> Iterator[Helper]:
    path, log = folder / "firewall.sock", folder / "helper.log"
    command = hub.command(
        *(sys.executable, "-m", "hems", "firewall", "serve", "--socket", str(path), *more)
    )
    with log.open("ab") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + 20
        while not path.is_socket():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield Helper(process, path, log)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def net() -> Iterator[Lan]:
    with lan() as found:
        yield found


@pytest.fixture
def helper(net: Lan, tmp_path: Path) -> Iterator[Helper]:
    with helping(net.hub, tmp_path, "--as", "nobody") as found:
        yield found
        if found.process.poll() is None:
            found.flush()


def tried(net: Lan) -> dict[str, bool]:
    """Return what the device reaches."""
    return {
        "cloud": net.tried("tcp", CLOUD),
        "other": net.tried("tcp", OTHER),
        "names": net.tried("udp", 53),
        "names by tcp": net.tried("tcp", 53),
        "time": net.tried("udp", 123),
        "mdns": net.tried("udp", 5353),
    }


def test_what_a_device_reaches_through_the_hub(net: Lan, helper: Helper) -> None:
    assert set(tried(net).values()) == {True}, "without rules all of it"
    assert not helper.show().holds
    assert helper.set(OPEN).holds
    expected = {"cloud": True, "other": False, "names": True, "names by tcp": True, "time": True}
    assert tried(net) == {**expected, "mdns": False}
    helper.set(SHUT)
    assert set(tried(net).values()) == {False}
    (stopped,) = helper.show().stopped
    assert (stopped.device, stopped.packets > 0, stopped.octets > 0) == ("bat", True, True)
    helper.set()
    assert set(tried(net).values()) == {True}, "nothing is said of it any more"


def test_a_connection_that_is_open_is_cut(net: Lan, helper: Helper) -> None:
    helper.set(OPEN)
    with net.held(CLOUD) as held:
        assert held.tried()
        helper.set(OPEN)
        assert held.tried(), "the same rules anew cut nothing"
        helper.set(SHUT)
        assert not held.tried()
        helper.set(DeviceRules(device="bat", macs=(MAC,)))
        assert not held.tried(), "the place was taken away"
    with net.held(53) as held:
        helper.set(OPEN)
        assert held.tried()


def test_another_address_does_not_help(net: Lan, helper: Helper) -> None:
    helper.set(SHUT)
    assert not net.tried("tcp", CLOUD)
    _move(net.device, DEVICE, "192.168.40.3")
    try:
        assert not net.tried("tcp", CLOUD)
    finally:
        _move(net.device, "192.168.40.3", DEVICE)
    helper.flush()
    assert net.tried("tcp", CLOUD)


def _move(machine: Machine, old: str, new: str) -> None:
    machine.ip(f"address del {old}/24 dev net0")
    machine.ip(f"address add {new}/24 dev net0")
    machine.ip(f"route add default via {HUB}")


def test_another_mac_does_not_help_either(net: Lan, helper: Helper) -> None:
    helper.set(SHUT)
    net.device.ip("link set net0 address 02:00:00:00:00:41")
    try:
        assert not net.tried("tcp", CLOUD)
    finally:
        net.device.ip(f"link set net0 address {MAC}")


def test_what_is_shut_does_not_come_in_at_the_hub(net: Lan, helper: Helper) -> None:
    server = subprocess.Popen(
        net.hub.command(
            sys.executable,
            "-c",
            "import socket; s = socket.create_server(('0.0.0.0', 9000)); print('ready', flush=1)\n"
            "while True:\n c, _ = s.accept(); c.sendall(c.recv(9)); c.close()",
        ),
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        helper.set(OPEN)
        assert net.tried("tcp", 9000, HUB)
        helper.set(SHUT)
        assert not net.tried("tcp", 9000, HUB)
    finally:
        server.kill()
        server.communicate()


def test_others_rules_are_not_touched(net: Lan, helper: Helper) -> None:
    net.hub.run("/usr/sbin/nft", "add table inet mine")
    try:
        helper.set(SHUT)
        helper.flush()
        assert "table inet mine" in net.hub.run("/usr/sbin/nft", "list", "tables")
        assert "hems" not in net.hub.run("/usr/sbin/nft", "list", "tables")
    finally:
        net.hub.run("/usr/sbin/nft", "delete table inet mine")


def test_the_counts_go_on_when_rules_are_replaced(net: Lan, helper: Helper) -> None:
    helper.set(SHUT)
    assert not net.tried("udp", 53)
    before = helper.show().stopped[0].packets
    assert helper.set(SHUT).stopped[0].packets >= before > 0
    assert helper.set(OPEN).stopped[0].packets >= before


def test_the_rules_outlive_the_helper_and_the_next_one_knows_them(
    net: Lan, helper: Helper, tmp_path: Path
) -> None:
    helper.set(SHUT)
    helper.process.kill()
    helper.process.wait(10)
    assert not net.tried("tcp", CLOUD)
    (tmp_path / "other").mkdir()
    with helping(net.hub, tmp_path / "other", "--as", "nobody") as other:
        assert other.show().holds
        other.flush()
    assert net.tried("tcp", CLOUD)


def test_it_holds_one_right_and_no_other(helper: Helper) -> None:
    helper.show()  # it listens before it gives its rights up, and answers after
    status = Path(f"/proc/{helper.process.pid}/status").read_text()  # nsenter has become it
    found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(found[name], 16) == NET_ADMIN, name
    assert found["NoNewPrivs"] == "1"
    assert set(found["Uid"].split()) == {str(NOBODY)}
    assert oct(helper.path.stat().st_mode & 0o777) == "0o600"


def said(path: Path, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Say something to the helper as no hub does, and return what it answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(10)
        caller.connect(str(path))
        with contextlib.suppress(OSError):
            for piece in pieces:
                caller.sendall(piece)
                time.sleep(pause_s)
            caller.shutdown(socket.SHUT_WR)
        try:
            return caller.recv(65536)
        except OSError:
            return b""


NONSENSE: Sequence[object] = (
    None,
    "flush; reboot",
    {"ask": "run", "command": "reboot"},
    {"ask": "set"},
    {"ask": "set", "rules": {"devices": [{"device": "bat; drop"}]}},
    {"ask": "set", "rules": {"devices": [{"device": "bat", "macs": ["aa:bb"]}]}},
    {"ask": "set", "rules": {"devices": [{"device": "bat", "macs": ["02:00:00:00:00:40\n"]}]}},
    {"ask": "set", "rules": {"devices": [{"device": "bat", "addresses": ["0.0.0.0/0"]}]}},
    {"ask": "set", "rules": {"devices": [{"device": "bat", "addresses": ["127.0.0.1"]}]}},
    {"ask": "set", "rules": {"devices": [{"device": "bat", "addresses": ["fe80::1%eth0"]}]}},
    {"ask": "set", "rules": {"devices": [{"device": "bat", "addresses": ["1.2.3.4 drop"]}]}},
    {"ask": "set", "rules": {"devices": [{"device": "a"}, {"device": "a"}]}},
    {"ask": "set", "rules": {"devices": [{"device": f"d{n}"} for n in range(300)]}},
    {"ask": "set", "rules": {"devices": [{"device": "a", "outside": [{"address": OUTSIDE}]}]}},
    {
        "ask": "set",
        "rules": {"devices": [{"device": "a", "outside": [{"address": OUTSIDE, "port": 0}]}]},
    },
    {"ask": "flush", "rules": {}},
    {"ask": "set", "rules": {}, "more": 1},
)


@pytest.mark.requirement("LC-TEST")
def test_nonsense_changes_nothing(helper: Helper) -> None:
    helper.set(SHUT)
    for order in NONSENSE:
        answer = State.model_validate_json(said(helper.path, json.dumps(order).encode() + b"\n"))
        assert answer.error, order
    for pieces in ([b""], [b"\xff\xfe\n"], [b"{" * 100_000 + b"\n"], [b"no end"]):
        told = said(helper.path, *pieces)
        assert not told or State.model_validate_json(told).error
    assert said(helper.path, *[b"x" * 65536] * 5, b"\n") == b"", "too long"
    assert helper.show().holds


@pytest.mark.requirement("LC-TEST")
def test_one_who_is_slow_or_many_do_not_keep_the_hub_out(helper: Helper) -> None:
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
    try:
        for each in silent:
            each.connect(str(helper.path))
        assert not helper.show().holds, "each is given up after its time"
    finally:
        for each in silent:
            each.close()
    for _ in range(50):
        helper.show()
    assert said(helper.path, b"{", b'"ask"', b":", pause_s=1.0) == b"", "too slow"
    assert not helper.show().holds


@pytest.mark.requirement("L1-ACCESS")
def test_a_foreign_user_is_not_served(helper: Helper) -> None:
    helper.path.chmod(0o777)  # as if somebody had opened the door
    for folder in (helper.path.parent, *helper.path.parent.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    script = (
        "import os, socket; os.setresuid(65533, 65533, 65533)\n"
        f"s = socket.socket(socket.AF_UNIX); s.connect({str(helper.path)!r})\n"
        's.sendall(b\'{"ask": "flush"}\\n\'); print(s.recv(100))'
    )
    helper.set(SHUT)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.stdout.strip() == "b''" or "Error" in done.stderr
    assert helper.show().holds
    assert "refused a caller of user 65533" in helper.log.read_text()


def test_without_the_right_it_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hems", "firewall", "serve", "--socket", str(tmp_path / "s")]
    plain = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs"]
    done = subprocess.run(
        [*plain, *command], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert "CAP_NET_ADMIN" in done.stderr


def test_a_second_helper_does_not_push_the_first_out(net: Lan, helper: Helper) -> None:
    command = net.hub.command(
        *(sys.executable, "-m", "hems", "firewall", "serve", "--socket", str(helper.path))
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "a helper listens there already" in done.stderr
    assert not helper.show().holds


def test_the_command_shows_and_flushes(helper: Helper) -> None:
    def hems(action: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "hems", "firewall", action, "--socket", str(helper.path)],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done.stdout + done.stderr

    assert hems("show") == "no rules are set\n"
    helper.set(SHUT)
    assert hems("show").startswith("bat  ")
    assert hems("flush") == "no rules are set\n"
    helper.stop()
    assert "Connection refused" in hems("show")


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(FirewallError, match="No such file"):
        await ask(tmp_path / "none", Order(ask="show"))


async def test_somebody_else_there(tmp_path: Path) -> None:
    async def chatter(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        writer.close()

    path = tmp_path / "other"
    async with await asyncio.start_unix_server(chatter, path):
        with pytest.raises(FirewallError, match="no firewall helper"):
            await ask(path, Order(ask="show"))


@pytest.mark.requirement("L2-TRUST")
def test_the_hub_has_set_what_follows_from_its_list(
    net: Lan, helper: Helper, tmp_path: Path
) -> None:
    """The hub's own part and the helper together: a device that is shut loses the outside."""
    allowed = {"bat": (f"{OUTSIDE}:{CLOUD}",)}
    device = {
        "id": "bat",
        "kind": "battery",
        "name": "Battery",
        "driver": "sunspec",
        "host": DEVICE,
        "port": 502,
        "min": "-5 kW",
        "max": "5 kW",
    }
    section = {"on": True, "socket": helper.path, "outside": allowed}
    config = Config.model_validate({"firewall": section, "device": [device]})

    async def shut_and_back() -> list[dict[str, bool]]:
        store = await open_store(tmp_path / "hub.db", SystemClock())
        said: list[str | None] = []
        shelf = Shelf()
        shelf.answers.set()

        async def link() -> Shelf:
            return shelf

        devices = {"bat": Device(SPEC, link)}
        tell = TrustEvents(lambda _s, _t: None, lambda work: work.close(), lambda: None)
        trust = Trust(store.settings, devices, SystemClock(), tell)
        fencing = Fencing(config, trust, said.append)
        seen = []
        await trust.load()
        for step in (None, trust.block("bat", "it was stolen"), trust.allow("bat")):
            if step is not None:
                await step
            await fencing.look()
            seen.append(await asyncio.to_thread(tried, net))
            assert fencing.walled == {"bat"}
        await store.close()
        assert said == [None, None, None]
        return seen

    first, shut, last = asyncio.run(shut_and_back())
    assert first == last
    assert (first["cloud"], first["other"], first["names"]) == (True, False, True)
    assert set(shut.values()) == {False}


def test_the_socket_alone_is_given_to_the_hub_s_user(tmp_path: Path) -> None:
    """Whoever owns the folder may put a link to another file in the socket's place."""
    path, other = tmp_path / "firewall.sock", tmp_path / "other"
    other.write_text("root's")
    server = listen(path, NOBODY)
    with server:
        assert path.stat().st_uid == NOBODY
    for swapped in (path.symlink_to, path.hardlink_to):
        path.unlink()
        swapped(other)
        with pytest.raises((HelperError, OSError)):
            give(path, NOBODY)
        assert other.stat().st_uid == os.geteuid()


def test_the_service_manager_hears_when_it_can_be_asked(net: Lan, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{tmp_path}/notify")
        manager.settimeout(30.0)
        place = tmp_path / "helper"
        place.mkdir()
        command = ("env", f"NOTIFY_SOCKET={tmp_path}/notify", sys.executable)
        process = subprocess.Popen(
            net.hub.command(
                *(*command, "-m", "hems", "firewall", "serve", "--socket", f"{place}/firewall")
            )
        )
        try:
            assert manager.recv(999).startswith(b"READY=1\n")
            assert (place / "firewall").is_socket()
        finally:
            process.terminate()
            process.wait(20)
