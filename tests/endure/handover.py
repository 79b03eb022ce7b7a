"""What the devices of the home hold while one process of a run ends and the next begins."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from hems.scenarios.parts import Held
from hems.scenarios.premises import Premises

T = TypeVar("T")


def hand_over(path: Path, premises: Premises, passed_s: float) -> None:
    """Keep what the home's devices are and hold.

    Args:
        path: The file.
        premises: The home.
        passed_s: The time of this process's clock, which begins anew in the next.
    """
    told = {
        name: (part.setpoint, part.opened, part.functions, part.held)
        for name, part in premises.parts.items()
    }
    path.write_bytes(pickle.dumps((premises.house, told, passed_s)))


def take_over(path: Path, premises: Premises) -> None:
    """Take up what was kept; where nothing was, the home is as it was made."""
    if not path.exists():
        return
    house, told, passed_s = pickle.loads(path.read_bytes())  # noqa: S301 - written by this run
    premises.house = house
    for name, (setpoint, opened, functions, held) in told.items():
        part = premises.parts[name]
        part.setpoint = _since(setpoint, passed_s)
        part.opened = _since(opened, passed_s)
        part.held = _since(held, passed_s)
        kept = {key: _since(each, passed_s) for key, each in functions.items()}
        part.functions = {key: each for key, each in kept.items() if each is not None}


def _since(held: Held[T] | None, passed_s: float) -> Held[T] | None:
    """Return what a device holds, by a clock that begins anew."""
    return None if held is None else replace(held, until=held.until - passed_s)
