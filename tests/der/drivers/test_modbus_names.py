"""A device known by a name with two addresses, at one of which nobody is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.machines import machine, needs_namespaces

pytestmark = [pytest.mark.requirement("SVC-OPEN"), needs_namespaces]

OWN, OWN6, DEAD6 = "192.168.50.2", "2001:db8:50::2", "2001:db8:50::dead"
PROGRAM = f"""
import asyncio, socket
from der.addresses import ModbusAddress
from der.drivers.modbus.connection import ModbusConnection
async def main():
    server = await asyncio.start_server(lambda *_: None, "{OWN}", 502)
    found = await asyncio.get_running_loop().getaddrinfo("meter.test", 502, type=1)
    print(*(address[0] for *_, address in found))
    connection = await ModbusConnection.open("meter", ModbusAddress("meter.test", 502))
    print(connection.peer.host)
    connection.close()
    server.close()
asyncio.run(main())
"""


def test_the_second_address_of_a_name_is_tried_in_time(tmp_path: Path) -> None:
    """The first one is of IPv6, and would keep the hub waiting for longer than it may take."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{OWN} meter.test\n{DEAD6} meter.test\n")
    with machine(mounts=True) as hub, machine() as other:
        hub.ip(f"link add net0 type veth peer name net0 netns {other.pid}")
        other.ip("link set net0 up")
        for line in (f"address add {OWN}/24 dev net0", f"address add {OWN6}/64 dev net0 nodad"):
            hub.ip(line)
        for device in ("lo", "net0"):
            hub.ip(f"link set {device} up")
        hub.run("mount", "--bind", str(hosts), "/etc/hosts")
        done = subprocess.run(
            hub.command(sys.executable, "-c", PROGRAM),
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{DEAD6} {OWN}", OWN]
