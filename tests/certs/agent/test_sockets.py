"""Who listens and who is connected: the kernel's own tables, and made-up ones."""

import os
import socket
from ipaddress import IPv6Network, ip_address

import pytest

from certs.agent.sockets import (
    HALF_OPEN,
    SETTLED_S,
    Lookout,
    Oddity,
    Socket,
    State,
    of_process,
    parse,
    prefixes,
    present,
)

pytestmark = pytest.mark.requirement("L1-AGENT")

HUB = 8080
NOBODY = frozenset[int]()


def a_socket(
    port: int,
    *,
    state: State = State.LISTEN,
    local: str = "0.0.0.0",  # noqa: S104 - what others listen at
    remote: str = "0.0.0.0",  # noqa: S104 - nobody
    inode: int = 1,
    udp: bool = False,
) -> Socket:
    return Socket(udp, ip_address(local), port, ip_address(remote), state, inode)


def lookout(*sockets: Socket, hub: frozenset[int] = NOBODY) -> Lookout:
    """Return one that has seen some sockets, and the hub settled."""
    made = Lookout(frozenset({HUB}), ["203.0.113.0/24"])
    assert made.look(sockets, hub, 0.0) == []
    assert made.look(sockets, hub, SETTLED_S) == []
    return made


def test_the_kernels_own_tables_are_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            here = [s for s in present() if s.port == port]
            assert {s.state for s in here} >= {State.LISTEN, State.ESTABLISHED}
            listening = next(s for s in here if s.state is State.LISTEN)
            assert listening.listens
            assert str(listening.local) == "127.0.0.1"
            assert listening.inode in of_process(os.getpid())


def test_ipv6_is_read() -> None:
    line = (
        "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0"
    )
    mapped = line.replace("00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
    found = list(parse(f"head\n{line}\n{mapped}\n", udp=False))
    assert [(str(s.local), s.port, s.inode) for s in found] == [
        ("::1", 8080, 4711),
        ("127.0.0.1", 8080, 4711),
    ]


@pytest.mark.parametrize(
    "line", ["", "x", "0: zz:1 0:0 0A 0 0 0 0 0 1", "0: 01:1 01:1 0A 0 0 0 0 0 1"]
)
def test_what_makes_no_sense_is_left_out(line: str) -> None:
    assert list(parse(f"head\n{line}\n", udp=False)) == []


def test_a_listener_that_was_there_at_the_start_is_known() -> None:
    known = a_socket(22)
    assert lookout(known).look([known], NOBODY, 100.0) == []


def test_a_new_listener_is_told_once() -> None:
    made, new = lookout(), a_socket(4444)
    (odd,) = made.look([new], NOBODY, 100.0)
    assert (odd.what, odd.port) == (Oddity.MACHINE_LISTENS, 4444)
    assert made.look([new], NOBODY, 105.0) == []
    assert made.look([], NOBODY, 110.0) == []
    assert made.look([new], NOBODY, 115.0) == [odd], "who comes back is told again"


@pytest.mark.parametrize(
    "expected",
    [
        a_socket(HUB),
        a_socket(4444, local="127.0.0.1"),
        a_socket(40_000, udp=True, state=State.UNCONNECTED),
    ],
    ids=["configured", "of this machine alone", "who asks over UDP"],
)
def test_what_is_expected_is_not_told(expected: Socket) -> None:
    assert lookout().look([expected], NOBODY, 100.0) == []


def test_the_hub_itself_listens_where_it_should() -> None:
    own = a_socket(4444, local="127.0.0.1", inode=7)
    hub = frozenset({7})
    early = Lookout(frozenset({HUB}))
    assert early.look([], hub, 0.0) == []
    assert early.look([own], hub, SETTLED_S - 1.0) == [], "while it starts, it opens its ports"
    (odd,) = lookout(hub=hub).look([own], hub, SETTLED_S + 1.0)
    assert odd.what is Oddity.HUB_LISTENS


@pytest.mark.parametrize(
    ("remote", "told"),
    [
        ("198.51.100.7", False),  # for documentation: private to nobody, yet never global
        ("8.8.8.8", True),
        ("192.168.1.7", False),
        ("203.0.113.9", False),
        ("2a00:1::5", True),
        ("2a00:2::5", False),
        ("fe80::1", False),
    ],
)
def test_who_calls_from_outside_is_told(remote: str, told: bool) -> None:
    page = a_socket(HUB)
    caller = a_socket(HUB, state=State.ESTABLISHED, remote=remote, local="192.168.1.2")
    outward = a_socket(50_000, state=State.ESTABLISHED, remote="8.8.4.4", local="192.168.1.2")
    made = lookout(page)
    own = [IPv6Network("2a00:2::/64")]
    found = made.look([page, caller, outward], NOBODY, 100.0, own)
    assert [(odd.what, odd.address) for odd in found] == (
        [(Oddity.FROM_OUTSIDE, remote)] if told else []
    )
    assert made.look([page, caller], NOBODY, 105.0, own) == [], "once is enough"


def test_many_half_open_connections_are_told() -> None:
    flood = [a_socket(HUB, state=State.HALF_OPEN, remote="192.168.1.66")] * (HALF_OPEN - 1)
    other = a_socket(HUB, state=State.HALF_OPEN, remote="192.168.1.5")
    made = lookout(a_socket(HUB))
    assert made.look([a_socket(HUB), *flood], NOBODY, 100.0) == []
    (odd,) = made.look([a_socket(HUB), *flood, other], NOBODY, 105.0)
    assert (odd.what, odd.address, odd.count) == (Oddity.HALF_OPEN, "192.168.1.66", HALF_OPEN)


def test_the_machines_own_networks_are_known() -> None:
    assert all(isinstance(net, IPv6Network) for net in prefixes())
