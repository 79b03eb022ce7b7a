"""A town on one machine: a home behind its router, its devices, and the utility far away.

```
hub 192.168.50.2 ──── router ──(cable "wan")── 10.60.0.2  utility
                     192.168.50.1              10.60.0.53 names
house 192.168.50.10 ──(cable "lan")─┘
```
Each is a network namespace; with IPv6 beside IPv4 (`2001:db8:50::` in the home, `2001:db8:60::`
outside). The simulated devices listen on their own machine's loopback, to which what comes in is
led.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from tests.machines import Machine, machine
from tests.netfaults.names import Book
from tests.netfaults.portal import HTTP_PORT, TLS_PORT
from tests.netfaults.wire import Carried, Weather

HUB, HOUSE, ROUTER = "192.168.50.2", "192.168.50.10", "192.168.50.1"
HOME = "192.168.50.0/24"
UTILITY, NAMES, OUTER = "10.60.0.2", "10.60.0.53", "10.60.0.1"
HUB6, UTILITY6 = "2001:db8:50::2", "2001:db8:60::2"
NAME: Final = "utility.test"
METER: Final = "meter.test"
"""The meter's name: it has an address of IPv6, too, at which nobody is."""
KNOWN: Final = {NAME: (UTILITY,), METER: ("2001:db8:50::dead", HOUSE)}
BOOK: Final = Book(names=KNOWN)
FAIR: Final = Weather()


@dataclass
class Helper:
    """A program beside the town that takes orders on its standard input.

    Attributes:
        process: The program.
        said: What else it wrote, once it has ended.
    """

    process: "subprocess.Popen[str]"
    said: str = ""

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
    made = Helper(process)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", module
        yield made
    finally:
        process.kill()
        made.said = process.communicate()[0]


@dataclass
class Town:
    """The machines, and what happens between them."""

    hub: Machine
    house: Machine
    router: Machine
    grid: Machine
    cables: Helper
    names: Helper
    resolv: Path
    _flows: int = field(default=0, init=False)

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
        except BaseException:
            self.weather(cable)
            raise
        done = self.weather(cable)
        harmed = done.lost if weather.loss or weather.mtu or weather.cut else done.carried
        assert harmed, f"{weather} harmed nothing"

    @contextlib.contextmanager
    def patient(self) -> Iterator[None]:
        """Have the hub's machine wait for a name as long as machines usually do, 5 s each time."""
        hurried = self.resolv.read_text()
        self.resolv.write_text(f"nameserver {NAMES}\noptions timeout:5 attempts:2\n")
        try:
            yield
        finally:
            self.resolv.write_text(hurried)

    def book(self, book: Book = BOOK) -> int:
        """Change the names; returns how often one was asked for since the last change."""
        return int(self.names.order(book.model_dump_json()))

    @contextlib.contextmanager
    def rules(self, text: str) -> Iterator[None]:
        """Have rules at the router (a table's inside, for `nft`) while the context lasts."""
        self.router.run("nft", "-f", "-", given=f"table inet fault {{\n{text}\n}}\n")
        try:
            yield
        finally:
            self.router.run("nft", "delete", "table", "inet", "fault")

    @contextlib.contextmanager
    def inn(self, certificate: Path, key: Path) -> Iterator[Helper]:
        """Have the router answer for everybody outside, as a captive portal does."""
        to_inn = f"ip saddr {HUB} ip daddr != {HOME} meta l4proto tcp"
        inn = f"""chain divert {{
            type nat hook prerouting priority -100;
            {to_inn} tcp dport 80 dnat ip to {ROUTER}:{HTTP_PORT}
            {to_inn} dnat ip to {ROUTER}:{TLS_PORT}
        }}"""
        arguments = (str(certificate), str(key), ROUTER, str(TLS_PORT), str(HTTP_PORT))
        with helper(self.router, "portal", *arguments) as portal, self.rules(inn):
            self.new_flows()  # what stood before would go on past the inn
            yield portal
        self.new_flows()

    @contextlib.contextmanager
    def impostor(self, host: str, port: int, certificate: Path, key: Path) -> Iterator[Helper]:
        """Have somebody listen outside, at an address of the utility's machine."""
        arguments = (str(certificate), str(key), host, str(port), str(HTTP_PORT))
        with helper(self.grid, "portal", *arguments) as portal:
            yield portal

    def new_flows(self, *, silently: bool = False) -> None:
        """End all connections over the router that there are now; new ones may be made.

        Args:
            silently: As a router does that forgets them: nobody at the ends is told.
        """
        self._flows += 1
        old = f'oifname "wan0" ct mark != 0 ct mark != {self._flows}'
        back = f'iifname "wan0" ct mark != 0 ct mark != {self._flows}'
        way = "drop" if silently else "meta l4proto tcp reject with tcp reset"
        self.router.run(
            "nft",
            "-f",
            "-",
            given=f"""table inet flows
            delete table inet flows
            table inet flows {{ chain forward {{
                type filter hook forward priority -20;
                {old} {way}
                {back} {way}
                ct mark 0 ct mark set {self._flows}
            }}
            }}
            """,
        )

    @classmethod
    @contextlib.contextmanager
    def made(cls, resolv: Path) -> Iterator[Self]:
        """Put the town together.

        Args:
            resolv: File that is to be the hub's /etc/resolv.conf.
        """
        resolv.write_text(f"nameserver {NAMES}\noptions timeout:2 attempts:2\n")
        with contextlib.ExitStack() as stack:
            hub, house, router, grid = (
                stack.enter_context(machine(mounts=mounts))
                for mounts in (True, False, False, False)
            )
            hub.run("mount", "--bind", str(resolv), str(Path("/etc/resolv.conf").resolve()))
            _route(router)
            cables = (
                f"wan:{router.pid}:wan0:{grid.pid}:net0",
                f"lan:{router.pid}:lan1:{house.pid}:net0",
            )
            carrying = stack.enter_context(helper(router, "wire", *cables))
            router.ip(f"link add lan0 type veth peer name net0 netns {hub.pid}")
            for port in ("lan0", "lan1"):
                router.ip(f"link set {port} master home up")
            _settle(router, "wan0", (f"{OUTER}/24", "2001:db8:60::1/64"))
            _settle(hub, "net0", (f"{HUB}/24", f"{HUB6}/64"), via=(ROUTER, "2001:db8:50::1"))
            _settle(
                house, "net0", (f"{HOUSE}/24", "2001:db8:50::10/64"), via=(ROUTER, "2001:db8:50::1")
            )
            outside = (f"{UTILITY}/24", f"{NAMES}/24", f"{UTILITY6}/64")
            _settle(grid, "net0", outside, via=(OUTER, "2001:db8:60::1"))
            knows = stack.enter_context(helper(grid, "names", NAMES))
            town = cls(hub, house, router, grid, carrying, knows, resolv)
            town.book()
            town.new_flows()
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
    _settle(router, "home", (f"{ROUTER}/24", "2001:db8:50::1/64"))


def _settle(where: Machine, device: str, addresses: Sequence[str], via: Sequence[str] = ()) -> None:
    where.ip("link set lo up")
    for address in addresses:
        later = " nodad" if ":" in address else ""
        where.ip(f"address add {address} dev {device}{later}")
    where.ip(f"link set {device} up")
    for gateway in via:
        where.ip(f"{'-6 ' if ':' in gateway else ''}route add default via {gateway}")
