"""Names of the hub on the network, and fingerprints to read out."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.lan.addresses import own_addresses, reachable
from hems.lan.names import all_labels, host_names, in_pairs, instance, keeps, served_names, spoken

V4 = st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n)))


def test_the_first_name_is_the_one_that_people_are_told() -> None:
    names = served_names("hems-2", "Energy-Box", ["hub.lan"], ["192.168.1.7"])
    assert names == ("hems-2.local", "hub.lan", "192.168.1.7", "energy-box", "energy-box.local")
    assert served_names("", "localhost", [], ["192.168.1.7"]) == ("192.168.1.7",)
    assert all_labels()[0] == "hems"
    assert len(set(all_labels())) == 9


@pytest.mark.parametrize(
    ("machine", "names"),
    [
        ("pi", ["pi", "pi.local"]),
        ("Energy_Box.fritz.box", ["energy-box", "energy-box.local"]),
        ("", []),
        ("localhost.localdomain", []),
        ("---", []),
    ],
)
def test_a_host_name_is_told_as_dns_can_carry_it(machine: str, names: list[str]) -> None:
    assert host_names(machine) == names


@given(st.sets(V4, min_size=1, max_size=4), st.sets(V4, min_size=1, max_size=4))
def test_of_two_hubs_with_one_name_exactly_one_keeps_it(a: set[str], b: set[str]) -> None:
    if not a & b:
        assert keeps(a, b) is not keeps(b, a)
    assert keeps(a, set())


def test_a_name_without_an_address_of_our_own_is_given_up() -> None:
    assert not keeps(set(), {"192.168.1.9"})


def test_a_fingerprint_is_spoken_as_five_letters_for_each_two_octets() -> None:
    # 127.0.0.1 and 63.84.220.193 as they are known in this notation.
    assert spoken(bytes([127, 0, 0, 1, 63, 84, 220, 193]), words=4) == "lusab babad gutih tugad"
    assert in_pairs(b"\x00\xab") == "00:AB"


@given(st.binary(min_size=12, max_size=12), st.binary(min_size=12, max_size=12))
def test_different_fingerprints_sound_different(a: bytes, b: bytes) -> None:
    assert (spoken(a) == spoken(b)) is (a == b)


def test_only_addresses_that_the_house_reaches_are_told() -> None:
    found = [
        ("lo", "127.0.0.1"),
        ("eth0", "192.168.1.7"),
        ("wlan0", "192.168.1.8"),
        ("docker0", "172.17.0.1"),
        ("br-1a2b", "172.18.0.1"),
        ("eth0", "fe80::1%2"),
        ("eth0", "fd00::7"),
        ("eth0", "192.168.1.7"),
    ]
    assert reachable(found, with_v6=True) == ("192.168.1.7", "192.168.1.8", "fd00::7")
    assert reachable(found, with_v6=False) == ("192.168.1.7", "192.168.1.8")


def test_a_server_at_one_address_is_reached_there_alone() -> None:
    assert own_addresses("192.0.2.9") == ("192.0.2.9",)
    assert "127.0.0.1" not in own_addresses("0.0.0.0")  # noqa: S104 - only asked about


@given(st.text(max_size=200))
def test_whatever_a_home_is_called_its_service_has_a_name(title: str) -> None:
    made = instance(title, "hems-2")
    assert len(made.encode()) <= 63
    assert made.isprintable()
    assert "hems-2" in made


def test_an_ordinary_home_is_called_as_it_is() -> None:
    assert instance("Haus am Öhrli 4", "hems") == "Haus am Öhrli 4 (hems)"
    assert instance("\n", "hems") == "hems"
