"""Where the hub may call out to: rings of addresses, and redirects on an internet of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hems.outward import Ring, ring_of_address, ring_of_host, ring_of_name

pytestmark = [pytest.mark.requirement("L1-AUTH"), pytest.mark.requirement("LC-TEST")]
PROGRAM = "tests.hems.abroad"


@pytest.mark.parametrize(
    ("address", "ring"),
    [
        ("8.8.8.8", Ring.INTERNET),
        ("2001:4860:4860::8888", Ring.INTERNET),
        ("192.168.1.1", Ring.HOME),
        ("100.64.0.1", Ring.HOME),
        ("fd00::1", Ring.HOME),
        ("127.0.0.1", Ring.MACHINE),
        ("127.1.2.3", Ring.MACHINE),
        ("::1", Ring.MACHINE),
        ("::ffff:127.0.0.1", Ring.MACHINE),
        ("::ffff:192.168.1.1", Ring.HOME),
        ("64:ff9b::7f00:1", Ring.MACHINE),
        ("64:ff9b::808:808", Ring.INTERNET),
        ("2002:7f00:1::", Ring.MACHINE),
        ("169.254.169.254", None),
        ("::ffff:169.254.169.254", None),
        ("fe80::1%eth0", None),
        ("0.0.0.0", None),  # noqa: S104 - only asked about
        ("0.1.2.3", None),
        ("::", None),
        ("224.0.0.1", None),
        ("ff02::1", None),
        ("255.255.255.255", None),
        ("240.0.0.1", None),
        ("no address", None),
        ("", None),
    ],
)
def test_how_near_an_address_lies(address: str, ring: Ring | None) -> None:
    assert ring_of_address(address) is ring


@pytest.mark.parametrize(
    ("name", "ring"),
    [
        ("localhost", Ring.MACHINE),
        ("LOCALHOST.", Ring.MACHINE),
        ("a.localhost", Ring.MACHINE),
        ("nas", Ring.HOME),
        ("nas.local", Ring.HOME),
        ("prices.example", Ring.INTERNET),
    ],
)
def test_how_near_a_name_says_that_it_lies(name: str, ring: Ring) -> None:
    assert ring_of_name(name) is ring
    assert ring_of_host(name) is ring


@pytest.mark.parametrize("odd", ["", "127.1", "2130706433", "127.0.0.1.", "1.2.3.4.5", "::g"])
def test_what_looks_like_an_address_and_is_none_is_not_asked(odd: str) -> None:
    assert ring_of_host(odd) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be alone on an internet of its own")
def test_nothing_leads_further_in_than_its_owner_wrote(tmp_path: Path) -> None:
    """A source of prices on the internet, one in the home, and what they send the hub to."""
    hosts = tmp_path / "hosts"
    hosts.write_text(
        "127.0.0.1 localhost\n8.8.4.4 prices.example\n192.168.7.7 inward.example\n"
        "192.168.7.7 nas.local\n127.0.0.1 own.local\n"
    )
    alone = (
        f"mount --bind {hosts} /etc/hosts && ip link set lo up && "
        "ip address add 8.8.4.4/32 dev lo && ip address add 192.168.7.7/32 dev lo && "
        f"ip address add 169.254.169.254/32 dev lo && exec {sys.executable} -m {PROGRAM}"
    )
    done = subprocess.run(
        ["unshare", "-n", "-m", "sh", "-c", alone],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {
        "prices.example": "read",
        "8.8.4.4": "read",
        "nas.local": "read",
        "192.168.7.7": "read",
        "localhost": "read",
        "127.0.0.1": "read",
        # A redirect goes no further in, and anywhere else.
        "prices.example > 8.8.4.4": "read",
        "nas.local > prices.example": "read",
        "127.0.0.1 > 192.168.7.7": "read",
        "nas.local > 192.168.7.7": "read",
        "prices.example > 192.168.7.7": "it leads into the home, to 192.168.7.7",
        "prices.example > nas.local": "it leads into the home, to nas.local",
        "prices.example > 127.0.0.1": "it leads into the home, to 127.0.0.1",
        "prices.example > 2130706433": "it leads into the home, to 2130706433",
        "prices.example > 169.254.169.254": "it leads into the home, to 169.254.169.254",
        "nas.local > 127.0.0.1": "it leads into the home, to 127.0.0.1",
        "127.0.0.1 > 169.254.169.254": "it leads into the home, to 169.254.169.254",
        # A name says how near it is; where it leads elsewhere it is not followed.
        "inward.example": "inward.example has no address on the internet",
        "prices.example > inward.example": "inward.example has no address on the internet",
        "own.local": "own.local has no address that may be asked",
        "169.254.169.254": "169.254.169.254 is no address that is asked",
        "0.0.0.0": "0.0.0.0 is no address that is asked",  # noqa: S104 - only asked about
        "round": "it leads on more than 5 times",
        "nowhere": "it leads to what is no address",
        "file": "it leads to what is no address",
    }
