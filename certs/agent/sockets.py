"""Who listens and who is connected on this machine, as /proc/net has it; and what nobody expects.

Lines of /proc/net/tcp, tcp6, udp and udp6 as proc(5) describes them.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Final

Address = IPv4Address | IPv6Address

HALF_OPEN: Final = 50
"""So many connections that were begun and not finished are no accident."""
SETTLED_S: Final = 60.0
"""What the hub opens within this after its start is part of it."""
_AGAIN_S: Final = 600.0
_FIRST_EPHEMERAL: Final = 32_768
"""UDP ports from here on are of those who ask, not of those who answer."""
_MOST_KEPT: Final = 4_096
_WORD: Final = 8
_COLUMNS: Final = 10


class State(Enum):
    """Of a socket, as the kernel numbers it; those that are of use here."""

    ESTABLISHED = 1
    HALF_OPEN = 3
    UNCONNECTED = 7
    LISTEN = 10


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket.

    Attributes:
        udp: Whether of UDP; else of TCP.
        local: Its own address.
        port: Its own port.
        remote: The other side's address.
        state: How it stands.
        inode: By which its process is found.
    """

    udp: bool
    local: Address
    port: int
    remote: Address
    state: State
    inode: int

    @property
    def listens(self) -> bool:
        """Whether anybody can speak to it unasked."""
        if self.udp:
            return self.state is State.UNCONNECTED and self.port < _FIRST_EPHEMERAL
        return self.state is State.LISTEN


class Oddity(StrEnum):
    """What nobody expects."""

    HUB_LISTENS = "hub-listens"
    MACHINE_LISTENS = "machine-listens"
    FROM_OUTSIDE = "from-outside"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Odd:
    """Something that nobody expects.

    Attributes:
        what: What.
        address: Whose: the listener's own, or the other side's.
        port: Of this machine; 0 where there is no single one.
        count: How many.
    """

    what: Oddity
    address: str
    port: int
    count: int = 1


def parse(text: str, *, udp: bool) -> Iterator[Socket]:
    """Yield the sockets of one of the kernel's tables; lines that make no sense are left out."""
    known = {state.value: state for state in State}
    for line in text.splitlines()[1:]:
        columns = line.split()
        if len(columns) < _COLUMNS:
            continue
        try:
            state = known.get(int(columns[3], 16))
            if state is None:
                continue
            local, port = _place(columns[1])
            remote, _ = _place(columns[2])
            yield Socket(udp, local, port, remote, state, int(columns[9]))
        except ValueError:
            continue


def _place(text: str) -> tuple[Address, int]:
    """Return address and port; the kernel writes an address as words of the machine's order."""
    address, _, port = text.partition(":")
    words = [address[i : i + _WORD] for i in range(0, len(address), _WORD)]
    packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
    found: Address = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)  # noqa: PLR2004
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found, int(port, 16)


def present(proc: Path = Path("/proc")) -> list[Socket]:
    """Return all sockets of this machine that anybody could speak to."""
    found: list[Socket] = []
    for name in ("tcp", "tcp6", "udp", "udp6"):
        try:
            text = (proc / "net" / name).read_text(encoding="ascii")
        except OSError:
            continue  # a machine without IPv6
        found += parse(text, udp=name.startswith("udp"))
    return found


def of_process(pid: int, proc: Path = Path("/proc")) -> frozenset[int]:
    """Return the inodes of a process's sockets; empty where that is not ours to see."""
    found = set()
    try:
        for entry in os.scandir(proc / str(pid) / "fd"):
            link = os.readlink(entry.path)  # noqa: PTH115
            if link.startswith("socket:["):
                found.add(int(link[8:-1]))
    except OSError:
        return frozenset(found)
    return frozenset(found)


def prefixes(proc: Path = Path("/proc")) -> tuple[IPv6Network, ...]:
    """Return the IPv6 networks that this machine is in: homes have global ones."""
    try:
        lines = (proc / "net" / "if_inet6").read_text(encoding="ascii").splitlines()
        return tuple(
            IPv6Network((int(row[0], 16), int(row[2], 16)), strict=False)
            for row in (line.split() for line in lines)
        )
    except (OSError, ValueError, IndexError):
        return ()


@dataclass(slots=True)
class Lookout:
    """Tells what nobody expects, each thing once.

    Attributes:
        ports: That the hub is configured to listen at.
        networks: That belong to the home beside the private ones, as CIDR.
    """

    ports: frozenset[int]
    networks: Sequence[str] = ()
    _known: set[tuple[bool, str, int]] = field(default_factory=set)
    _told: dict[tuple[str, int], float] = field(default_factory=dict)
    _begun_at: float | None = None

    def look(
        self,
        sockets: Sequence[Socket],
        hub: frozenset[int],
        now: float,
        own: Sequence[IPv6Network] = (),
    ) -> list[Odd]:
        """Return what is new and not expected.

        Args:
            sockets: Those of this machine.
            hub: Inodes of the hub's.
            now: Monotonic seconds.
            own: IPv6 networks that this machine is in.
        """
        if self._begun_at is None:
            self._begun_at = now
        settled = now - self._begun_at >= SETTLED_S
        first = now == self._begun_at
        found = list(self._listeners(sockets, hub, first=first, settled=settled))
        listening = {s.port for s in sockets if s.listens and not s.udp}
        for socket in sockets:
            inward = socket.state is State.ESTABLISHED and not socket.udp
            if inward and socket.port in listening and not self._at_home(socket.remote, own):
                odd = Odd(Oddity.FROM_OUTSIDE, str(socket.remote), socket.port)
                found += self._once((odd.address, odd.port), odd, now)
        half = [s for s in sockets if s.state is State.HALF_OPEN]
        if len(half) >= HALF_OPEN:
            odd = Odd(Oddity.HALF_OPEN, _most(half), 0, len(half))
            found += self._once(("", 0), odd, now)
        return found

    def restarted(self) -> None:
        """Begin anew with what the hub opens: another one runs."""
        self._begun_at = None

    def _listeners(
        self, sockets: Sequence[Socket], hub: frozenset[int], *, first: bool, settled: bool
    ) -> Iterator[Odd]:
        here = {(s.udp, str(s.local), s.port): s for s in sockets if s.listens}
        for key, socket in here.items():
            if key in self._known or first:
                continue
            if socket.inode in hub:
                if settled and socket.port not in self.ports:
                    yield Odd(Oddity.HUB_LISTENS, str(socket.local), socket.port)
            elif not socket.local.is_loopback and socket.port not in self.ports:
                yield Odd(Oddity.MACHINE_LISTENS, str(socket.local), socket.port)
        self._known = set(here)  # who stops and comes back is told again

    def _at_home(self, remote: Address, own: Sequence[IPv6Network]) -> bool:
        if remote.is_private or remote.is_loopback or remote.is_link_local:
            return True
        within: list[IPv6Network] = [net for net in own if remote in net]
        return bool(within) or any(remote in ip_network(net, strict=False) for net in self.networks)

    def _once(self, key: tuple[str, int], odd: Odd, now: float) -> Iterator[Odd]:
        last = self._told.get(key)
        if last is None or now - last >= _AGAIN_S:
            if len(self._told) >= _MOST_KEPT:
                self._told.clear()
            self._told[key] = now
            yield odd


def _most(half: Sequence[Socket]) -> str:
    """Return the address that most of the half-open connections come from."""
    return str(Counter(socket.remote for socket in half).most_common(1)[0][0])
