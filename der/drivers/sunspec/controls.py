"""The seam between reading (`link.py`) and writing (`control.py`) of a SunSpec device.

`link.py` reads in each cycle what the writing side wants to know, together with its own points
and in the same frames, hands it over, and passes on writes and commands. The writing side is made
by `control.controls(spec, device)` once the models are known.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from der.commands import Ability, Command
from der.curves import GridFunction
from der.drivers.sunspec.block import Block
from der.drivers.sunspec.map import Wanted
from der.drivers.sunspec.reactive import VarRatings
from der.model import Safeguard, Setpoint


class Controls(Protocol):
    """What can be written to one SunSpec device."""

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the device can be told."""
        ...

    @property
    def functions(self) -> frozenset[GridFunction]:
        """Grid-support functions that it has."""
        ...

    @property
    def untimed(self) -> frozenset[GridFunction]:
        """Those of them that cannot end by themselves."""
        ...

    @property
    def reactive_ratings(self) -> VarRatings:
        """What it can absorb and inject, as far as it says."""
        ...

    @property
    def safeguard(self) -> Safeguard:
        """What becomes of the device when the hub falls silent."""
        ...

    @property
    def wanted(self) -> Sequence[Wanted]:
        """Points that each cycle shall read, at most one entry for a model."""
        ...

    def take(self, blocks: Mapping[int, Block]) -> None:
        """Learn what a cycle read: a block for each model of `wanted`, by its number.

        A block may hold more points than were wanted.
        """
        ...

    def limit_w(self) -> float | None:
        """Return the limit or set-point in force, as of the last `take`, W, passive sign.

        None where none is in force, or the device does not say.
        """
        ...

    def self_test(self) -> Sequence[str]:
        """Return what is wrong with the writing side as of the last `take`; a sentence each.

        Such as a reversion timer that the device does not implement. No I/O.
        """
        ...

    async def write(self, setpoint: Setpoint | None) -> None:
        """Limit or set the active power; as `der.service.Link.write`."""
        ...

    async def ioctl(self, command: Command[object]) -> object:
        """Carry out a command that changes the device, or reads a function of it.

        Raises:
            RejectedError: The device has no such command (`der.service.unsupported`).
            PermanentError: It refuses.
            TransientError: No usable answer, or it was not taken.
        """
        ...
