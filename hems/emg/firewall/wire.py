"""What the hub tells the firewall's helper, and what it answers: one line of JSON each way.

Both ends check it by these models. Whatever gets through is an address, a port or a short name
out of a small alphabet: there is nothing in it that a shell or nftables could take for syntax.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MOST_DEVICES: Final = 256
MOST_PLACES: Final = 64
MOST_BARRED: Final = 256
LONGEST_BARRED_S: Final = 86_400
"""Nobody is barred for longer by one order; the kernel lets go of it by itself, hub or not."""
_PREFIX: Final = {4: 32, 6: 64}
LONGEST: Final = 256 * 1024
"""Longest line either way, in octets."""

Address = IPv4Address | IPv6Address


def _of_a_machine(address: Address) -> Address:
    if address.is_loopback or address.is_multicast or address.is_unspecified:
        raise ValueError(f"{address} is no machine's address")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise ValueError(f"{address} is an IPv4 address in disguise")
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError(f"{address} has a zone")
    return address


def _of_few(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if network.prefixlen != _PREFIX[network.version]:
        raise ValueError(f"{network} is neither one IPv4 address nor a /64 of IPv6")
    _of_a_machine(network.network_address)
    if network.is_link_local:
        raise ValueError(f"{network} is all of the neighbours")
    return network


Source = Annotated[IPv4Network | IPv6Network, AfterValidator(_of_few)]
Machine = Annotated[Address, AfterValidator(_of_a_machine)]
Mac = Annotated[str, Field(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Outside(_Part):
    """A place beyond the hub that a device may reach.

    Attributes:
        address: Its IP address.
        port: TCP or UDP port.
    """

    address: Machine
    port: Port


class DeviceRules(_Part):
    """What holds for one device's traffic through the hub.

    Attributes:
        device: Its id.
        macs: Its MAC addresses, as far as they are known.
        addresses: Its IP addresses, as far as they are known.
        shut: Whether nothing of it passes, nor comes in at the hub.
        outside: Where it may go beside names (DNS) and time (NTP).
    """

    device: Name
    macs: Annotated[tuple[Mac, ...], Field(max_length=MOST_PLACES)] = ()
    addresses: Annotated[tuple[Machine, ...], Field(max_length=MOST_PLACES)] = ()
    shut: bool = False
    outside: Annotated[tuple[Outside, ...], Field(max_length=MOST_PLACES)] = ()


class Barred(_Part):
    """Somebody who may begin no new connection to the hub for a while.

    Attributes:
        source: An IPv4 address (/32), or a network of IPv6 (/64).
        seconds: For how long.
    """

    source: Source
    seconds: Annotated[int, Field(ge=1, le=LONGEST_BARRED_S)]


class Rules(_Part):
    """What holds for all devices, and for who is barred.

    Attributes:
        devices: The home's devices.
        barred: Who is barred.
        open_ports: TCP ports of the hub that are open to who is barred too: those doors keep
            out whom they must by themselves, and let in who proves who they are.
    """

    devices: Annotated[tuple[DeviceRules, ...], Field(max_length=MOST_DEVICES)] = ()
    barred: Annotated[tuple[Barred, ...], Field(max_length=MOST_BARRED)] = ()
    open_ports: Annotated[tuple[Port, ...], Field(max_length=MOST_PLACES)] = ()

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        names = [each.device for each in self.devices]
        if len(set(names)) < len(names):
            raise ValueError("a device is named twice")
        sources = [each.source for each in self.barred]
        if len(set(sources)) < len(sources):
            raise ValueError("somebody is barred twice")
        return self


class Order(_Part):
    """What the helper is asked.

    Attributes:
        ask: To set rules in place of those there are, to take all away, or only to tell.
        rules: Those to be set; for "set" alone.
    """

    ask: Literal["set", "flush", "show"]
    rules: Rules | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.rules is not None) is not (self.ask == "set"):
            raise ValueError("rules belong to 'set'")
        return self


class Stopped(_Part):
    """What was stopped of a device since its rules were set first.

    Attributes:
        device: Its id.
        packets: How many packets.
        octets: How many octets.
    """

    device: Name
    packets: Annotated[int, Field(ge=0)]
    octets: Annotated[int, Field(ge=0)]


class State(_Part):
    """What the helper answers.

    Attributes:
        error: Why it was not done; empty where it was. The rules are then as before.
        holds: Whether rules are in force.
        stopped: What was stopped, by device.
    """

    error: str = ""
    holds: bool = False
    stopped: tuple[Stopped, ...] = ()
