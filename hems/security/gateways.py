"""Through whom this machine reaches other networks (the kernel's routing tables)."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Final

V4: Final = Path("/proc/net/route")
V6: Final = Path("/proc/net/ipv6_route")
_BY_GATEWAY: Final = 0x2
_GATEWAY_V4, _FLAGS_V4 = 2, 3
_GATEWAY_V6, _FLAGS_V6 = 4, 8


def gateways(v4: Path = V4, v6: Path = V6) -> frozenset[str]:
    """Return the addresses of the routers that this machine sends through now.

    Args:
        v4: The table of IPv4.
        v6: The table of IPv6.
    """
    return frozenset((*_of_v4(_lines(v4)), *_of_v6(_lines(v6))))


def _lines(table: Path) -> list[list[str]]:
    try:
        text = table.read_text(encoding="ascii", errors="replace")
    except OSError:  # a machine without that protocol
        return []
    return [line.split() for line in text.splitlines()]


def _of_v4(lines: list[list[str]]) -> Iterator[str]:
    for columns in lines[1:]:
        try:
            if int(columns[_FLAGS_V4], 16) & _BY_GATEWAY:
                octets = bytes.fromhex(columns[_GATEWAY_V4])[::-1]  # as the machine has numbers
                yield str(ipaddress.IPv4Address(octets))
        except (IndexError, ValueError):
            continue


def _of_v6(lines: list[list[str]]) -> Iterator[str]:
    for columns in lines:
        try:
            if int(columns[_FLAGS_V6], 16) & _BY_GATEWAY:
                yield str(ipaddress.IPv6Address(bytes.fromhex(columns[_GATEWAY_V6])))
        except (IndexError, ValueError):
            continue
