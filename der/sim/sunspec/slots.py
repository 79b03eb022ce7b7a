"""Grid-support functions kept in numbered slots: SunSpec models 705, 706, 711 and 712.

Slot 1 is what the device runs, and is read-only; the others can be written. A slot that a peer
asks for is adopted after a moment: if it makes sense, it is copied to slot 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.sunspec.parts import Written, check_bounds
from der.sim.sunspec.registers import Key, Value
from der.sim.sunspec.reversion import Countdown

IN_PROGRESS, COMPLETED, FAILED = 0, 1, 2
"""Results of an adoption."""

ADOPTION_S = 0.15

Slot = dict[str, float]
"""What a slot holds, by the names of its points ("ActPt", "Pt.1.V"); what is not set is absent."""


class Adoption(StrEnum):
    """What becomes of requests to adopt a slot."""

    COMPLETES = "completes"
    FAILS = "fails"
    HANGS = "hangs"


@dataclass(frozen=True, slots=True)
class SlotShape:
    """The points of one such function.

    Attributes:
        model: SunSpec model.
        group: Name of the repeating group, "Crv" or "Ctl".
        bounds: Least and greatest value of each point of a slot.
        sensible: Whether a slot can be run.
        start: What slot 1 holds at the start.
    """

    model: int
    group: str
    bounds: Mapping[str, tuple[float, float]]
    sensible: Callable[[Slot], bool]
    start: Mapping[str, float]

    @property
    def request(self) -> str:
        """Name of the point that asks for an adoption."""
        return f"Adpt{self.group}Req"

    @property
    def result(self) -> str:
        """Name of the point that says what came of it."""
        return f"Adpt{self.group}Rslt"

    @property
    def fallback(self) -> str:
        """Name of the point that says which slot is adopted when the time has run out."""
        return f"Rvrt{self.group}"


@dataclass(slots=True)
class SlotFunction:
    """Such a function as it stands in a device.

    Attributes:
        shape: Its points.
        slots: How many slots there are, the running one among them.
        adoption: What becomes of requests.
        reverts: Whether it has a reversion timer.
    """

    shape: SlotShape
    slots: int = 3
    adoption: Adoption = Adoption.COMPLETES
    reverts: bool = True
    _head: dict[str, float] = field(init=False)
    _held: list[Slot] = field(init=False)
    _adopting: Countdown = field(init=False)
    _reverting: Countdown = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    @property
    def model(self) -> int:
        """SunSpec model."""
        return self.shape.model

    @property
    def running(self) -> Slot | None:
        """What the device runs; None while the function is off."""
        return self._held[0] if self._head["Ena"] == 1 and self._held[0] else None

    def reset(self) -> None:
        """Stand as at the start: off, and nothing in the slots that can be written."""
        self._head = {"Ena": 0.0, self.shape.request: 0.0, self.shape.result: COMPLETED}
        if self.reverts:
            self._head |= {"RvrtTms": 0.0, self.shape.fallback: 0.0}
        self._held = [dict(self.shape.start), *({} for _ in range(1, self.slots))]
        self._adopting, self._reverting = Countdown(), Countdown()

    def takes(self, name: str) -> bool:
        """Whether a point may be written; those of slot 1 may not."""
        if name in self._head:
            return name != self.shape.result
        number, _, point = name.removeprefix(f"{self.shape.group}.").partition(".")
        return number.isdigit() and int(number) > 1 and point in self.shape.bounds

    def check(self, values: Written) -> None:
        """See whether the values are within bounds.

        Raises:
            RefusedError: One is not.
        """
        for name, value in values.items():
            check_bounds(f"{self.model} {name}", value, self._bounds(name))
            if name == self.shape.request and value is not None and not self._held[int(value) - 1]:
                raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"{self.model} slot is empty")

    def write(self, values: Written, now: float) -> None:
        """Take values over; what concerns the whole function begins its time anew."""
        for name, value in values.items():
            if value is None:  # never: `check` has refused it
                continue
            if name in self._head:
                self._head[name] = value
            else:
                _, number, point = name.split(".", 2)
                self._held[int(number) - 1][point] = value
        if self.shape.request in values:
            self._head[self.shape.result] = IN_PROGRESS
            self._adopting.start(ADOPTION_S, now)
        if values.keys() & self._head.keys():
            self._start_reversion(now)

    def tick(self, now: float) -> None:
        """Complete an adoption, or revert."""
        if self.adoption is not Adoption.HANGS and self._adopting.ran_out(now):
            asked = self._held[int(self._head[self.shape.request]) - 1]
            if self.adoption is Adoption.FAILS or not self.shape.sensible(asked):
                self._head[self.shape.result] = FAILED
            else:
                self._held[0] = dict(asked)
                self._head[self.shape.result] = COMPLETED
                self._start_reversion(now)
        if self._reverting.ran_out(now):
            slot = int(self._head[self.shape.fallback])
            if slot == 0:  # "no curve"
                self._head["Ena"] = 0
            elif self._held[slot - 1]:
                self._held[0] = dict(self._held[slot - 1])

    def points(self, now: float) -> dict[Key, Value]:
        """Return all points."""
        shown: dict[str, Value] = dict(self._head)
        if self.reverts:
            shown["RvrtRem"] = self._reverting.remaining_s(now)
        for number, slot in enumerate(self._held, 1):
            prefix = f"{self.shape.group}.{number}."
            shown |= {prefix + name: value for name, value in slot.items()}
            shown[f"{prefix}ReadOnly"] = int(number == 1)
        return {(self.model, name): value for name, value in shown.items()}

    def _bounds(self, name: str) -> tuple[float, float]:
        bounds = {
            "Ena": (0.0, 1.0),
            self.shape.request: (1.0, self.slots),
            "RvrtTms": (0.0, 2.0**31),
            self.shape.fallback: (0.0, self.slots),
        }
        return bounds[name] if name in bounds else self.shape.bounds[name.split(".", 2)[2]]

    def _start_reversion(self, now: float) -> None:
        on = self.reverts and self._head["Ena"] == 1
        self._reverting.start(self._head["RvrtTms"] if on else 0.0, now)
