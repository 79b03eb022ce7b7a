"""Three machines of a network in namespaces of their own: a device, the hub between, the outside.

device 192.168.40.2 --- 192.168.40.1 hub 10.9.0.1 --- 10.9.0.2 outside
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.machines import Machine, machine

MAC = "02:00:00:00:00:40"
DEVICE, HUB, OUTSIDE = "192.168.40.2", "192.168.40.1", "10.9.0.2"
CLOUD, OTHER = 8443, 9443

needs_nft = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("nft", path="/usr/sbin:/usr/bin") is None,
    reason="needs root and Debian's nftables (packaging/nftables)",
)

SERVER = """
import socket, threading
def tcp(port):
    server = socket.create_server(("0.0.0.0", port))
    while True:
        caller, _ = server.accept()
        threading.Thread(target=echo, args=(caller,), daemon=True).start()
def echo(caller):
    with caller:
        while data := caller.recv(100):
            caller.sendall(data)
def udp(port):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", port))
    while True:
        data, peer = server.recvfrom(100)
        server.sendto(data, peer)
for port in (53, 8443, 9443):
    threading.Thread(target=tcp, args=(port,), daemon=True).start()
for port in (53, 123, 5353):
    threading.Thread(target=udp, args=(port,), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""
TRY = """
import socket, sys
kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
sort = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
with socket.socket(socket.AF_INET, sort) as asking:
    asking.settimeout(0.7)
    try:
        asking.connect((host, port))
        asking.sendall(b"hello")
        print("passes" if asking.recv(100) == b"hello" else "nonsense")
    except OSError:
        print("dropped")
"""
HOLD = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 3) as held:
    held.settimeout(0.7)
    for line in sys.stdin:
        try:
            held.sendall(b"hello")
            print("passes" if held.recv(100) == b"hello" else "nonsense", flush=True)
        except OSError:
            print("dropped", flush=True)
"""


@dataclass(frozen=True)
class Lan:
    """The three machines."""

    device: Machine
    hub: Machine
    outside: Machine

    def tried(self, kind: str, port: int, host: str = OUTSIDE) -> bool:
        """Return whether the device gets an answer from a port."""
        said = self.device.run(sys.executable, "-c", TRY, kind, host, str(port)).strip()
        assert said in {"passes", "dropped"}
        return said == "passes"

    @contextlib.contextmanager
    def held(self, port: int) -> Iterator["Held"]:
        """Hold a connection from the device to the outside."""
        command = self.device.command(sys.executable, "-c", HOLD, OUTSIDE, str(port))
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        try:
            yield Held(process)
        finally:
            process.kill()
            process.communicate()


@dataclass(frozen=True)
class Held:
    """A connection that stands."""

    process: "subprocess.Popen[str]"

    def tried(self) -> bool:
        """Return whether something still comes back on it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        said = self.process.stdout.readline().strip()
        assert said in {"passes", "dropped"}
        return said == "passes"


def _wired(one: Machine, other: Machine, name: str) -> None:
    one.ip(f"link add {name} type veth peer name net0 netns {other.pid}")


@contextlib.contextmanager
def lan() -> Iterator[Lan]:
    """Put the network together, with somebody outside who answers."""
    with machine() as device, machine() as hub, machine() as outside:
        _wired(hub, device, "inner")
        _wired(hub, outside, "outer")
        device.ip(f"link set net0 address {MAC}")
        for where, address in ((device, DEVICE), (outside, OUTSIDE)):
            where.ip("link set lo up")
            where.ip("link set net0 up")
            where.ip(f"address add {address}/24 dev net0")
        for name, address in (("inner", HUB), ("outer", "10.9.0.1")):
            hub.ip(f"link set {name} up")
            hub.ip(f"address add {address}/24 dev {name}")
        hub.ip("link set lo up")
        device.ip(f"route add default via {HUB}")
        outside.ip("route add default via 10.9.0.1")
        hub.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        server = subprocess.Popen(
            outside.command(sys.executable, "-c", SERVER), stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            assert server.stdout.readline().strip() == "ready"
            yield Lan(device, hub, outside)
        finally:
            server.kill()
            server.communicate()
