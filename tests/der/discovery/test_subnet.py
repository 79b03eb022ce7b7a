"""Only the home's own networks are asked, and never more of one than a /24."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.discovery.subnet import Interface, refusal, targets

HOME = Interface("eth0", "192.168.1.20", 24)
pytestmark = pytest.mark.requirement("LC-TEST")


@pytest.mark.parametrize(
    ("interface", "first", "last", "count"),
    [
        (HOME, "192.168.1.1", "192.168.1.254", 253),
        (Interface("eth0", "192.168.1.20", 29), "192.168.1.17", "192.168.1.22", 5),
        (Interface("eth0", "10.1.2.3", 8), "10.1.2.1", "10.1.2.254", 253),
        (Interface("eth0", "172.16.9.9", 16), "172.16.9.1", "172.16.9.254", 253),
        (Interface("eth0", "169.254.7.7", 16), "169.254.7.1", "169.254.7.254", 253),
    ],
)
def test_hosts_of_our_network_without_us(
    interface: Interface, first: str, last: str, count: int
) -> None:
    found = targets([interface]).addresses
    assert (found[0], found[-1], len(found)) == (first, last, count)
    assert interface.address not in found


@pytest.mark.parametrize(
    ("interface", "said"),
    [
        (Interface("eth0", "10.1.2.3", 8), "of 10.0.0.0/8 only 10.1.2.0/24 is swept"),
        (Interface("wan", "8.8.4.4", 24), "8.8.4.4 is not a home's own address; not swept"),
        (Interface("wan", "100.64.3.4", 10), "is not a home's own address"),
        (Interface("wg0", "10.9.0.2", 32), "is a tunnel"),
        (Interface("ppp0", "192.168.9.1", 31), "is a tunnel"),
    ],
)
def test_what_is_left_out_is_said(interface: Interface, said: str) -> None:
    found = targets([interface])
    (sentence,) = found.said
    assert sentence.startswith(f"{interface.name}: ")
    assert said in sentence


def test_loopback_and_equal_networks_are_swept_once_or_never() -> None:
    assert targets([Interface("lo", "127.0.0.1", 8)]) == targets([])
    wireless = Interface("wlan0", "192.168.1.21", 24)
    both = targets([HOME, wireless]).addresses
    assert len(both) == len(set(both)) == 252, "neither of our own addresses"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.168.1.77", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("192.168.2.77", False),
        ("10.0.0.1", False),
        ("8.8.8.8", False),
        ("0.0.0.0", False),  # noqa: S104 - refused
        ("meter.local", False),
        ("::1", False),
        ("", False),
    ],
)
def test_a_single_host_must_be_in_our_network(address: str, allowed: bool) -> None:
    why = refusal(address, [HOME, Interface("wan", "8.8.4.4", 16)])
    assert (why is None) is allowed
    assert why is None or address in why


INTERFACES = st.lists(
    st.builds(
        Interface,
        st.sampled_from(["eth0", "wlan0", "wg0"]),
        st.integers(0, 2**32 - 1).map(lambda n: str(IPv4Address(n))),
        st.integers(0, 32),
    ),
    max_size=4,
)
PRIVATE = [IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


@given(INTERFACES)
def test_no_foreign_host_is_ever_asked(interfaces: list[Interface]) -> None:
    for text in targets(interfaces).addresses:
        address = IPv4Address(text)
        near = [i for i in interfaces if int(IPv4Address(i.address)) >> 8 == int(address) >> 8]
        assert near, "it is in the /24 around one of our own addresses"
        assert address.is_link_local or any(address in network for network in PRIVATE)
        assert refusal(text, interfaces) is None
        assert text not in {i.address for i in interfaces}
