"""From minutes to rows: what each quarter-hour cost, and what it would have cost; pure.

What a car would have drawn without control is known when it has left. Until then its minutes
stay, and each new settlement says better what they would have cost; `State` is what was true
before the first of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import floor
from typing import Final

from hems.cem.tariff import billing
from hems.cem.tariff.billing import Peak
from hems.cem.tariff.rates import Contract
from hems.money.tally import MINUTE_S, Minute
from hems.money.twins import Cell, State, bill, greedy
from hems.money.wanting import Load, Wish, at_once, wishes
from hems.store.accounts import INTERVAL_S, AccountRow

LONGEST_S: Final = 3 * 86_400
"""After so long a wish that goes on is settled as far as it went."""
_WHOLE_S: Final = 0.98 * INTERVAL_S
_WHOLE_MINUTE_S: Final = 50.0
_MOST_W: Final = 100e3
"""No home takes or gives more: a register that says so is another meter's."""
_HOURS: Final = INTERVAL_S / 3600.0
_WH_PER_KWH: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Plant:
    """What the twins have, by device id.

    Attributes:
        cells: Batteries whose capacity is known.
        loads: Loads that can wait.
        batteries: How many batteries there are.
    """

    cells: Mapping[str, Cell] = field(default_factory=dict)
    loads: Mapping[str, Load] = field(default_factory=dict)
    batteries: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What came of it.

    Attributes:
        rows: One for each quarter-hour that has metered minutes, in order.
        state: What is true at the end of what is settled for good.
        peak: The highest quarter-hour of the billing month, the running one included.
    """

    rows: tuple[AccountRow, ...]
    state: State
    peak: Peak


def settle(minutes: Sequence[Minute], state: State, plant: Plant, contract: Contract) -> Settlement:
    """Account for minutes; the last one may be running.

    Args:
        minutes: All since `state.at`, in order of time.
        state: What was true before them.
        plant: What the house has.
        contract: What was agreed with whoever sells.
    """
    if not minutes:
        return Settlement((), state, state.peak)
    running = _interval(minutes[-1].at)
    cut = max(state.at, running - LONGEST_S)
    found = {
        device: list(wishes(minutes, device, load, cut)) for device, load in plant.loads.items()
    }
    settled = max(cut, _settled(minutes, found, running))
    without_wh = _without_control(minutes, plant, found)
    greedy_wh, stored = greedy(minutes, without_wh, plant.cells, state.stored_wh)
    knows_greedy = plant.batteries == sum(cell in state.stored_wh for cell in plant.cells)
    rows: list[AccountRow] = []
    kept = now = state
    first = 0
    for start, group in groupby(minutes, key=lambda minute: _interval(minute.at)):
        count = len(list(group))
        part = slice(first, first + count)
        first += count
        row, now = _account(
            start,
            _Quarter(minutes[part], without_wh[part], greedy_wh[part], knows_greedy),
            now,
            contract,
        )
        now = replace(now, at=start + INTERVAL_S, stored_wh=stored[part][-1])
        if row.measured > 0.0:
            rows.append(row)
        if start < settled:
            kept = now
    return Settlement(tuple(rows), replace(kept, at=max(kept.at, settled)), now.peak)


@dataclass(frozen=True, slots=True)
class _Quarter:
    """A quarter-hour's minutes, and what the meter would have shown in each, Wh."""

    minutes: Sequence[Minute]
    without_wh: Sequence[float]
    greedy_wh: Sequence[float]
    knows_greedy: bool


def _interval(at: float) -> int:
    return floor(at / INTERVAL_S) * INTERVAL_S


def _settled(minutes: Sequence[Minute], found: Mapping[str, Sequence[Wish]], running: int) -> int:
    """Return the start of the first quarter-hour of which a wish may still change something."""
    settled = running
    spans = sorted(
        (
            (minutes[w.first].at, minutes[w.last].at, w.open)
            for each in found.values()
            for w in each
        ),
        reverse=True,
    )
    before = settled + 1
    while settled < before:
        before = settled
        for start, end, still in spans:
            if still or end >= settled:
                settled = min(settled, _interval(start))
    return settled


def _without_control(
    minutes: Sequence[Minute], plant: Plant, found: Mapping[str, Sequence[Wish]]
) -> list[float]:
    """Return what the meter would have shown by minute, batteries idle and loads at once, Wh."""
    shown = [
        minute.rest_wh + sum(drawn.energy_wh for drawn in minute.waiting.values())
        for minute in minutes
    ]
    for device, load in plant.loads.items():
        for index, energy_wh in at_once(minutes, device, load, found[device]).items():
            shown[index] += energy_wh - minutes[index].waiting[device].energy_wh
    return shown


def _account(
    start: int, quarter: _Quarter, before: State, contract: Contract
) -> tuple[AccountRow, State]:
    """Return the row of a quarter-hour, and the peaks after it."""
    minutes = quarter.minutes
    metered = _metered(start, minutes)
    actual = sum(bill(m.net_wh, m.tag) for m in minutes)
    seen_wh = sum(max(0.0, m.net_wh) for m in minutes)

    def after(peak: Peak, import_wh: float) -> Peak:
        return peak.with_quarter(start, import_wh / _HOURS, contract)

    def twin(shown: Sequence[float], was: Peak) -> tuple[float, Peak]:
        """Return what the twin's energy costs more than the house's, and its peak."""
        more = sum(bill(wh, m.tag) for wh, m in zip(shown, minutes, strict=True)) - actual
        import_wh = metered.import_wh + sum(max(0.0, wh) for wh in shown) - seen_wh
        peak = after(was, max(0.0, import_wh))
        return more + peak.charge_after(was, contract), peak

    peak = after(before.peak, metered.import_wh)
    growth = peak.charge_after(before.peak, contract)
    standing = billing.standing(start, INTERVAL_S, contract)
    idle_more, idle_peak = twin(quarter.without_wh, before.peak_no_control)
    greedy_more, greedy_peak = twin(quarter.greedy_wh, before.peak_greedy)
    base = metered.cost - metered.revenue + standing
    compared = any(m.compared_s > 0.0 for m in minutes)
    row = AccountRow(
        start=start,
        import_wh=metered.import_wh,
        export_wh=metered.export_wh,
        sun_wh=sum(m.sun_wh for m in minutes),
        self_wh=sum(m.self_wh for m in minutes),
        used_wh=sum(m.used_wh for m in minutes),
        own_wh=sum(m.own_wh for m in minutes),
        cost=metered.cost,
        revenue=metered.revenue,
        charges=standing + growth,
        carbon_kg=metered.carbon_kg,
        cost_no_control=base + idle_more if compared else None,
        cost_greedy=base + greedy_more if compared and quarter.knows_greedy else None,
        measured=metered.share,
        registers=metered.registers,
        currency=contract.currency,
    )
    state = replace(before, peak=peak, peak_no_control=idle_peak, peak_greedy=greedy_peak)
    return row, state


@dataclass(frozen=True, slots=True)
class _Metered:
    """What a quarter-hour took and gave, and what that came to."""

    import_wh: float
    export_wh: float
    cost: float
    revenue: float
    carbon_kg: float | None
    share: float
    registers: bool


def _metered(start: int, minutes: Sequence[Minute]) -> _Metered:
    """Add up what was metered; what is missing within comes from the registers, if they tell."""
    metered_s = sum(m.metered_s for m in minutes)
    import_wh, export_wh = sum(m.import_wh for m in minutes), sum(m.export_wh for m in minutes)
    cost = sum(m.import_wh * m.tag.import_per_kwh for m in minutes)
    revenue = sum(m.export_wh * m.tag.export_per_kwh for m in minutes)
    tags = [m.tag.carbon_kg_per_kwh for m in minutes]
    known = [tag for tag in tags if tag is not None]
    carbon = sum(m.import_wh * (m.tag.carbon_kg_per_kwh or 0.0) for m in minutes)
    more = _missing(start, minutes, metered_s, import_wh, export_wh)
    if more is not None:
        more_in, more_out = more
        import_wh, export_wh = import_wh + more_in, export_wh + more_out
        cost += more_in * _mean([m.tag.import_per_kwh for m in minutes])
        revenue += more_out * _mean([m.tag.export_per_kwh for m in minutes])
        carbon += more_in * _mean(known)
    return _Metered(
        import_wh=import_wh,
        export_wh=export_wh,
        cost=cost / _WH_PER_KWH,
        revenue=revenue / _WH_PER_KWH,
        carbon_kg=carbon / _WH_PER_KWH if len(known) == len(tags) else None,
        share=1.0 if more is not None else min(1.0, metered_s / INTERVAL_S),
        registers=more is not None,
    )


def _missing(
    start: int, minutes: Sequence[Minute], metered_s: float, import_wh: float, export_wh: float
) -> tuple[float, float] | None:
    """Return what was taken and given beside what was metered; None where no register tells."""
    counted = _counted(start, minutes) if metered_s < _WHOLE_S else None
    if counted is None:
        return None
    more = max(0.0, counted[0] - import_wh), max(0.0, counted[1] - export_wh)
    most_wh = _MOST_W * (INTERVAL_S - metered_s) / 3600.0
    return more if max(more) <= most_wh else None


def _counted(start: int, minutes: Sequence[Minute]) -> tuple[float, float] | None:
    """Return what the registers counted over a whole quarter-hour; None if they don't span it."""
    first, last = minutes[0], minutes[-1]
    whole = first.at == start and last.at == start + INTERVAL_S - MINUTE_S
    if not whole or min(first.metered_s, last.metered_s) < _WHOLE_MINUTE_S:
        return None
    if first.opened is None or last.closed is None:
        return None
    import_wh = last.closed.import_wh - first.opened.import_wh
    export_wh = last.closed.export_wh - first.opened.export_wh
    return (import_wh, export_wh) if min(import_wh, export_wh) >= 0.0 else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
