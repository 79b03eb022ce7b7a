"""Which MAC addresses the hub sees on its own networks (the kernel's neighbour table)."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Final

TABLE: Final = Path("/proc/net/arp")
_COMPLETE: Final = 0x2
_NOBODY: Final = "00:00:00:00:00:00"
_ADDRESS, _FLAGS, _MAC, _COLUMNS = 0, 2, 3, 6


def parsed(text: str) -> Mapping[str, str]:
    """Return the MAC address of each neighbour by its IPv4 address; pure.

    Args:
        text: As `/proc/net/arp` has it; lines that are not of its kind are left out.
    """
    found = {}
    for line in text.splitlines()[1:]:
        columns = line.split()
        if len(columns) != _COLUMNS:
            continue
        try:
            address = str(ipaddress.IPv4Address(columns[_ADDRESS]))
            complete = int(columns[_FLAGS], 16) & _COMPLETE
        except ValueError:
            continue
        if complete and columns[_MAC] != _NOBODY:
            found[address] = columns[_MAC].lower()
    return found


def mac_of(host: str, table: Path = TABLE) -> str:
    """Return the MAC address behind an IP address; empty where the hub does not see it.

    What lies behind a router has the router's address, which is none of its own: it is not in the
    table under its own IP address, and so not seen.
    """
    if not host:
        return ""
    try:
        return parsed(table.read_text(encoding="ascii", errors="replace")).get(host, "")
    except OSError:
        return ""
