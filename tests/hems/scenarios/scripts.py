"""Scenarios for tests, as they stand in a file."""

from copy import deepcopy
from typing import Any

BARE: dict[str, Any] = {
    "title": "Test",
    "shows": "Something",
    "requirements": ["BUC-1"],
    "starts": "2026-07-13T18:00:00",
    "ends": "18:10",
    "house": {"load": "800 W", "battery": {"charge": 0.7}},
    "utility": {},
    "event": [
        {
            "name": "peak",
            "asks": {"limit_import_w": 500},
            "at": "18:03",
            "lasts": "4 min",
        }
    ],
    "expect": [
        {
            "check": "bound",
            "of": "import",
            "begins": "18:03:05",
            "ends": "18:07",
            "at_most": "500 W",
        }
    ],
}


def bare(**changes: Any) -> dict[str, Any]:
    """Return a small scenario with some tables other than usual."""
    return {**deepcopy(BARE), **changes}
