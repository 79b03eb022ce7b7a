"""A town on one machine: a home behind its router, its devices, and the utility far away.

```
hub 192.168.50.2 ──── router ──(cable "wan")── 10.60.0.2  utility
                     192.168.50.1              10.60.0.53 names
house 192.168.50.10 ──(cable "lan")─┘
```
Each is a network namespace; with IPv6 beside IPv4 (`fd50::` in the home, `fd60::` outside). The
simulated devices listen on their own machine's loopback, to which what comes in is led.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.machines import Machine, machine
from tests.netfaults.names import Book
from tests.netfaults.portal import HTTP_PORT, TLS_PORT
from tests.netfaults.wire import Carried, Weather

HUB, HOUSE, ROUTER = "192.168.50.2", "192.168.50.10", "192.168.50.1"
UTILITY, NAMES, OUTER = "10.60.0.2", "10.60.0.53", "10.60.0.1"
HUB6, UTILITY6 = "fd50::2", "fd60::2"
NAME: Final = "utility.test"
BOOK: Final = Book(names={NAME: (UTILITY,)})
FAIR: Final = Weather()


@dataclass(frozen=True)
class Helper:
    """A program beside the town that takes orders on its standard input."""

    process: "subprocess.Popen[str]"

    def order(self, line: str) -> str:
        """Give an order; returns its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().strip()


@contextlib.contextmanager
def helper(where: Machine, module: str, *arguments: str) -> Iterator[Helper]:
    """Run a program of this folder on a machine while the context lasts."""
    command = where.command(sys.executable, "-m", f"tests.netfaults.{module}", *arguments)
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", module
        yield Helper(process)
    finally:
        process.kill()
        process.communicate()


@dataclass
class Town:
    """The machines, and what happens between them."""

    hub: Machine
    house: Machine
    router: Machine
    grid: Machine
    cables: Helper
    names: Helper

    def weather(self, cable: str, weather: Weather = FAIR) -> Carried:
        """Change what a cable does; returns what went through it since the last change."""
        order = json.dumps({"cable": cable, **weather.model_dump()})
        return Carried.model_validate_json(self.cables.order(order))

    @contextlib.contextmanager
    def bad(self, cable: str, weather: Weather) -> Iterator[None]:
        """Have bad weather while the context lasts; something must have been lost or gone late."""
        self.weather(cable, weather)
        try:
            yield
        finally:
            done = self.weather(cable)
        assert done.carried + done.lost, "nothing was sent over the bad cable"

    def book(self, book: Book = BOOK) -> int:
        """Change the names; returns how often one was asked for since the last change."""
        return int(self.names.order(book.model_dump_json()))

    @contextlib.contextmanager
    def rules(self, text: str) -> Iterator[None]:
        """Have rules at the router (a table's inside, as `nft` reads it) while the context lasts."""
        self.router.run("nft", "-f", "-", given=f"table inet fault {{\n{text}\n}}\n")
        try:
            yield
        finally:
            self.router.run("nft", "delete", "table", "inet", "fault")

    @contextlib.contextmanager
    def inn(self, certificate: Path, key: Path) -> Iterator[Helper]:
        """Have the router answer for everybody outside, as a captive portal does."""
        inn = f"""chain divert {{
            type nat hook prerouting priority -100;
            ip saddr {HUB} ip daddr != {ROUTER} tcp dport 80 dnat ip to {ROUTER}:{HTTP_PORT}
            ip saddr {HUB} ip daddr != {ROUTER} meta l4proto tcp dnat ip to {ROUTER}:{TLS_PORT}
        }}
        chain cut {{
            type filter hook forward priority 0;
            ip saddr {HUB} meta l4proto tcp reject with tcp reset
            ip daddr {HUB} meta l4proto tcp drop
        }}"""
        with helper(self.router, "portal", str(certificate), str(key)) as portal, self.rules(inn):
            yield portal

    @classmethod
    @contextlib.contextmanager
    def made(cls, resolv: Path) -> Iterator[Self]:
        """Put the town together.

        Args:
            resolv: File that is to be the hub's /etc/resolv.conf.
        """
        resolv.write_text(f"nameserver {NAMES}\n")
        with contextlib.ExitStack() as stack:
            hub, house, router, grid = (
                stack.enter_context(machine(mounts=mounts)) for mounts in (True, False, False, False)
            )
            hub.run("mount", "--bind", str(resolv), str(Path("/etc/resolv.conf").resolve()))
            _route(router)
            cables = (f"wan:{router.pid}:wan0:{grid.pid}:net0", f"lan:{router.pid}:lan1:{house.pid}:net0")
            carrying = stack.enter_context(helper(router, "wire", *cables))
            router.ip(f"link add lan0 type veth peer name net0 netns {hub.pid}")
            for port in ("lan0", "lan1"):
                router.ip(f"link set {port} master home up")
            _settle(router, "wan0", (f"{OUTER}/24", "fd60::1/64"))
            _settle(hub, "net0", (f"{HUB}/24", f"{HUB6}/64"), via=(ROUTER, "fd50::1"))
            _settle(house, "net0", (f"{HOUSE}/24", "fd50::10/64"), via=(ROUTER, "fd50::1"))
            outside = (f"{UTILITY}/24", f"{NAMES}/24", f"{UTILITY6}/64")
            _settle(grid, "net0", outside, via=(OUTER, "fd60::1"))
            knows = stack.enter_context(helper(grid, "names", NAMES))
            town = cls(hub, house, router, grid, carrying, knows)
            town.book()
            yield town

    def lead_in(self, ports: Sequence[int]) -> None:
        """Lead what comes to the house's machine on to the devices, which are on its loopback."""
        self.house.run("sysctl", "-q", "-w", "net.ipv4.conf.all.route_localnet=1")
        to = ", ".join(str(port) for port in ports if port)
        rule = f"""table ip led {{ chain inward {{
            type nat hook prerouting priority -100;
            tcp dport {{ {to} }} dnat to 127.0.0.1
        }}
        }}"""
        self.house.run("nft", "-f", "-", given=rule)


def _route(router: Machine) -> None:
    for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        router.run("sysctl", "-q", "-w", f"{key}=1")
    router.ip("link add home type bridge")
    _settle(router, "home", (f"{ROUTER}/24", "fd50::1/64"))


def _settle(where: Machine, device: str, addresses: Sequence[str], via: Sequence[str] = ()) -> None:
    where.ip("link set lo up")
    for address in addresses:
        later = " nodad" if ":" in address else ""
        where.ip(f"address add {address} dev {device}{later}")
    where.ip(f"link set {device} up")
    for gateway in via:
        where.ip(f"{'-6 ' if ':' in gateway else ''}route add default via {gateway}")


def hosts(addresses: Mapping[str, tuple[str, ...]]) -> Book:
    """Return a book of names."""
    return Book(names=addresses)
