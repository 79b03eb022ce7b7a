"""When loads that can wait would have run without anybody who makes them wait; pure.

Each wish is a stretch of minutes: from when a car is plugged in until it is full or leaves, from
when a thermostat calls until it is content. What was drawn within it stays the same; only the
time changes. A car or a heater takes it at full power from the start; an appliance, whose run has
a shape, begins at once and keeps it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.money.tally import MINUTE_S, Minute

_HOUR_S: Final = 3600.0
PAUSE_S: Final = 20 * MINUTE_S
"""A run may draw nothing for so long, between heating and spinning, and is still one run."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load that can wait.

    Attributes:
        power_w: What it draws when it runs at full power.
        shaped: Whether its run has a shape of its own (an appliance).
    """

    power_w: float
    shaped: bool = False

    @property
    def pause_s(self) -> float:
        """For how long it may draw nothing within one wish."""
        return PAUSE_S if self.shaped else 0.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A stretch of minutes in which a load wants energy.

    Attributes:
        first: Index of its first minute.
        last: Index of its last one.
        open: Whether it may go on after the last minute that is known.
    """

    first: int
    last: int
    open: bool


def wishes(
    minutes: Sequence[Minute], device: str, load: Load, cut: float | None = None
) -> Iterator[Wish]:
    """Yield the wishes of a load, in order.

    Minutes that are missing, or in which the load could not be told apart, end none.

    Args:
        minutes: In order of time.
        device: Its id.
        load: What it is.
        cut: Where a wish is ended and another begun, UTC epoch seconds; None for nowhere.
    """
    first, last = -1, -1
    for index, minute in enumerate(minutes):
        if first >= 0 and cut is not None and minutes[first].at < cut <= minute.at:
            yield Wish(first, last, open=False)
            first = -1
        drawn = minute.waiting.get(device)
        if drawn is None:
            continue
        if drawn.wants:
            first, last = (index if first < 0 else first), index
        elif first >= 0 and minute.at - minutes[last].at > load.pause_s:
            yield Wish(first, last, open=False)
            first = -1
    if first >= 0:
        yield Wish(first, last, open=True)


def at_once(
    minutes: Sequence[Minute], device: str, load: Load, found: Sequence[Wish]
) -> Mapping[int, float]:
    """Return what a load would have drawn instead, Wh by index of the minute, where it differs.

    In each wish the sum is that of what was really drawn.
    """
    made: dict[int, float] = {}
    for wish in found:
        told = [
            (index, drawn.energy_wh)
            for index in range(wish.first, wish.last + 1)
            if (drawn := minutes[index].waiting.get(device)) is not None
        ]
        energies = [energy_wh for _, energy_wh in told]
        if load.shaped:
            moved = _begun_at_once(energies, load.power_w)
        else:
            room = [load.power_w * minutes[i].compared_s / _HOUR_S for i, _ in told]
            moved = _packed(sum(energies), room)
        made.update((index, wh) for (index, _), wh in zip(told, moved, strict=True))
    return made


def _packed(energy_wh: float, room: Sequence[float]) -> list[float]:
    """Fill the room from the start; what is left over at the end stays in the last place."""
    moved: list[float] = []
    for each_wh in room:
        moved.append(min(energy_wh, each_wh))
        energy_wh -= moved[-1]
    moved[-1] += energy_wh
    return moved


def _begun_at_once(energies: Sequence[float], power_w: float) -> list[float]:
    """Leave out the time before it ran; it is made up for at the end."""
    stands_by_wh = 0.01 * power_w * MINUTE_S / _HOUR_S
    waited = next((i for i, wh in enumerate(energies) if wh > stands_by_wh), 0)
    return [*energies[waited:], *energies[:waited]]
