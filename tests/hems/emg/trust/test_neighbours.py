"""The kernel's neighbour table: what is taken out of it, and what of it is nonsense."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.emg.trust.neighbours import mac_of, parsed

pytestmark = pytest.mark.requirement("L2-TRUST")

TABLE = """\
IP address       HW type     Flags       HW address            Mask     Device
192.168.1.40     0x1         0x2         AA:bb:cc:dd:ee:01     *        eth0
192.168.1.41     0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.42     0x1         0x2         00:00:00:00:00:00     *        eth0
nonsense         0x1         0x2         aa:bb:cc:dd:ee:02     *        eth0
192.168.1.43     0x1         zz          aa:bb:cc:dd:ee:03     *        eth0
192.168.1.44
"""


def test_complete_entries_only() -> None:
    assert parsed(TABLE) == {"192.168.1.40": "aa:bb:cc:dd:ee:01"}


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    parsed(text)


def test_who_is_not_seen_has_none(tmp_path: Path) -> None:
    table = tmp_path / "arp"
    assert mac_of("192.168.1.40", table) == ""
    table.write_text(TABLE)
    assert mac_of("192.168.1.40", table) == "aa:bb:cc:dd:ee:01"
    assert mac_of("", table) == mac_of("192.168.1.99", table) == ""
