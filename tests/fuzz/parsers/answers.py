"""What is read from addresses and files that the owner names: prices, carbon, weather; the signal.

An input is a first octet that says which of them it is, and its content.
"""

import json
import math
import random
from typing import Final

from hems.cem.forecast.weather_file import WeatherError
from hems.cem.forecast.weather_file import parse as parse_weather
from hems.regulation.message import Refused, Taken, judge
from hems.sep2.transport.status import http_epoch, reason_code, retry_after_s
from hems.tariff.document import DocumentError, parse
from tests.fuzz.parsers.nasty import WORDS as NASTY
from tests.fuzz.parsers.nasty import json_changed
from tests.fuzz.parsers.papers import NOW
from tests.fuzz.parsers.parser import Parser, WrongError, attempt, changed, refused, same

_KINDS: Final = 4
_LONGEST_WAIT_S: Final = 86_400.0
_FRESH_S: Final = 5.0


def examine(data: bytes) -> str:
    """Read an answer."""
    head, content = (data[0], data[1:]) if data else (0, b"")
    text = content.decode("utf-8", "replace")
    match head % _KINDS:
        case 0:
            return _prices(text)
        case 1:
            return _weather(text)
        case 2:
            return _signal(content)
        case _:
            return _headers(text)


def _prices(text: str) -> str:
    found, words = attempt(lambda: parse(text, NOW), DocumentError)
    for series in () if found is None else (found.price, found.export, found.carbon):
        for span in () if series is None else series.spans:
            if not (span.start < span.end and math.isfinite(span.value)):
                raise WrongError(f"a span from {span.start} to {span.end}: {span.value}")
    return words


def _weather(text: str) -> str:
    found, words = attempt(lambda: parse_weather(text, NOW), WeatherError)
    if found is not None and not (math.isfinite(found.start) and found.step_s > 0):
        raise WrongError(f"weather from {found.start}, {found.step_s} s")
    return words


def _signal(content: bytes) -> str:
    match judge(content, 4710, NOW, _FRESH_S):
        case Refused(why):
            return refused(ValueError(why))
        case Taken(seq, value):
            same((seq > 4710, -1.0 <= value <= 1.0), (True, True), f"{seq} {value}")
            return "taken"


def _headers(text: str) -> str:
    """Read what a server says of the time, and of why it refuses."""
    lines = text.split("\n")
    wait = retry_after_s({"Retry-After": lines[0], "Date": lines[-1]}, NOW)
    if wait is not None and not 0.0 <= wait <= _LONGEST_WAIT_S:
        raise WrongError(f"a wait of {wait} s")
    at = http_epoch(text)
    if at is not None and not math.isfinite(at):
        raise WrongError(f"a date of {at}")
    return f"{'no' if wait is None else 'a'} wait, reason {reason_code(text.encode())}"


def seeds() -> list[bytes]:
    """Return an answer of each kind."""
    prices = [
        {"start": "2026-03-01T00:00:00+01:00", "price_per_mwh": 82.4},
        {"start": "2026-03-01T01:00:00+01:00", "price_per_kwh": 0.1, "export_per_kwh": 0.07},
        {"start": 1772400000, "end": 1772403600, "carbon_g_per_kwh": 310},
        {"start": 1772400000, "end": 1772403600, "price_per_kwh": 0.9, "event": "Peak"},
    ]
    table = (
        b"start,end,price_per_kwh,export_per_kwh,carbon_g_per_kwh\n"
        b"2026-03-01T00:00Z,2026-03-01T00:15Z,0.0824,0.07,310\n"
        b"2026-03-01T00:15Z,,0.09,,\n"
    )
    weather = {
        "utc_offset_seconds": 3600,
        "hourly_units": {"shortwave_radiation": "W/m²", "temperature_2m": "°C"},
        "hourly": {
            "time": [f"2026-03-01T{hour:02}:00" for hour in range(5)],
            "shortwave_radiation": [0.0, 12.5, None, 80.0, 120.0],
            "temperature_2m": [4.1, 3.9, 3.8, None, 5.0],
        },
    }
    signal = {"seq": 4711, "at": NOW, "value": -0.25}
    error = b'<Error xmlns="urn:ieee:std:2030.5:ns"><reasonCode>2</reasonCode></Error>'
    return [
        *(b"\0" + json.dumps(prices[:size]).encode() for size in (1, 2, 4)),
        b"\0" + table,
        b"\1" + json.dumps(weather).encode(),
        b"\2" + json.dumps(signal).encode(),
        b"\2" + json.dumps({**signal, "at": NOW - 60}).encode(),
        b"\3" + b"120\nSun, 01 Mar 2026 12:00:00 GMT",
        b"\3" + b"Sun, 01 Mar 2026 12:05:00 GMT\nSun, 01 Mar 2026 12:00:00 GMT",
        b"\3" + error,
    ]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return an answer with a value or a name changed, as JSON where it is JSON."""
    head, content = data[:1], data[1:]
    made = json_changed(content, rng)
    if made == content or not rng.randrange(3):
        made = changed(content, rng, WORDS)
    return head + made


WORDS: Final = (*NASTY, b"start", b"end", b"price_per_kwh", b"event", b",", b";", b"GMT", b"-2400")
PARSER: Final = Parser(examine, seeds, WORDS, mutated)
