"""A problem without figures that are none: one wrong figure must not cost the home its plan. Pure.

Prices and limits are checked where they come in; what devices tell is not always.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import TypeVar

from der.sentence import say
from hems.cem.planner.problem import Appliance, Battery, BySlot, Car, Deadline, Heat, Problem

_Device = TypeVar("_Device", Battery, Car, Appliance, Heat)


def sound(problem: Problem) -> tuple[Problem, tuple[str, ...]]:
    """Return a problem that can be planned, and what was left out of it, one clause each.

    A price that is none is the mean of the others, a limit that is none the strictest of the
    others; a device of which a figure is none is left out.
    """
    prices, limits, notes = problem.prices, problem.limits, list[str]()
    carbon, saved = prices.carbon_kg_per_kwh, prices.saved_per_kwh
    better = replace(
        prices,
        import_per_kwh=_priced(prices.import_per_kwh),
        export_per_kwh=_priced(prices.export_per_kwh),
        carbon_kg_per_kwh=carbon if _finite(carbon) else (),
        carbon_price_per_kg=_or_none(prices.carbon_price_per_kg),
        saved_per_kwh=saved if _finite(saved) else (),
        peak_per_kw=max(0.0, _or_none(prices.peak_per_kw)),
        peak_so_far_w=max(0.0, _or_none(prices.peak_so_far_w)),
    )
    if better != prices:
        notes.append(say("some prices are no numbers: the mean of the others stands for them"))
    kept = replace(limits, import_w=_limited(limits.import_w), export_w=_limited(limits.export_w))
    if kept != limits:
        notes.append(say("some limits are no numbers: the strictest of the others stands for them"))
    made = replace(
        problem,
        prices=better,
        limits=kept,
        batteries=_usable(problem.batteries, notes),
        cars=_usable(problem.cars, notes),
        appliances=_usable(problem.appliances, notes),
        heats=_usable(problem.heats, notes),
    )
    return made, tuple(notes)


def _finite(values: Sequence[float]) -> bool:
    return all(map(math.isfinite, values))


def _or_none(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _priced(row: BySlot) -> BySlot:
    """Return prices with the mean of the others in place of those that are none."""
    if _finite(row):
        return row
    known = [price for price in row if math.isfinite(price)]
    mean = sum(known) / len(known) if known else 0.0
    return tuple(price if math.isfinite(price) else mean for price in row)


def _limited(row: BySlot) -> BySlot:
    """Return limits, none of them negative; infinity is one."""
    if all(limit >= 0.0 for limit in row):
        return row
    least = max(0.0, min((limit for limit in row if not math.isnan(limit)), default=math.inf))
    return tuple(least if math.isnan(limit) else max(0.0, limit) for limit in row)


def _usable(devices: tuple[_Device, ...], notes: list[str]) -> tuple[_Device, ...]:
    """Return the devices of which every figure is one; the others are noted."""
    found = tuple(one for one in devices if _finite(list(_figures(one))) and _efficient(one))
    notes += [
        say("{id} is not planned: it tells no numbers", id=one.id)
        for one in devices
        if one not in found
    ]
    return found


def _efficient(device: object) -> bool:
    return not isinstance(device, Battery) or all(
        0.0 < share <= 1.0 for share in (device.charge_efficiency, device.discharge_efficiency)
    )


def _figures(record: Battery | Car | Appliance | Heat | Deadline) -> Iterator[float]:
    """Yield every figure of a record."""
    for field in fields(record):
        value = getattr(record, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Deadline):
                yield from _figures(one)
            elif isinstance(one, float | int):
                yield float(one)
