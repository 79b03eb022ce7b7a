"""The same house, controlled otherwise: what its battery would have done, and its bill; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hems.cem.tariff.billing import Peak
from hems.money.tally import Minute, Tag

_HOUR_S: Final = 3600.0
_WH_PER_KWH: Final = 1000.0
_NO_PEAK: Final = Peak()


@dataclass(frozen=True, slots=True)
class Cell:
    """A battery as it is.

    Attributes:
        capacity_wh: What it holds when full.
        least_wh: What self-consumption leaves in it.
        charge_w: Greatest charging power, positive.
        discharge_w: Greatest discharging power, positive.
        charge_efficiency: Share of what it draws that is stored.
        discharge_efficiency: Share of what it gives up that comes out.
    """

    capacity_wh: float
    least_wh: float
    charge_w: float
    discharge_w: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95


@dataclass(frozen=True, slots=True)
class State:
    """What is true at a moment of the house and of its twins.

    Attributes:
        at: That moment, UTC epoch seconds.
        stored_wh: What is in the greedy twin's batteries, by id; one that is missing has not
            begun yet.
        peak: The highest quarter-hour of the billing month.
        peak_no_control: The same without control.
        peak_greedy: The same of greedy control.
    """

    at: float = 0.0
    stored_wh: Mapping[str, float] = field(default_factory=dict)
    peak: Peak = _NO_PEAK
    peak_no_control: Peak = _NO_PEAK
    peak_greedy: Peak = _NO_PEAK


def even_out(cell: Cell, stored_wh: float, residual_w: float, span_s: float) -> tuple[float, float]:
    """Return what a battery does that evens the meter out, and what is then in it.

    Args:
        cell: The battery.
        stored_wh: What is in it.
        residual_w: What the meter would show without it, import positive.
        span_s: For how long.

    Returns:
        Its mean power in W, charging positive, and the energy then stored in Wh.
    """
    hours = span_s / _HOUR_S
    if hours <= 0.0:
        return 0.0, stored_wh
    if residual_w < 0.0:
        room_wh = max(0.0, cell.capacity_wh - stored_wh)
        power_w = min(-residual_w, cell.charge_w, room_wh / cell.charge_efficiency / hours)
        return power_w, stored_wh + power_w * cell.charge_efficiency * hours
    spare_wh = max(0.0, stored_wh - cell.least_wh)
    power_w = min(residual_w, cell.discharge_w, spare_wh * cell.discharge_efficiency / hours)
    return -power_w, stored_wh - power_w / cell.discharge_efficiency * hours


def greedy(
    minutes: Sequence[Minute],
    without_wh: Sequence[float],
    cells: Mapping[str, Cell],
    stored_wh: Mapping[str, float],
) -> tuple[list[float], list[Mapping[str, float]]]:
    """Return what the meter would have shown with batteries that even it out.

    Args:
        minutes: In order of time.
        without_wh: What it would have shown without them, by minute, import positive.
        cells: The batteries, the first one acting first.
        stored_wh: What is in them before.

    Returns:
        By minute what the meter would have shown, in Wh, and what is then in them.
    """
    shown: list[float] = []
    after: list[Mapping[str, float]] = []
    present = dict(stored_wh)
    for minute, net_wh in zip(minutes, without_wh, strict=True):
        hours = minute.compared_s / _HOUR_S
        for name, cell in cells.items():
            if hours > 0.0 and name in present:
                power_w, present[name] = even_out(
                    cell, present[name], net_wh / hours, minute.compared_s
                )
                net_wh += power_w * hours  # noqa: PLW2901 - the next one evens out what is left
        shown.append(net_wh)
        after.append(dict(present))
    return shown, after


def bill(net_wh: float, tag: Tag) -> float:
    """Return what the net energy of a minute costs; negative where it brings more."""
    per_kwh = tag.import_per_kwh if net_wh > 0.0 else tag.export_per_kwh
    return net_wh / _WH_PER_KWH * per_kwh
