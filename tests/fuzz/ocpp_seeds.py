"""Frames to begin with, of both versions, and a mutator that changes them as JSON."""

import json
import random
from collections.abc import Iterator
from typing import Any, Final

_V16: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("BootNotification", {"chargePointVendor": "Maker", "chargePointModel": "E"}),
    ("Authorize", {"idTag": "card"}),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": "card", "meterStart": 0, "timestamp": "2027-01-15T08:00:00Z"},
    ),
    (
        "StopTransaction",
        {"transactionId": 1, "meterStop": 9, "timestamp": "2027-01-15T08:00:00Z"},
    ),
    (
        "StatusNotification",
        {
            "connectorId": 1,
            "errorCode": "NoError",
            "status": "Charging",
            "timestamp": "2027-01-15T08:00:00Z",
        },
    ),
    (
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": 1,
            "meterValue": [
                {
                    "timestamp": "2027-01-15T08:00:00Z",
                    "sampledValue": [
                        {"value": "7100", "measurand": "Power.Active.Import", "unit": "W"},
                        {"value": "12.5", "measurand": "Current.Import", "phase": "L1"},
                        {"value": "231", "measurand": "Voltage", "phase": "L1-N"},
                        {"value": "61", "measurand": "SoC", "unit": "Percent"},
                        {"value": "1.5", "unit": "kWh"},
                    ],
                }
            ],
        },
    ),
    ("DataTransfer", {"vendorId": "Maker", "data": "x"}),
    ("FirmwareStatusNotification", {"status": "Installed"}),
    ("DiagnosticsStatusNotification", {"status": "Uploaded"}),
    (
        "SecurityEventNotification",
        {"type": "TamperDetectionActivated", "timestamp": "2027-01-15T08:00:00Z"},
    ),
)
_METER_201: Final = {
    "timestamp": "2027-01-15T08:00:00Z",
    "sampledValue": [
        {
            "value": 7.1,
            "measurand": "Power.Active.Import",
            "unitOfMeasure": {"unit": "kW", "multiplier": 0},
        },
        {"value": 71, "measurand": "Power.Active.Import", "phase": "L1"},
        {"value": 231.5, "measurand": "Voltage", "phase": "L1-N"},
        {"value": 61, "measurand": "SoC"},
    ],
}
_V201: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (
        "BootNotification",
        {"reason": "PowerUp", "chargingStation": {"vendorName": "Maker", "model": "E"}},
    ),
    ("Authorize", {"idToken": {"idToken": "card", "type": "ISO14443"}}),
    (
        "TransactionEvent",
        {
            "eventType": "Updated",
            "timestamp": "2027-01-15T08:00:00Z",
            "triggerReason": "MeterValuePeriodic",
            "seqNo": 1,
            "transactionInfo": {"transactionId": "T1", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            "idToken": {"idToken": "card", "type": "Central"},
            "meterValue": [_METER_201],
        },
    ),
    ("MeterValues", {"evseId": 1, "meterValue": [_METER_201]}),
    (
        "StatusNotification",
        {
            "timestamp": "2027-01-15T08:00:00Z",
            "connectorStatus": "Occupied",
            "evseId": 1,
            "connectorId": 1,
        },
    ),
    (
        "NotifyEvent",
        {
            "generatedAt": "2027-01-15T08:00:00Z",
            "seqNo": 0,
            "eventData": [
                {
                    "eventId": 1,
                    "timestamp": "2027-01-15T08:00:00Z",
                    "trigger": "Alerting",
                    "actualValue": "true",
                    "eventNotificationType": "HardWiredNotification",
                    "component": {"name": "Connector", "evse": {"id": 1}},
                    "variable": {"name": "Problem"},
                }
            ],
        },
    ),
    (
        "NotifyReport",
        {
            "requestId": 1,
            "generatedAt": "2027-01-15T08:00:00Z",
            "seqNo": 0,
            "reportData": [
                {
                    "component": {"name": "SmartChargingCtrlr"},
                    "variable": {"name": "Enabled"},
                    "variableAttribute": [{"value": "true"}],
                }
            ],
        },
    ),
    (
        "SecurityEventNotification",
        {"type": "TamperDetectionActivated", "timestamp": "2027-01-15T08:00:00Z"},
    ),
    ("DataTransfer", {"vendorId": "Maker"}),
    ("FirmwareStatusNotification", {"status": "Installed"}),
    ("LogStatusNotification", {"status": "Uploaded"}),
)
_NAMED: Final = {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "Enabled"}}
_ANSWERS: Final[tuple[list[Any], ...]] = (
    [3, "$ID", {"status": "Accepted"}],
    [3, "$ID", {"status": "Rejected"}],
    [3, "$ID", {}],
    [3, "other", {"status": "Accepted"}],
    [3, "$ID", {"configurationKey": [{"key": "NumberOfConnectors", "readonly": True}]}],
    [
        3,
        "$ID",
        {
            "status": "Accepted",
            "connectorId": 1,
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.5, "numberPhases": 1}],
            },
        },
    ],
    [
        3,
        "$ID",
        {
            "status": "Accepted",
            "schedule": {
                "evseId": 1,
                "duration": 60,
                "scheduleStart": "2027-01-15T08:00:00Z",
                "chargingRateUnit": "W",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 2300}],
            },
        },
    ],
    [
        3,
        "$ID",
        {
            "setVariableResult": [{"attributeStatus": "Rejected", **_NAMED}],
        },
    ],
    [
        3,
        "$ID",
        {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "1", **_NAMED}]},
    ],
    [4, "$ID", "InternalError", "broken", {}],
    [4, "$ID", "NotSupported", "", {}],
    [4, "$ID", "NoSuchCode", "", {}],
)
_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    "",
    "NaN",
    "inf",
    "-1",
    "1e300",
    "1e999",
    "\ud800",
    "\x1b[2J",
    "x" * 600,
    -1,
    0,
    1e14,
    -1e14,
    1e-300,
    2**53,
    [],
    {},
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+23:59",
)
_RAW: Final = ("NaN", "1e999", "-Infinity", "1e400", "9" * 400, "[" * 40 + "]" * 40)


def seeds() -> Iterator[bytes]:
    """Yield each frame alone, and answers to each of the hub's calls."""
    for version, frames in enumerate((_V16, _V201)):
        for action, payload in frames:
            yield _input(version, [[2, "1", action, payload]])
        yield _input(version, [[2, "1", action, payload] for action, payload in frames])
        for call in range(9):
            for answer in _ANSWERS:
                yield _input(version | call << 1, [answer])
    yield b'\x00not json\n{}\n[]\n[3,"x",{}]'


def words() -> list[str]:
    """Return what has a meaning in frames."""
    found = {"[2,", "[3,", "[4,", "$ID", "NaN", "1e999", "null", "true", "\\ud800", "{}", "[]"}
    stack: list[Any] = [_V16, _V201, _ANSWERS]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            found |= set(value)
            stack += value.values()
        elif isinstance(value, list | tuple):
            stack += value
        elif isinstance(value, str):
            found.add(value)
    return sorted(found - {""})


def mutated(data: bytes, rng: random.Random) -> bytes | None:
    """Return an input with a frame changed as JSON; None if it has none."""
    lines = data[1:].split(b"\n")
    at = rng.randrange(len(lines))
    try:
        frame = json.loads(lines[at])
    except (ValueError, RecursionError):
        return None
    for _ in range(rng.randint(1, 3)):
        frame = _changed(frame, rng)
    text = json.dumps(frame)
    if not rng.randrange(8):
        text = text.replace("1", rng.choice(_RAW), 1)
    lines[at] = text.encode()
    if not rng.randrange(6):
        lines.insert(at, rng.choice(lines))
    head = data[:1] if rng.randrange(4) else bytes([rng.randrange(18)])
    return head + b"\n".join(lines)


def _changed(value: Any, rng: random.Random) -> Any:
    """Return a value with one thing in it changed."""
    if isinstance(value, dict) and value and rng.randrange(8):
        key = rng.choice(list(value))
        match rng.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, rng.choice(("customData", "x", key.upper())): value[key]}
            case _:
                return {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.randrange(8):
        at = rng.randrange(len(value))
        match rng.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return [*value, value[at]]
            case _:
                return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(_VALUES)


def _input(mode: int, frames: list[list[Any]]) -> bytes:
    return bytes([mode]) + b"\n".join(json.dumps(frame).encode() for frame in frames)
