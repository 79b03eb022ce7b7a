"""The ruleset as JSON: checked by nft itself where it is there, and counters read back."""

import json
import shutil
import subprocess
from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hems.emg.firewall.ruleset import ListingError, added, flushed, ruleset, stopped
from hems.emg.firewall.wire import (
    LONGEST_BARRED_S,
    Barred,
    DeviceRules,
    Outside,
    Rules,
    Stopped,
)
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
SOURCES = st.one_of(
    st.ip_addresses(v=4, network="192.0.2.0/24").map(IPv4Network),
    st.integers(0, 0xFFFF).map(lambda n: IPv6Network(f"2001:db8:0:{n:x}::/64")),
)
BARRED = st.builds(Barred, source=SOURCES, seconds=st.integers(1, LONGEST_BARRED_S))
RULES = st.builds(
    Rules,
    devices=st.lists(DEVICES, max_size=4, unique_by=lambda d: d.device),
    barred=st.lists(BARRED, max_size=4, unique_by=lambda b: b.source),
    open_ports=st.lists(st.integers(1, 65535), max_size=3),
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
    barring = bool(rules.barred) * (1 + bool(rules.open_ports))
    assert text.count('"accept": null') == barring + sum(
        3 + 2 * len(each.outside) for each in rules.devices if not each.shut
    )
    assert text.count('"drop": null') == 2 * len(rules.devices) + bool(rules.barred)


@given(RULES)
def test_nobody_is_barred_for_good_nor_from_the_open_ports(rules: Rules) -> None:
    text = json.dumps(ruleset(rules))
    assert text.count('"timeout": ') == len(rules.barred), "each one has its end in the kernel"
    steps = [step for step in json.loads(text)["nftables"] if "rule" in step.get("add", {})]
    found = [step["add"]["rule"] for step in steps]
    ways = [rule["expr"] for rule in found if rule["chain"] == "barred"]
    if not rules.barred:
        assert ways == []
        return
    match, verdict = ways[0]
    assert match["match"]["right"] == "reply", "what the hub asked itself is answered"
    assert [*verdict] == ["accept"]
    if rules.open_ports:
        match, verdict = ways[1]
        assert match["match"]["right"]["set"] == list(rules.open_ports)
        assert [*verdict] == ["accept"]
    assert [*ways[-1][-1]] == ["drop"]


@pytest.mark.parametrize(
    "barred",
    [
        {"source": "192.0.2.0/24", "seconds": 60},
        {"source": "0.0.0.0/0", "seconds": 60},
        {"source": "127.0.0.1/32", "seconds": 60},
        {"source": "fe80::/64", "seconds": 60},
        {"source": "2001:db8::/48", "seconds": 60},
        {"source": "192.0.2.7/32", "seconds": 0},
        {"source": "192.0.2.7/32", "seconds": 10 * LONGEST_BARRED_S},
        {"source": "192.0.2.7; drop", "seconds": 60},
    ],
)
def test_who_may_not_be_barred_or_not_so_long(barred: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rules.model_validate({"barred": [barred]})


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
