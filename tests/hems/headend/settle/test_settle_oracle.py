"""Settlement against what counts each second by itself: slow, and plain to see."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from hems.headend.models import Base, MeterRow, PointRow, ReadingRow
from hems.headend.modes import Mode
from hems.headend.records import Event
from hems.headend.settle.baseline import Baseline, Method, Note, Span, Way, baseline
from hems.headend.settle.delivery import Measured, Terms, settled
from hems.headend.settle.power import At
from hems.headend.settle.power_store import LONGEST_S, Window, latest_power, read_powers
from hems.headend.settle.taking_part import Part, Said, Stand, part_of
from hems.headend.settle.wanted import Limit, Move, Wanted
from hems.headend.sql import insert

STEP_S = 300
T = 1_000_200
HOME = "AA" * 20

Told = tuple[int, int, int, int]
"""Meter, start, duration, value."""

METERS: tuple[Mapping[str, int | None], ...] = (
    {"uom": 38, "flow": 1, "phase": None, "qualifier": 2},
    {"uom": 38, "flow": 19, "phase": 0, "qualifier": None},
    {"uom": 38, "flow": 1, "phase": 128, "qualifier": 2},
    {"uom": 38, "flow": None, "phase": None, "qualifier": 8},
    {"uom": 72, "flow": 1, "phase": None, "qualifier": 12},
    {"uom": 29, "flow": None, "phase": None, "qualifier": 2},
)
RANKS = (0, 0, 1, None, 2, None)
"""Which of them speak of power at all, and who before whom."""

readings = st.lists(
    st.tuples(
        st.integers(0, len(METERS) - 1),
        st.integers(T - 4000, T + 2400),
        st.sampled_from((0, 1, 60, 270, 300, 420, 900, 3600, 3601)),
        st.integers(-5000, 5000),
    ),
    max_size=12,
    unique_by=lambda told: told[:2],
)


def seconds_of(
    told: Sequence[Told], meter: int, first: int, last: int
) -> Mapping[int, list[float]]:
    """Return what a meter says of each second, W."""
    found: dict[int, list[float]] = {}
    for own, start, duration, value in told:
        if own != meter or not 0 < duration <= LONGEST_S:
            continue
        if start >= last or start + duration <= first:
            continue
        sign = -1 if METERS[meter]["flow"] == 19 else 1
        watts = sign * value * (3600 / duration if METERS[meter]["uom"] == 72 else 1)
        for second in range(start, start + duration):
            found.setdefault(second, []).append(watts)
    return found


def slow_powers(told: Sequence[Told], first: int, last: int, step_s: int) -> dict[int, float]:
    meters = {
        n: said
        for n in range(len(METERS))
        if RANKS[n] is not None and (said := seconds_of(told, n, first, last))
    }
    if not meters:
        return {}
    best = min(RANKS[n] or 0 for n in meters)
    found = {}
    for start in range(first - LONGEST_S // step_s * step_s, last + LONGEST_S, step_s):
        parts = []
        for n, said in meters.items():
            if RANKS[n] == best:
                words = [w for s in range(start, start + step_s) for w in said.get(s, ())]
                parts.append(fmean(words) if len(words) >= 0.9 * step_s else None)
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            found[start] = sum(known)
    return found


@given(readings, st.sampled_from((60, 300, 900)), st.integers(T - 900, T), st.integers(1, 3000))
@settings(max_examples=40, deadline=None)
def test_the_database_sums_up_what_seconds_say(
    told: list[Told], step_s: int, begin: int, length_s: int
) -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            insert(connection, PointRow).values(id=1, lfdi=HOME, mrid="P", role="0003", body=b"")
        )
        for number, meter in enumerate(METERS):
            connection.execute(
                insert(connection, MeterRow).values(
                    id=number, point=1, mrid=str(number), description="", multiplier=0, **meter
                )
            )
        for number, start, duration, value in told:
            connection.execute(
                insert(connection, ReadingRow).values(
                    meter=number, start=start, local_id="", duration_s=duration, value=value
                )
            )
        window = Window(begin, begin + length_s)
        fast = read_powers(connection, [HOME, "BB" * 20], At.SITE, window, step_s).get(HOME, {})
        assert read_powers(connection, [HOME], At.DER, window, step_s) == {}
        last = latest_power(connection, [HOME], T)
    engine.dispose()
    first, end = begin // step_s * step_s, -(-(begin + length_s) // step_s) * step_s
    slow = slow_powers(told, first, end, step_s)
    assert fast == pytest.approx(slow)
    ends = [s + d for m, s, d, _ in told if RANKS[m] == 0 and s + d >= T and d <= LONGEST_S]
    if ends and HOME in last:
        assert last[HOME][0] <= max(ends)


@given(
    st.lists(
        st.tuples(st.sampled_from((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 252)), st.integers(-400, 4000)),
        max_size=6,
    ),
    st.none() | st.integers(-100, 3600),
    st.integers(0, 5000),
)
@settings(deadline=None)
def test_each_second_of_a_part_follows_from_what_was_said(
    turns: list[tuple[int, int]], cancelled: int | None, until: int
) -> None:
    turns.sort(key=lambda turn: turn[1])
    at = None if cancelled is None else float(T + cancelled)
    event = Event("AB" * 16, 1, {Mode.SHED: 1.0}, T, 3600, 0, 0, T - 200.0, cancelled_at=at)
    said = [Said(code, T + when, float(T + when)) for code, when in turns]
    part = part_of(event, said, told=True, until=T + until)
    never = not turns or any(code in {10, 252} for code, _ in turns)
    end = min(T + 3600, T + until, T + 3600 if at is None else at)
    for second in range(T - 60, T + 4200, 7):
        inside = any(span.begin <= second < span.end for span in part.spans)
        on = True
        for code, when in turns:
            # An event that is not told of yet has begun for nobody but who was in it before.
            if T + when <= second:
                on = {4: False, 6: False, 7: False, 5: True}.get(code, on)
        assert inside == (not never and on and T <= second < end)


powers = st.dictionaries(
    st.integers(-4, 15).map(lambda n: T + n * STEP_S), st.integers(-3000, 3000).map(float)
)


@given(
    powers,
    powers,
    st.lists(st.tuples(st.integers(0, 3600), st.integers(0, 3600)), max_size=2),
    st.integers(0, 3),
    st.booleans(),
)
@settings(deadline=None)
def test_each_second_of_a_settlement(
    shown: dict[int, float],
    would: dict[int, float],
    cuts: list[tuple[int, int]],
    bridge: int,
    limited: bool,
) -> None:
    spans: list[Span] = []
    for low, high in sorted((min(cut), max(cut)) for cut in cuts):
        begin = max(T + low, spans[-1].end if spans else T)
        if T + high > begin:
            spans.append(Span(begin, T + high))
    part = Part(Stand.DONE, (2,), Span(T, T + 3600), tuple(spans))
    move = None if limited else Move(At.SITE, 1000.0)
    limits = (Limit(At.SITE, 1, 500.0), Limit(At.SITE, -1, 200.0)) if limited else ()
    seen = Measured(shown, Baseline(would), (shown, shown) if limited else ())
    result = settled(HOME, part, Wanted(move, limits), seen, Terms(STEP_S, bridge))

    touched = {
        int(s) // STEP_S * STEP_S for span in spans for s in range(int(span.begin), int(span.end))
    }
    known_s = delivered = over = over_s = bridged_s = 0.0
    for span in spans:
        for second in range(int(span.begin), int(span.end)):
            start = second // STEP_S * STEP_S
            power = shown.get(start)
            filled = False
            if power is None and start in touched:
                power = on_the_line(shown, start, bridge)
                filled = power is not None
            if power is None or (not limited and start not in would):
                continue
            known_s += 1
            bridged_s += filled
            beyond = max(power - 500.0, -power - 200.0, 0.0)
            over += beyond
            over_s += beyond > 0
            delivered += 0.0 if limited else would[start] - power
    part_s = sum(span.seconds for span in spans)
    assert result.part_s == part_s
    assert result.known_s == pytest.approx(known_s)
    assert result.bridged_s == pytest.approx(bridged_s)
    if part_s and not known_s:
        assert (result.delivered_wh, result.over_wh) == (None, None)
    elif limited:
        assert result.over_wh == pytest.approx(over / 3600)
        assert result.over_s == pytest.approx(over_s)
    else:
        assert result.delivered_wh == pytest.approx(delivered / 3600)
    assert ("readings missing" in result.flags) == (0 < known_s < part_s)


def on_the_line(shown: Mapping[int, float], start: int, bridge: int) -> float | None:
    """Walk from a gap to both sides."""
    low = start
    while low not in shown and low > start - (bridge + 1) * STEP_S:
        low -= STEP_S
    high = start
    while high not in shown and high < start + (bridge + 1) * STEP_S:
        high += STEP_S
    if low not in shown or high not in shown or (high - low) // STEP_S - 1 > bridge:
        return None
    return shown[low] + (shown[high] - shown[low]) * (start - low) / (high - low)


@given(
    st.dictionaries(st.integers(1, 12), st.lists(st.integers(0, 3000), min_size=60, max_size=60)),
    st.lists(st.none() | st.integers(0, 3000), min_size=48, max_size=48),
    st.integers(1, 10),
    st.integers(1, 10),
    st.integers(1, 10),
)
@settings(deadline=None)
def test_a_baseline_from_days(
    days: dict[int, list[int]],
    today: list[int | None],
    most: int,
    least: int,
    highest: int,
) -> None:
    lead = T - 48 * STEP_S
    method = Method(Way.DAYS, most, least, highest)
    others = {
        n * 86_400: {lead + k * STEP_S - n * 86_400: float(w) for k, w in enumerate(day)}
        for n, day in days.items()
    }
    own = {lead + k * STEP_S: float(w) for k, w in enumerate(today) if w is not None}
    found = baseline(Span(T, T + 3600), STEP_S, own, others, method)
    latest = [days[n] for n in sorted(days)][:most]
    if len(latest) < least:
        assert found == Baseline({}, frozenset({Note.NONE}))
        return
    # Of days that are alike in the event it does not matter for the mean which is taken, but it
    # does for the time before: the later one is.
    order = sorted(enumerate(latest), key=lambda each: (-sum(each[1][48:60]), each[0]))
    chosen = [day for _, day in order[:highest]]
    means = [fmean(day[48 + k] for day in chosen) for k in range(12)]
    before = [today[k] for k in range(12, 36)]
    known = [w for w in before if w is not None]
    by = 0.0
    if len(known) >= 0.9 * 24:
        by = fmean(known) - fmean(fmean(day[12:36]) for day in chosen)
        bound = 0.2 * abs(fmean(means))
        by = max(-bound, min(by, bound))
        assert found.notes == frozenset()
    else:
        assert found.notes == {Note.UNADJUSTED}
    expected = {T + k * STEP_S: w + by for k, w in enumerate(means)}
    assert found.powers == pytest.approx(expected)
