"""The ruleset as JSON: checked by nft itself where it is there, and counters read back."""

import json
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.emg.firewall.ruleset import ListingError, added, flushed, ruleset, stopped
from hems.emg.firewall.wire import DeviceRules, Outside, Rules, Stopped
from tests.hems.emg.firewall.lan import needs_nft

pytestmark = pytest.mark.requirement("L2-BLOCK")

NFT = shutil.which("nft", path="/usr/sbin:/usr/bin") or ""
MACHINES = st.one_of(
    st.ip_addresses(v=4, network="192.0.2.0/24"), st.ip_addresses(v=6, network="2001:db8::/64")
)
DEVICES = st.builds(
    DeviceRules,
    device=st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True),
    macs=st.lists(st.sampled_from(["02:00:00:00:00:40", "02:00:00:00:00:41"]), unique=True),
    addresses=st.lists(MACHINES, max_size=3, unique=True),
    shut=st.booleans(),
    outside=st.lists(st.builds(Outside, address=MACHINES, port=st.integers(1, 65535)), max_size=3),
)
RULES = st.lists(DEVICES, max_size=4, unique_by=lambda d: d.device).map(
    lambda found: Rules(devices=tuple(found))
)


@needs_nft
@settings(max_examples=15, deadline=None)
@given(RULES)
def test_nft_takes_every_ruleset(rules: Rules) -> None:
    for transaction in (ruleset(rules), flushed()):
        done = subprocess.run(
            ["unshare", "-n", NFT, "-c", "-j", "-f", "-"],
            input=json.dumps(transaction),
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert done.returncode == 0, done.stderr


@given(RULES)
def test_a_shut_device_has_no_way_through(rules: Rules) -> None:
    text = json.dumps(ruleset(rules))
    assert text.count('"accept": null') == sum(
        3 + 2 * len(each.outside) for each in rules.devices if not each.shut
    )
    assert text.count('"drop": null') == 2 * len(rules.devices)


def test_counters_are_summed_by_device() -> None:
    def counted(comment: str, packets: int) -> dict[str, object]:
        counter = {"counter": {"packets": packets, "bytes": 10 * packets}}
        return {"rule": {"comment": comment, "expr": [counter, {"drop": None}]}}

    other = {"rule": {"expr": [{"accept": None}]}}
    listing = {"nftables": [{"metainfo": {}}, counted("a", 1), other, counted("a", 2)]}
    found = stopped(json.dumps(listing))
    assert found == (Stopped(device="a", packets=3, octets=30),)
    more = (Stopped(device="b", packets=1, octets=1), Stopped(device="a", packets=1, octets=1))
    assert added(found, more) == (Stopped(device="a", packets=4, octets=31), more[0])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"nftables": 1}'])
def test_what_is_no_listing(text: str) -> None:
    with pytest.raises(ListingError):
        stopped(text)
