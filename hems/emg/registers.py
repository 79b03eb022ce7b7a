"""Energy registers over restarts: what a meter had counted at the end of the last interval.

The energy of an interval is the difference of two register values. With the last one kept on
disk, the first interval after a restart begins where the last one ended, and no energy is lost.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class Register:
    """What a meter had counted.

    Attributes:
        at: UTC epoch seconds.
        import_wh: Taken from the grid side; None where it does not count it.
        export_wh: Given to the grid side.
    """

    at: float
    import_wh: float | None
    export_wh: float | None


def energy_wh(before: float | None, after: float | None) -> float | None:
    """Return what was counted between two values; None if unknown, or the meter was replaced."""
    if before is None or after is None or after < before:
        return None
    return after - before


def dump(registers: Mapping[str, Register]) -> str:
    """Return registers as one line of text, by device."""
    return json.dumps({name: (r.at, r.import_wh, r.export_wh) for name, r in registers.items()})


def load(text: str) -> dict[str, Register]:
    """Return what `dump` wrote.

    Raises:
        ValueError: The text is something else.
    """
    found: object = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("registers are no table")  # noqa: TRY004 - a fault of the text
    return {str(name): _register(name, fields) for name, fields in found.items()}


def _register(name: object, fields: object) -> Register:
    if not isinstance(fields, list) or len(fields) != _FIELDS:
        raise ValueError(f"the register of {name} is {fields!r}")
    at, imported, exported = (_number(f) for f in fields)
    if at is None:
        raise ValueError(f"the register of {name} has no time")
    return Register(at, imported, exported)


def _number(field: object) -> float | None:
    if field is None:
        return None
    if isinstance(field, bool) or not isinstance(field, int | float):
        raise ValueError(f"{field!r} is no number")  # noqa: TRY004 - a fault of the text
    return float(field)
