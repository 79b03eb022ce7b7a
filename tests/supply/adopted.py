"""Since when this project has each part in its present version: `docs/security/adopted.json`.

A lock file tells no dates, and when a version was published only its registry knows. What is kept
is the day on which the version came into our lock file; `make sbom` writes down new ones.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from tests.supply.parts import ROOT, Part

FILE: Final = ROOT / "docs" / "security" / "adopted.json"

Adopted = Mapping[str, str]
"""Day, ISO 8601, by "ecosystem/name@version"."""


def key(part: Part) -> str:
    """Return by what a part is known in the file."""
    return f"{part.ecosystem}/{part.name}@{part.version}"


def read(file: Path = FILE) -> Adopted:
    """Return what is kept; nothing where there is no file yet."""
    if not file.exists():
        return {}
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return {part: date.fromisoformat(day).isoformat() for part, day in found.items()}


def brought_up(known: Adopted, parts: Iterable[Part], today: date) -> Adopted:
    """Return the days of all parts: new ones since today, those that are gone left out."""
    return {key(part): known.get(key(part), today.isoformat()) for part in parts}


def write(adopted: Adopted, file: Path = FILE) -> None:
    """Write what is to be kept."""
    text = json.dumps(dict(sorted(adopted.items())), indent=1)
    file.write_text(text + "\n", encoding="utf-8")
