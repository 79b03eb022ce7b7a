"""Each battery's part of what several do together."""

from collections.abc import Mapping, Sequence

import numpy as np

from hems.cem.forecast.past import Floats
from hems.cem.planner.plan import PlannedDevice
from hems.cem.planner.problem import Battery
from hems.cem.planner.worth.manner import Manner
from hems.cem.planner.worth.storage import inside_wh


def shared(
    batteries: Sequence[Battery], behaviour: Sequence[Manner], hours: float
) -> Mapping[str, PlannedDevice]:
    """Return what each battery does: all behave alike, and a power is shared by what each can do.

    Args:
        batteries: Those that are valued as one (`storage.pooled`).
        behaviour: What they do together, by slot.
        hours: Length of a slot.

    Returns:
        By device id; powers and charges keep to each battery's own bounds.
    """
    energy_wh = np.array([inside_wh(b) for b in batteries])
    stored = np.array([b.charge_efficiency for b in batteries])
    given = np.array([b.discharge_efficiency for b in batteries])
    power_w = np.empty((len(batteries), len(behaviour)))
    level_wh = np.empty_like(power_w)
    for slot, one in enumerate(behaviour):
        charging = one.power_w > 0.0
        able_w = _able_w(batteries, energy_wh, hours, slot, charging=charging)
        if not charging and able_w.sum() < -one.power_w:
            # What one has committed is touched only where all together have no other way.
            able_w = _able_w(batteries, energy_wh, hours, charging=False)
        total_w = float(able_w.sum())
        part = min(1.0, abs(one.power_w) / total_w) if total_w > 0.0 else 0.0
        power_w[:, slot] = np.copysign(part * able_w, one.power_w)
        inner_w = power_w[:, slot] * stored if charging else power_w[:, slot] / given
        energy_wh = energy_wh + hours * inner_w
        level_wh[:, slot] = energy_wh
    uses = tuple(one.use for one in behaviour)
    worth = tuple(one.worth_per_kwh for one in behaviour)
    return {
        b.id: PlannedDevice(tuple(power_w[i].tolist()), tuple(level_wh[i].tolist()), uses, worth)
        for i, b in enumerate(batteries)
    }


def _able_w(
    batteries: Sequence[Battery],
    energy_wh: Floats,
    hours: float,
    slot: int | None = None,
    *,
    charging: bool,
) -> Floats:
    """Return the greatest power that each can take, or give, over a slot.

    Args:
        batteries: Those that share.
        energy_wh: What is in each at the slot's start.
        hours: Length of the slot.
        slot: Which, so that each keeps what it has committed by its end; None to keep none.
        charging: Whether they take.
    """
    able_w = [
        min(b.charge_w, max(0.0, b.most_wh - held_wh) / b.charge_efficiency / hours)
        if charging
        else min(
            b.discharge_w,
            max(0.0, held_wh - _least_wh(b, slot)) * b.discharge_efficiency / hours,
        )
        for b, held_wh in zip(batteries, energy_wh.tolist(), strict=True)
    ]
    return np.array(able_w)


def _least_wh(battery: Battery, slot: int | None) -> float:
    """Return what a battery keeps: its reserve, and what it has committed by a slot's end."""
    if slot is None or not battery.committed_wh:
        return battery.least_wh
    return min(battery.least_wh + battery.committed_wh[slot], battery.most_wh)
