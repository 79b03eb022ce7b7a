"""Values that parsers of JSON and TOML get wrong, and JSON documents changed as JSON."""

import json
import random
from collections.abc import Sequence
from typing import Final

WORDS: Final[Sequence[bytes]] = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0.0", b"nan", b"inf", b"null", b"true",
    b"9223372036854775808", b"1" * 400, b'""', b'"\\u0000"', b'"\\ud800"', b"[", b"{", b"[" * 3000,
    b'{"a":' * 2000, b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc2\xb2", b"\r\n",
    b"2026-02-30", b"9999-12-31T23:59:59Z", b"0001-01-01T00:00:00+14:00", b"25:61",
)  # fmt: skip

_VALUES: Final[Sequence[object]] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 10**400, 0.5, -0.0, 1e308, 5e-324, "",
    " ", "a", "\x00", "\u202e", "²", "../..", "x" * 5000, "NaN", "1e999", [], {}, [[]], [None],
    {"": None}, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
)  # fmt: skip


def json_changed(data: bytes, rng: random.Random) -> bytes:
    """Return a JSON document in which one value, or one name, is another."""
    for _ in range(rng.randrange(1, 3)):
        try:
            document: object = json.loads(data)
        except (ValueError, RecursionError):
            return data
        times = 300 if len(data) < _LONG else 1  # twice that of what is long would not fit memory
        made = json.dumps(_changed(document, rng, times), allow_nan=True)
        data = made.encode("utf-8", "surrogatepass")
    return data


_LONG: Final = 2000


def _changed(value: object, rng: random.Random, times: int) -> object:
    if isinstance(value, dict) and value and rng.randrange(5):
        made = dict(value)
        key = rng.choice(sorted(made))
        match rng.randrange(6):
            case 0:
                del made[key]
            case 1:
                made[rng.choice(("", "x", key + "s", "__proto__"))] = made[key]
            case _:
                made[key] = _changed(made[key], rng, times)
        return made
    if isinstance(value, list) and value and rng.randrange(5):
        row = list(value)
        at = rng.randrange(len(row))
        match rng.randrange(5):
            case 0:
                del row[at]
            case 1:
                row += row * rng.choice((1, 1, times))
            case _:
                row[at] = _changed(row[at], rng, times)
        return row
    return rng.choice(_VALUES)
