"""Minutes made of images: what flowed in each, and for how much of it that was known; pure.

Between two images the earlier one holds. Two that lie further apart than `LONGEST_GAP_S` leave a
gap: nothing is known of it, and nothing is made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import floor
from typing import Final

from hems.money.flows import Flows, Registers

MINUTE_S: Final = 60
LONGEST_GAP_S: Final = 30.0
_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a load that can wait did in a minute.

    Attributes:
        energy_wh: What it drew while the flows beside it were known.
        wants: Whether it ran, or would have if it had been allowed.
    """

    energy_wh: float
    wants: bool


@dataclass(frozen=True, slots=True)
class Tag:
    """What a kWh was worth in a minute.

    Attributes:
        import_per_kwh: Price of one taken.
        export_per_kwh: What was paid for one given.
        carbon_kg_per_kwh: Of one taken; None where nobody knows.
    """

    import_per_kwh: float = 0.0
    export_per_kwh: float = 0.0
    carbon_kg_per_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class Minute:
    """What flowed in a minute, energies in Wh.

    Attributes:
        at: Its start, UTC epoch seconds, a multiple of 60.
        metered_s: For how long the meter was known.
        import_wh: Taken from the grid in that time.
        export_wh: Given to the grid, a magnitude.
        known_s: For how long meter, sun and batteries all were.
        sun_wh: What PV gave in that time, a magnitude.
        self_wh: What of it did not go to the grid.
        used_wh: What the house used.
        own_wh: What of that did not come from the grid.
        compared_s: For how long meter and batteries were known: what a comparison needs.
        net_wh: At the meter in that time, import positive.
        rest_wh: The same without batteries and loads that can wait.
        waiting: Those loads, by device id.
        opened: The meter's registers at its first image; None where it has none.
        closed: At its last.
        tag: What a kWh was worth.
    """

    at: int
    metered_s: float = 0.0
    import_wh: float = 0.0
    export_wh: float = 0.0
    known_s: float = 0.0
    sun_wh: float = 0.0
    self_wh: float = 0.0
    used_wh: float = 0.0
    own_wh: float = 0.0
    compared_s: float = 0.0
    net_wh: float = 0.0
    rest_wh: float = 0.0
    waiting: Mapping[str, Drawn] = field(default_factory=dict)
    opened: Registers | None = None
    closed: Registers | None = None
    tag: Tag = Tag()

    def joined(self, later: "Minute") -> "Minute":
        """Return this minute with what was seen later of the same one: after a restart."""
        sums = {name: getattr(self, name) + getattr(later, name) for name in _SUMS}
        waiting = dict(self.waiting)
        for device, drawn in later.waiting.items():
            before = waiting.get(device, Drawn(0.0, wants=False))
            waiting[device] = Drawn(
                before.energy_wh + drawn.energy_wh, wants=before.wants or drawn.wants
            )
        return replace(
            later,
            **sums,
            waiting=waiting,
            opened=self.opened or later.opened,
            closed=later.closed or self.closed,
        )


_SUMS: Final = (
    "metered_s",
    "import_wh",
    "export_wh",
    "known_s",
    "sun_wh",
    "self_wh",
    "used_wh",
    "own_wh",
    "compared_s",
    "net_wh",
    "rest_wh",
)


class Tally:
    """Adds images up to minutes."""

    def __init__(self) -> None:
        self._before: Flows | None = None
        self._open: _Open | None = None

    @property
    def running(self) -> Minute | None:
        """What is known of the minute that is not over; None before the first image."""
        return None if self._open is None else self._open.minute()

    def take(self, now: Flows) -> Sequence[Minute]:
        """Take the next image; returns the minutes that it ends, in order."""
        ended: list[Minute] = []
        before, self._before = self._before, now
        if before is not None and 0.0 < now.at - before.at <= LONGEST_GAP_S:
            first = floor(before.at / MINUTE_S) + 1
            inner = [m * MINUTE_S for m in range(first, floor(now.at / MINUTE_S) + 1)]
            for start, end in pairwise((before.at, *inner, now.at)):
                if start < end:
                    self._turn_to(start, ended).add(before, end - start)
        self._turn_to(now.at, ended).note(now)
        return ended

    def _turn_to(self, at: float, ended: list[Minute]) -> "_Open":
        start = floor(at / MINUTE_S) * MINUTE_S
        if self._open is None or self._open.at != start:
            if self._open is not None:
                ended.append(self._open.minute())
            self._open = _Open(start)
        return self._open


@dataclass(slots=True)
class _Open:
    """A minute in the making; fields as in `Minute`."""

    at: int
    metered_s: float = 0.0
    import_wh: float = 0.0
    export_wh: float = 0.0
    known_s: float = 0.0
    sun_wh: float = 0.0
    self_wh: float = 0.0
    used_wh: float = 0.0
    own_wh: float = 0.0
    compared_s: float = 0.0
    net_wh: float = 0.0
    rest_wh: float = 0.0
    waiting: dict[str, tuple[float, bool]] = field(default_factory=dict)
    opened: Registers | None = None
    closed: Registers | None = None

    def note(self, seen: Flows) -> None:
        """Take in what an image says of this instant."""
        if seen.registers is not None:
            self.opened = self.opened or seen.registers
            self.closed = seen.registers

    def add(self, held: Flows, span_s: float) -> None:
        """Add what flowed in a time in which one image held."""
        if held.net_w is None:
            return
        hours = span_s / _HOUR_S
        taken_w, given_w = max(0.0, held.net_w), max(0.0, -held.net_w)
        self.metered_s += span_s
        self.import_wh += taken_w * hours
        self.export_wh += given_w * hours
        if held.batteries_w is None:
            return
        self._compare(held, held.net_w, held.batteries_w, span_s)
        if held.sun_w is not None:
            sun_w = -held.sun_w
            used_w = max(0.0, held.net_w + sun_w - held.batteries_w)
            self.known_s += span_s
            self.sun_wh += sun_w * hours
            self.self_wh += max(0.0, sun_w - given_w) * hours
            self.used_wh += used_w * hours
            self.own_wh += max(0.0, used_w - taken_w) * hours

    def _compare(self, held: Flows, net_w: float, batteries_w: float, span_s: float) -> None:
        hours = span_s / _HOUR_S
        rest_w = net_w - batteries_w
        for device, load in held.waiting.items():
            rest_w -= load.power_w
            energy_wh, wanted = self.waiting.get(device, (0.0, False))
            self.waiting[device] = (energy_wh + load.power_w * hours, wanted or load.wants)
        self.compared_s += span_s
        self.net_wh += net_w * hours
        self.rest_wh += rest_w * hours

    def minute(self) -> Minute:
        """Return what it is so far."""
        return Minute(
            at=self.at,
            waiting={
                device: Drawn(energy_wh, wants=wants)
                for device, (energy_wh, wants) in self.waiting.items()
            },
            opened=self.opened,
            closed=self.closed,
            **{name: getattr(self, name) for name in _SUMS},
        )
