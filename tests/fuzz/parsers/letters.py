"""What the hub's own processes write to each other, and the manifest that one of them goes by.

An input is a first octet that says which of them it is, and its JSON.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from certs.manifest.manifest import ManifestError, read_manifest
from hems.agent.letters import LetterError, read_state
from hems.emg.firewall.ruleset import ListingError, ruleset, stopped
from hems.emg.firewall.wire import Order
from hems.regulation.errors import LetterError as RegulationLetterError
from hems.regulation.letters import read_answer, read_opening, read_word
from tests.fuzz.parsers.nasty import WORDS as NASTY
from tests.fuzz.parsers.nasty import json_changed
from tests.fuzz.parsers.papers import NOW
from tests.fuzz.parsers.parser import Parser, WrongError, attempt, changed, same

_KINDS: Final = 7
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .:-_/=")


def examine(data: bytes) -> str:
    """Read a letter."""
    head, body = (data[0], data[1:]) if data else (0, b"")
    match head % _KINDS:
        case 0:
            return _manifest(body)
        case 1:
            return attempt(lambda: read_state(body), LetterError)[1]
        case 2:
            return _order(body)
        case 3:
            return attempt(lambda: stopped(body.decode("utf-8", "replace")), ListingError)[1]
        case 4:
            return _to_or_from_the_regulator(lambda: read_opening(body))
        case 5:
            return _to_or_from_the_regulator(lambda: read_word(body))
        case _:
            return _to_or_from_the_regulator(lambda: read_answer(body))


def _to_or_from_the_regulator(read: Callable[[], object]) -> str:
    """Read a letter; of an error only the log is told, whose lines are made printable there."""
    try:
        read()
    except RegulationLetterError as error:
        return ascii(error)
    return "read"


def _manifest(body: bytes) -> str:
    where = Path("manifest.jws")
    found, words = attempt(lambda: read_manifest(body, where), ManifestError)
    if found is not None:
        same(read_manifest(found.canonical(), where), found, "a manifest written anew")
        for package in found.packages:
            for entry in package.files:
                same(Path("/x", entry.path).resolve().is_relative_to("/x"), True, entry.path)
    return words


def _order(body: bytes) -> str:
    try:
        order = Order.model_validate_json(body)
    except ValidationError as error:
        return str(error.error_count())
    if order.rules is None:
        return order.ask
    for text in _texts(ruleset(order.rules)):
        if not _PLAIN.issuperset(text):
            raise WrongError(f"{text[:80]!r} reaches the firewall")
    return f"{order.ask} {len(order.rules.devices)}"


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def seeds() -> list[bytes]:
    """Return a letter of each kind."""
    digest = "ab" * 32
    entry = {"path": "hems/a.py", "size": 3, "sha256": digest}
    manifest = {
        "name": "hems", "version": "0.1.0", "publisher": "Provider", "number": 3,
        "valid_from": int(NOW), "valid_until": int(NOW) + 86_400,
        "packages": [{"name": "hems", "files": [entry]}],
        "distributions": [
            {"name": "aiohttp", "version": "3.14", "folder": "aiohttp.dist-info",
             "record": digest, "loose": [{**entry, "path": "../../../bin/x"}]}
        ],
        "boot": {"0": digest},
    }  # fmt: skip
    state = {
        "at": NOW, "checked": True, "count": 1,
        "manifest": {"publisher": "P", "version": "1", "number": 3, "until": int(NOW)},
        "wrong": [{"path": "hems/a.py", "what": "changed"}],
        "boot": {"registers": {"0": digest}},
        "notices": [{"kind": "settings", "path": "hems.toml", "what": "changed", "keys": ["web"]}],
    }  # fmt: skip
    device = {
        "device": "car", "macs": ["02:00:00:00:00:01"], "addresses": ["192.168.1.9", "fd00::9"],
        "shut": True, "outside": [{"address": "203.0.113.9", "port": 443}],
    }  # fmt: skip
    orders = [{"ask": "set", "rules": {"devices": [device]}}, {"ask": "show"}, {"ask": "flush"}]
    listing = {"nftables": [{"rule": {"comment": "car", "expr": [
        {"counter": {"packets": 3, "bytes": 180}}]}}]}  # fmt: skip
    words = [
        {"word": "base", "number": 1, "power_w": 500.0, "lapse_s": 30.0, "revert_w": None,
         "lower_w": -1000.0, "upper_w": 1000.0},
        {"word": "take"},
    ]  # fmt: skip
    answers = [{"word": "done", "number": 1, "error": ""}, {"word": "ready", "priority": "none"}]
    kinds: list[list[object]] = [
        [manifest], [state], [*orders], [listing], [{"devices": [], "shared": {}, "settings": {}}],
        [*words], [*answers],
    ]  # fmt: skip
    return [
        bytes([kind]) + json.dumps(each).encode()
        for kind, all_ in enumerate(kinds)
        for each in all_
    ]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a letter with a value or a name changed."""
    if rng.randrange(3):
        return data[:1] + json_changed(data[1:], rng)
    return data[:1] + changed(data[1:], rng, WORDS)


WORDS: Final = (
    *NASTY, b'"../"', b'"/etc/passwd"', b'"127.0.0.1"', b'"::ffff:10.0.0.1"', b'"fe80::1%eth0"',
    b'"a; flush ruleset"', b"0.0.0.0", b"'",
)  # fmt: skip
PARSER: Final = Parser(examine, seeds, WORDS, mutated)
