"""Whoever calls from an address that the service provider warns of is turned away."""

import pytest

from hems.emg.threats.barrier import WARNED_S, Barrier

OWN = ("192.168.1.2", "2001:db8:1::2")


@pytest.mark.requirement("L2-FEED")
@pytest.mark.parametrize(
    ("networks", "source", "out"),
    [
        (["203.0.113.0/24"], "203.0.113.7", True),
        (["203.0.113.0/24"], "203.0.114.7", False),
        (["2001:db8:2::/48"], "2001:db8:2::9", True),
        (["203.0.113.0/24"], "2001:db8:2::9", False),
        (["192.168.0.0/16"], "192.168.1.50", False),  # the hub's own: nobody is locked out
        (["2001:db8:1::/64"], "2001:db8:1::50", False),
        (["127.0.0.0/8"], "127.0.0.1", False),
        (["203.0.113.0/24"], "no address", False),
        ([], "203.0.113.7", False),
    ],
)
def test_who_is_turned_away(networks: list[str], source: str, *, out: bool) -> None:
    barrier = Barrier(lambda: OWN)
    barrier.shut_off(networks)
    assert barrier.wait_s(source, 0.0) == (WARNED_S if out else 0.0)
    barrier.shut_off([])
    assert barrier.wait_s(source, 0.0) == 0.0
