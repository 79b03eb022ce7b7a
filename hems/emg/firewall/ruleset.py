"""From what holds for devices to an nftables ruleset as JSON, and counters back. Pure.

One table of our own, `inet hems`, taken away and made anew in one transaction: at no moment are
there no rules, and what others have set is not touched. Each packet is judged by where it comes
from or goes to, not by whether its connection was once let through: so one that is open when a
device is shut is cut with the next packet.

Who is barred may begin nothing new at the hub, but for the ports that are open to everybody. What
the hub itself asked is answered, whoever it is: a utility that the hub calls cannot be barred. The
kernel lets go of each one when its time is over.

A device is known by its MAC address and by its IP addresses, whichever fits: one that takes another
IP address is still stopped by its MAC address. One that forges both is another machine to the hub.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.emg.firewall.wire import Address, Barred, DeviceRules, Rules, Stopped

TABLE: Final = "hems"
FAMILY: Final = "inet"
_DNS, _NTP = 53, 123
_PROTOCOLS: Final = (("ip", 4), ("ip6", 6))
_BARRED: Final = "barred"
_PRIORITY: Final = -5
"""Before the filters that people set, so that none of them lets through what is shut here."""
Json = dict[str, "Json"] | list["Json"] | str | int | None

_OWN_TABLE: Final[Json] = {"family": FAMILY, "name": TABLE}


def flushed() -> Json:
    """Return what takes all our rules away, whether there are any or not."""
    return _transaction([{"add": {"table": _OWN_TABLE}}, {"delete": {"table": _OWN_TABLE}}])


def ruleset(rules: Rules) -> Json:
    """Return what puts these rules in place of all that we had set before."""
    return _transaction(
        [
            {"add": {"table": _OWN_TABLE}},
            {"delete": {"table": _OWN_TABLE}},
            {"add": {"table": _OWN_TABLE}},
            _base("forward"),
            _base("input"),
            *_barring(rules),
            *(step for n, each in enumerate(rules.devices) for step in _device(n, each)),
        ]
    )


def _transaction(steps: Sequence[Json]) -> Json:
    return {"nftables": [{"metainfo": {"json_schema_version": 1}}, *steps]}


def _base(hook: str) -> Json:
    return _chain(hook, {"type": "filter", "hook": hook, "prio": _PRIORITY, "policy": "accept"})


def _chain(name: str, more: Mapping[str, Json] | None = None) -> Json:
    return {"add": {"chain": {"family": FAMILY, "table": TABLE, "name": name, **(more or {})}}}


def _rule(chain: str, expressions: Sequence[Json], comment: str = "") -> Json:
    rule: dict[str, Json] = {
        "family": FAMILY,
        "table": TABLE,
        "chain": chain,
        "expr": list(expressions),
    }
    if comment:
        rule["comment"] = comment
    return {"add": {"rule": rule}}


def _barring(rules: Rules) -> Iterator[Json]:
    """Return the sets of who is barred, and the way past which they do not come."""
    if not rules.barred:
        return
    yield _chain(_BARRED)
    for protocol, version in _PROTOCOLS:
        few = [each for each in rules.barred if each.source.version == version]
        if few:
            name = f"{_BARRED}{version}"
            yield _set(name, f"ipv{version}_addr", few)
            yield _rule("input", [_from_set(protocol, name), {"jump": {"target": _BARRED}}])
    yield _rule(_BARRED, [_told_by_us(), {"accept": None}])
    if rules.open_ports:
        yield _rule(_BARRED, [_match("tcp", "dport", [*rules.open_ports]), {"accept": None}])
    yield _rule(_BARRED, [_carried(), {"counter": None}, {"drop": None}])


def _set(name: str, kind: str, few: Sequence[Barred]) -> Json:
    elements: list[Json] = [
        {
            "elem": {
                "val": {
                    "prefix": {
                        "addr": str(each.source.network_address),
                        "len": each.source.prefixlen,
                    }
                },
                "timeout": each.seconds,
            }
        }
        for each in few
    ]
    return {
        "add": {
            "set": {
                "family": FAMILY,
                "table": TABLE,
                "name": name,
                "type": kind,
                "flags": ["interval", "timeout"],
                "elem": elements,
            }
        }
    }


def _from_set(protocol: str, name: str) -> Json:
    left: Json = {"payload": {"protocol": protocol, "field": "saddr"}}
    return {"match": {"op": "==", "left": left, "right": f"@{name}"}}


def _told_by_us() -> Json:
    """Match the answers to what the hub began."""
    return {"match": {"op": "==", "left": {"ct": {"key": "direction"}}, "right": "reply"}}


def _carried() -> Json:
    """Match TCP and UDP: who the neighbours are, and that one is there, may still be asked."""
    left: Json = {"meta": {"key": "l4proto"}}
    return {"match": {"op": "==", "left": left, "right": {"set": ["tcp", "udp"]}}}


def _device(number: int, device: DeviceRules) -> Iterator[Json]:
    """Return a device's two chains, from it and to it, and the ways into them."""
    gone, come = f"from{number}", f"to{number}"
    yield _chain(gone)
    yield _chain(come)
    for match in _any_of("saddr", device):
        yield _rule("forward", [match, {"jump": {"target": gone}}])
        if device.shut:
            yield _rule("input", [match, {"jump": {"target": gone}}])
    for match in _any_of("daddr", device):
        yield _rule("forward", [match, {"jump": {"target": come}}])
    if not device.shut:
        for expressions in _allowed(device):
            yield _rule(gone, [*expressions, {"accept": None}])
        yield _rule(come, [_answers(), {"accept": None}])
    for chain in (gone, come):
        yield _rule(chain, [{"counter": None}, {"drop": None}], comment=device.device)


def _any_of(side: str, device: DeviceRules) -> Iterator[Json]:
    """Return the matches of which one must fit for a packet from, or to, a device."""
    if device.macs and side == "saddr":
        yield _match("ether", side, [*device.macs])
    for protocol, version in _PROTOCOLS:
        addresses = [str(each) for each in device.addresses if each.version == version]
        if addresses:
            yield _match(protocol, side, [*addresses])


def _allowed(device: DeviceRules) -> Iterator[Sequence[Json]]:
    """Return what a device may reach: names, time, and the places that it was given."""
    yield [_match("udp", "dport", [_DNS, _NTP])]
    yield [_match("tcp", "dport", [_DNS])]
    for place in device.outside:
        to = _match(_protocol(place.address), "daddr", [str(place.address)])
        for protocol in ("tcp", "udp"):
            yield [to, _match(protocol, "dport", [place.port])]


def _protocol(address: Address) -> str:
    return "ip" if isinstance(address, IPv4Address) else "ip6"


def _match(protocol: str, field: str, values: Sequence[Json]) -> Json:
    return {
        "match": {
            "op": "==",
            "left": {"payload": {"protocol": protocol, "field": field}},
            "right": {"set": list(values)},
        }
    }


def _answers() -> Json:
    return {
        "match": {
            "op": "in",
            "left": {"ct": {"key": "state"}},
            "right": ["established", "related"],
        }
    }


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Counter(_Lenient):
    packets: int
    bytes: int


class _Expression(_Lenient):
    counter: _Counter | None = None


class _Rule(_Lenient):
    comment: str = ""
    expr: list[_Expression] = []


class _Item(_Lenient):
    rule: _Rule | None = None


class _Listing(_Lenient):
    nftables: list[_Item]


class ListingError(Exception):
    """What nft listed is not as expected."""


def stopped(listing: str) -> tuple[Stopped, ...]:
    """Return what was stopped, by device, of what `nft -j list table` says.

    Raises:
        ListingError: It is no such listing.
    """
    try:
        items = _Listing.model_validate_json(listing).nftables
    except ValidationError as error:
        raise ListingError("nft lists its rules in a way that is not known") from error
    sums: dict[str, tuple[int, int]] = {}
    for item in items:
        if item.rule is None or not item.rule.comment:
            continue
        for each in item.rule.expr:
            if each.counter is not None:
                packets, octets = sums.get(item.rule.comment, (0, 0))
                sums[item.rule.comment] = (
                    packets + each.counter.packets,
                    octets + each.counter.bytes,
                )
    try:
        return tuple(Stopped(device=n, packets=p, octets=o) for n, (p, o) in sums.items())
    except ValidationError as error:
        raise ListingError("a rule in the hub's own table is not the hub's") from error


def added(before: Sequence[Stopped], more: Sequence[Stopped]) -> tuple[Stopped, ...]:
    """Return the sums of two counts, by device."""
    sums = {each.device: (each.packets, each.octets) for each in before}
    for each in more:
        packets, octets = sums.get(each.device, (0, 0))
        sums[each.device] = (packets + each.packets, octets + each.octets)
    return tuple(Stopped(device=n, packets=p, octets=o) for n, (p, o) in sums.items())
