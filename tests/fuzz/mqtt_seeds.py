"""What the fuzzer of MQTT payloads begins with, and how it changes messages as messages."""

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.fuzz.mqtt_target import DEVICES, SEPARATOR, SOUND, twin_of

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**400, 1e308, float("nan"), float("inf"), "", "ON", "OFF"),
    *("online", "12.5", [], {}, [1, 2, 3], {"a": 1}, -0.0, 17, 21.5, 65536),
)
_TEXTS = (b"ON", b"OFF", b"online", b"offline", b"Online", b"true", b"12.5", b"nan", b"", b"\xff")
_BODIES: tuple[dict[str, Any], ...] = (
    {"ENERGY": {"Power": [1, 2, 3], "Voltage": 230, "Total": 1.5, "Frequency": 50}},
    {"StatusSNS": {"ENERGY": {"Power": 7}}, "StatusFWR": {"Version": "13"}, "POWER": "ON"},
    {"SML": {"power_curr": -5, "total_in": 1, "e_out": 2, "power_p1": 1}},
    {"method": "NotifyStatus", "params": {"switch:0": {"output": True, "apower": 3}}},
    {"id": 1, "result": {"switch:0": {"output": False}, "em:0": {"a_act_power": 1}}},
    {"id": 1, "error": {"code": -1, "message": "no"}, "result": {"ver": "1", "model": "S"}},
    {"output": False, "apower": 1, "aenergy": {"total": 2}, "total_act": 5, "act_power": 6},
    {"state": "OFF", "power": 1, "energy": 2, "power_phase_b": 3, "produced_energy": 1},
    {"local_temperature": 20, "current_heating_setpoint": 17, "system_mode": "off"},
    {"on": True, "target_c": 20, "mode": "heat", "target_name": "x", "ends_at": 1.8e9},
)


def seeds() -> Iterator[bytes]:
    """Yield whole inputs: for each device sound messages, and bodies on each of its topics."""
    for choice, (name, kind) in enumerate(DEVICES):
        topics = sorted(twin_of(choice).topics)
        sound = SOUND[name, kind == "meter"]
        known = [(topics.index(topic), payload) for topic, payload in sound if topic in topics]
        yield bytes([choice]) + SEPARATOR.join(bytes([t, 0]) + p for t, p in known)
        for place in range(len(topics)):
            for body in (*(json.dumps(b).encode() for b in _BODIES), *_TEXTS):
                yield bytes([choice, place, 0]) + body


def words() -> list[str]:
    """Return the names that payloads have."""
    found: set[str] = set()

    def gather(body: object) -> None:
        if isinstance(body, dict):
            for key, value in body.items():
                found.add(key)
                gather(value)

    for body in _BODIES:
        gather(body)
    return sorted(found | {t.decode() for t in _TEXTS if t.isascii() and t})


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return an input in which messages are doubled, dropped, moved, or changed as JSON."""
    head, messages = data[:1], data[1:].split(SEPARATOR)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(messages))
        message = messages[at]
        match rng.randrange(5):
            case 0:
                messages.insert(at, rng.choice(messages))
            case 1 if len(messages) > 1:
                del messages[at]
            case 2:
                messages[at] = bytes([rng.randrange(16), rng.randrange(2)]) + message[2:]
            case 3:
                messages[at] = message[:2] + rng.choice(_TEXTS)
            case _:
                messages[at] = message[:2] + _changed(message[2:], rng)
    return (head or b"\0") + SEPARATOR.join(messages)


def _changed(payload: bytes, rng: random.Random) -> bytes:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        body = rng.choice(_BODIES)
    return json.dumps(_with_another(body, rng)).encode()


def _with_another(body: Any, rng: random.Random) -> Any:
    if isinstance(body, dict) and body and rng.randrange(4):
        key = rng.choice(sorted(body))
        return {**body, key: _with_another(body[key], rng)}
    return rng.choice((*_VALUES, *_BODIES))
