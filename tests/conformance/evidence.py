"""The evidence pack of a scenario: the wire, the responses, the devices' power."""

import csv
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from tests.conformance.home import PowerSample
from tests.interop.grid.record import Answer, Exchange
from tests.interop.grid.server import Grid
from tests.interop.grid.tree import ANSWERS

_HEADERS = frozenset({"Location", "Retry-After", "Content-Type", "Allow"})


def write_wire(folder: Path, log: Sequence[Exchange]) -> None:
    """Write requests and responses, one JSON object a line, and the Responses as a table."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "wire.jsonl").open("w", encoding="utf-8") as file:
        for exchange in log:
            file.write(json.dumps(_line(exchange)) + "\n")
    posted = [Answer.of(e) for e in log if e.method == "POST" and e.path == ANSWERS and e.good]
    with (folder / "responses.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["subject", "status", "endDeviceLFDI", "createdDateTime", "modes", "kind"])
        for a in posted:
            rows.writerow([a.subject, a.status, a.lfdi, a.at, a.modes, a.kind])


def write_power(folder: Path, samples: Sequence[PowerSample]) -> None:
    """Write the true powers of the simulated devices over time; consumption positive, W."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "power.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([f.name for f in fields(PowerSample)])
        rows.writerows([getattr(s, f.name) for f in fields(PowerSample)] for s in samples)


def since(grid: Grid, at: float) -> Sequence[Exchange]:
    """Return what went over the wire from a time on."""
    return [exchange for exchange in grid.log if exchange.at >= at]


def _line(exchange: Exchange) -> dict[str, object]:
    return {
        "at": round(exchange.at, 3),
        "direction": "to the client" if exchange.inbound else "from the client",
        "method": exchange.method,
        "target": exchange.target,
        "certificate": exchange.sender,
        "request": exchange.body.decode("utf-8", "replace"),
        "status": exchange.status,
        "headers": {k: v for k, v in exchange.headers.items() if k in _HEADERS},
        "response": exchange.answer.decode("utf-8", "replace"),
        "cut": exchange.lost,
    }
