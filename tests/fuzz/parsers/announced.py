"""What is announced in the home's network: DNS-SD records, and messages at a broker.

An input is a first octet that says which of them it is, then lines: type, name and TXT entries, or
a topic and its payload.
"""

import json
import random
from typing import Final

from der.discovery import payloads
from der.discovery.announced import _READERS, Announcement, of, printable
from der.discovery.found import Found, collect
from hems.sep2.errors import MalformedError
from hems.sep2.transport.discovery import parse_txt
from tests.fuzz.parsers.nasty import WORDS as NASTY
from tests.fuzz.parsers.nasty import json_changed
from tests.fuzz.parsers.parser import Parser, WrongError, attempt, changed, same

_TYPES: Final = tuple(sorted(_READERS))
_LONGEST_TXT: Final = 255
"""Octets of one entry of a TXT record (RFC 1035, clause 3.3)."""
_MOST_ENTRIES: Final = 64


def examine(data: bytes) -> str:
    """Look at an announcement or a message."""
    head, lines = (data[0], data[1:].split(b"\n")) if data else (0, [b""])
    if head % 2:
        topic = lines[0].decode("utf-8", "replace")
        found = payloads.of(topic, b"\n".join(lines[1:]))
    else:
        txt = _txt(lines[2:])
        name = lines[1][:63].decode("utf-8", "replace") if len(lines) > 1 else ""
        service = lines[0].decode("utf-8", "replace")
        said = Announcement(service, name, "192.0.2.7", 502, txt)
        single = of(said)
        found = () if single is None else (single,)
        server, _ = attempt(lambda: parse_txt("utility", "192.0.2.7", 443, txt), MalformedError)
        if server is not None:
            same(server.base.startswith(("http://192.0.2.7:", "https://192.0.2.7:")), True, "host")
    for each in found:
        _check(printable(each))
    kinds = sorted({f"{each.kind} {each.note[:20]}" for each in found})
    return f"{len(found)} {len(collect(found).all())} {[each.driver for each in found][:3]} {kinds}"


def _txt(lines: list[bytes]) -> dict[str, str | None]:
    """Return TXT entries as zeroconf gives them: decoded, or None where there is no value."""
    made: dict[str, str | None] = {}
    for line in lines[:_MOST_ENTRIES]:
        key, equals, value = line[:_LONGEST_TXT].partition(b"=")
        text = value.decode("utf-8", "replace") if equals else None
        made.setdefault(key.decode("utf-8", "replace").lower(), text)
    return made


def _check(found: Found) -> None:
    for text in (found.where, found.maker, found.model, found.serial, found.name, found.note):
        if not text.isprintable():
            raise WrongError(f"{text[:80]!r} cannot be shown")


def seeds() -> list[bytes]:
    """Return an announcement of each type, and messages of each kind of device."""
    entries = (
        b"unit=1\nmn=Maker\nmd=Model\nsn=1",
        b"gen=2\napp=Plus1PM\nver=1.0.8",
        b"dcap=/dcap\nhttps=8443\nlevel=-S1",
        b"https\ndcap=dcap",
        b"product_type=HWE-P1\nserial=3c39e7aabbcc\nproduct_name=P1 meter\napi_enabled=1",
    )
    made = [
        b"\0" + b"\n".join((service.encode(), b"thing-1", txt))
        for service in _TYPES
        for txt in entries
    ]
    messages = (
        (
            b"tasmota/discovery/DC4F22AABBCC/config",
            {"dn": "Plug", "t": "plug", "md": "Nous A1T", "sw": "13.1.0", "mac": "DC4F22AABBCC",
             "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1, 0], "ln": 1},
        ),
        (
            b"shellies/announce",
            {"id": "shelly1pm-AABBCC", "model": "SHSW-PM", "mac": "AABBCC", "ip": "192.0.2.9"},
        ),
        (b"shellyplus1pm-aabbcc/online", True),
        (
            b"zigbee2mqtt/bridge/devices",
            [{"ieee_address": "0x00158d0001", "type": "Router", "friendly_name": "plug",
              "definition": {"model": "TS011F", "vendor": "TuYa", "exposes": [
                  {"type": "switch", "features": [{"name": "state", "property": "state"}]}]}}],
        ),
        (
            b"homeassistant/sensor/x/power/config",
            {"name": "Power", "stat_t": "~/p", "~": "evcc", "dev_cla": "power",
             "unit_of_meas": "W", "dev": {"ids": ["1"], "mf": "M", "mdl": "X"}},
        ),
    )  # fmt: skip
    messages_as_sent = [topic + b"\n" + json.dumps(said).encode() for topic, said in messages]
    return made + [b"\1" + each for each in messages_as_sent]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return one with an entry or a value changed."""
    head, _, payload = data.partition(b"\n")
    if data[:1] == b"\1" and rng.randrange(3):
        return head + b"\n" + json_changed(payload, rng)
    return data[:1] + changed(data[1:], rng, WORDS)


WORDS: Final = (
    *NASTY, *(each.encode() for each in _TYPES), b"https=", b"dcap=", b"unit=", b"=", b"\n",
    b"https=\xc2\xb2", b"unit=\xd9\xa1", b"\xe2\x80\xae", b"%s%n", b"<b>",
)  # fmt: skip
PARSER: Final = Parser(examine, seeds, WORDS, mutated, rounds=15)
