"""What a home could give up for a time: the power and the energy that can be promised.

A promise is about net power: by how much it can be lowered below what it is, at once, and be kept
so for the whole time. Batteries give what their rating and their charge allow, whichever is less
over that time; a load counts only while it draws, and only where it can stay off that long.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from der.model import Control, DeviceState, Quality
from programs.ownership import reached
from programs.proposal import Rank

S_PER_H: Final = 3600.0
MARGIN: Final = 0.05
"""Share of what could be given that is not promised: gauges and meters are not that exact."""
_LEAST_LOAD_W: Final = 50.0
"""A load that draws less is off: what stands by gives nothing up."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What of a battery nobody measures.

    Attributes:
        capacity_wh: Usable, where the battery does not tell; None if that is not known either.
        taken: Share of what it draws that is stored, 0 to 1.
        given: Share of what it gives up that comes out, 0 to 1.
    """

    capacity_wh: float | None = None
    taken: float = 1.0
    given: float = 1.0


@dataclass(frozen=True, slots=True)
class Store:
    """A battery as a promise sees it; energies are those inside.

    Attributes:
        device: Its id.
        power_w: What it is at, passive sign.
        least_w: The most that it gives, never positive.
        most_w: The most that it takes, never negative.
        inside_wh: What is in it above the owner's reserve, never negative.
        room_wh: What it has room for.
        taken: Share of what it draws that is stored.
        given: Share of what it gives up that comes out.
    """

    device: str
    power_w: float
    least_w: float
    most_w: float
    inside_wh: float
    room_wh: float
    taken: float = 1.0
    given: float = 1.0

    @property
    def full_wh(self) -> float:
        """What is in it above the owner's reserve when it is full."""
        return self.inside_wh + self.room_wh

    @property
    def deliverable_wh(self) -> float:
        """What comes out of it until it is at the owner's reserve."""
        return self.inside_wh * self.given

    def sustained_w(self, for_s: float) -> float:
        """Return the lowest power that it can keep for a time, never positive."""
        if for_s <= 0:
            return self.least_w
        return max(self.least_w, -self.deliverable_wh * S_PER_H / for_s)


@dataclass(frozen=True, slots=True)
class Load:
    """A load that can be taken away.

    Attributes:
        device: Its id.
        power_w: What it draws now.
        for_s: For how long it can stay off; infinite where nobody minds.
    """

    device: str
    power_w: float
    for_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Capability:
    """By how much net power can be lowered at once, and kept so.

    Attributes:
        power_w: By so much, for all of the time, never negative.
        for_s: The time.
        stored_w: The part of it that batteries have.
        shed_w: The part of it that loads have.
    """

    power_w: float
    for_s: float
    stored_w: float = 0.0
    shed_w: float = 0.0

    @property
    def energy_wh(self) -> float:
        """What is then taken less, or given more, in all."""
        return self.power_w * self.for_s / S_PER_H


def capability(
    stores: Iterable[Store], loads: Iterable[Load], for_s: float, margin: float = MARGIN
) -> Capability:
    """Return what can be promised for a time that begins now.

    Args:
        stores: The batteries.
        loads: What can be taken away.
        for_s: The time, s.
        margin: Share of what could be given that is not promised.
    """
    stored_w = sum(max(s.power_w - s.sustained_w(for_s), 0.0) for s in stores)
    shed_w = sum(load.power_w for load in loads if load.for_s >= for_s)
    kept = 1.0 - margin
    return Capability((stored_w + shed_w) * kept, for_s, stored_w * kept, shed_w * kept)


def later(
    stores: Iterable[Store],
    ahead_s: float,
    for_s: float,
    share: float = 1.0,
    margin: float = MARGIN,
) -> Capability:
    """Return what batteries could promise for a time that begins later, from rest.

    Until then they may charge. Loads do not count: nobody knows whether they will draw.

    Args:
        stores: The batteries.
        ahead_s: In how many s it begins.
        for_s: For how long it is then to be kept, s.
        share: Share of what a full battery holds that may be promised, 0 to 1.
        margin: Share of what could be given that is not promised.
    """
    power_w = 0.0
    for store in stores:
        charged_wh = store.most_w * store.taken * max(ahead_s, 0.0) / S_PER_H
        there_wh = min(store.inside_wh + charged_wh, store.full_wh, share * store.full_wh)
        power_w += min(-store.least_w, there_wh * store.given * S_PER_H / for_s)
    power_w *= 1.0 - margin
    return Capability(power_w, for_s, power_w)


def split(stores: Sequence[Store], for_s: float) -> Mapping[str, float]:
    """Return each battery's share of what they promise together, by id; the shares make 1.

    It follows what each could give for that time when full: a share hangs on no charge of the
    moment, so that it need not be remembered.
    """
    able = {
        s.device: min(-s.least_w, s.full_wh * s.given * S_PER_H / max(for_s, 1.0)) for s in stores
    }
    whole = sum(able.values())
    return {name: one / whole for name, one in able.items()} if whole > 0 else {}


def stores(
    devices: Iterable[DeviceState], facts: Mapping[str, StoreFacts], reserve_soc: float
) -> tuple[Store, ...]:
    """Return the batteries that can be promised: the home's, reached now, of known charge.

    Args:
        devices: Any devices.
        facts: What nobody measures, by id.
        reserve_soc: State of charge below which the owner gives nothing, 0 to 1.
    """
    found = (_store(state, facts.get(state.spec.id, _PLAIN), reserve_soc) for state in devices)
    return tuple(store for store in found if store is not None)


_PLAIN: Final = StoreFacts()


def _store(state: DeviceState, facts: StoreFacts, reserve_soc: float) -> Store | None:
    spec, reading = state.spec, state.reading
    if spec.control is not Control.TARGET or not reached(spec, Rank.ACCEPTED):
        return None
    if state.quality is not Quality.GOOD or reading is None or reading.connected is False:
        return None
    capacity_wh, soc = reading.capacity_wh or facts.capacity_wh, reading.soc
    if capacity_wh is None or soc is None:
        return None
    if not (math.isfinite(soc * capacity_wh) and math.isfinite(reading.power_w)):
        return None
    return Store(
        spec.id,
        reading.power_w,
        min(spec.min_w, 0.0),
        max(spec.max_w, 0.0),
        max(soc - reserve_soc, 0.0) * capacity_wh,
        min(max(1.0 - max(soc, reserve_soc), 0.0), 1.0) * capacity_wh,
        facts.taken,
        facts.given,
    )


@dataclass(frozen=True, slots=True)
class Spare:
    """For how long loads can stay off; what is not named here is in nobody's way.

    Attributes:
        for_s: By device id, s; 0 for one that is wanted now.
        held_on: Ids of those that may not be switched off yet (minimum on times).
    """

    for_s: Mapping[str, float] = field(default_factory=dict)
    held_on: frozenset[str] = frozenset()


def loads(devices: Iterable[DeviceState], spare: Spare) -> tuple[Load, ...]:
    """Return the loads that can be taken away now: those that draw and may.

    One whose temperature people feel counts for as long as `spare` says, and for nothing where
    that is not known.

    Args:
        devices: Any devices.
        spare: For how long they can stay off.
    """
    return tuple(
        load for state in devices if (load := _load(state, spare)) is not None and load.for_s > 0
    )


def _load(state: DeviceState, spare: Spare) -> Load | None:
    spec, reading = state.spec, state.reading
    if spec.control not in {Control.CEILING, Control.SWITCH} or spec.id in spare.held_on:
        return None
    if state.quality is not Quality.GOOD or reading is None or not reached(spec, Rank.ACCEPTED):
        return None
    if not _LEAST_LOAD_W <= reading.power_w < math.inf:  # a NaN fails too
        return None
    unknown_s = math.inf if spec.comfort is None else 0.0
    return Load(spec.id, reading.power_w, spare.for_s.get(spec.id, unknown_s))


def heat_spare_s(
    above_k: float, wh_per_k: float, loss_w_per_k: float, warmer_k: float, draw_w: float = 0.0
) -> float:
    """Return for how long something warm stays warm enough without its heater, s.

    Args:
        above_k: By how much it is above its bound, K (for cooling: below).
        wh_per_k: Its heat capacity.
        loss_w_per_k: What it loses for each K that it is warmer than its surroundings.
        warmer_k: By how much it is, K (for cooling: colder).
        draw_w: Heat that is drawn from it besides.
    """
    if above_k <= 0:
        return 0.0
    lost_w = loss_w_per_k * max(warmer_k, 0.0) + max(draw_w, 0.0)
    return math.inf if lost_w <= 0 else above_k * wh_per_k / lost_w * S_PER_H


def car_spare_s(left_wh: float, most_w: float, ready_in_s: float) -> float:
    """Return for how long a car can wait and still be ready, s, never negative.

    Args:
        left_wh: What it still needs.
        most_w: What it takes at most.
        ready_in_s: In how many s it has to be ready; infinite for no time.
    """
    if left_wh <= 0 or math.isinf(ready_in_s):
        return math.inf
    return max(ready_in_s - left_wh / most_w * S_PER_H, 0.0) if most_w > 0 else 0.0
