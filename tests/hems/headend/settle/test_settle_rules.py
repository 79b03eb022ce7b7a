"""The rules of settlement as tables."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hems.headend.ability.rule import Rules, able
from hems.headend.ability.told import Der, Told
from hems.headend.modes import Mode, Value
from hems.headend.records import Event
from hems.headend.settle.availability import Availability, Away
from hems.headend.settle.baseline import Baseline, Method, Note, Span, Way, baseline
from hems.headend.settle.delivery import Measured, Pay, Result, Terms, settled
from hems.headend.settle.like_days import Calendar, like_days
from hems.headend.settle.power import At, Piece, added, bridged, powers
from hems.headend.settle.settings import BaselineSettings, SettlementSettings
from hems.headend.settle.taking_part import Part, Said, Stand, part_of
from hems.headend.settle.totals import Total
from hems.headend.settle.wanted import Limit, Move, Ratings, Wanted, wanted

NOW = 1_800_000_000
T = 1_000_200
"""A start of intervals of 300 s."""


def event(**fields: object) -> Event:
    made = Event("AB" * 16, 1, {Mode.SHED: 1000.0}, T, 3600, 0, 0, T - 600.0)
    return replace(made, **fields)  # type: ignore[arg-type] # fields of the record


def said(*turns: tuple[int, int]) -> list[Said]:
    return [Said(code, at, float(at)) for code, at in turns]


@pytest.mark.parametrize(
    ("fields", "turns", "stand", "spans"),
    [
        ({}, [], Stand.SILENT, []),
        ({}, [(1, T - 500)], Stand.RECEIVED, [(T, T + 3600)]),
        ({}, [(1, T - 500), (2, T), (3, T + 3600)], Stand.DONE, [(T, T + 3600)]),
        ({}, [(2, T), (4, T + 600)], Stand.LEFT, [(T, T + 600)]),
        (
            {},
            [(2, T), (4, T + 600), (5, T + 900)],
            Stand.TAKES_PART,
            [(T, T + 600), (T + 900, T + 3600)],
        ),
        ({}, [(1, T - 500), (4, T - 100)], Stand.LEFT, []),
        ({}, [(1, T - 500), (4, T - 100), (5, T - 50)], Stand.TAKES_PART, [(T, T + 3600)]),
        ({}, [(252, T - 500)], Stand.REFUSED, []),
        ({}, [(1, T - 500), (10, T + 3600)], Stand.LEFT, []),
        ({}, [(2, T), (7, T + 300)], Stand.REPLACED, [(T, T + 300)]),
        ({}, [(2, T), (4, T + 300), (8, T + 3600)], Stand.LEFT, [(T, T + 300)]),
        ({}, [(99, T)], Stand.SILENT, []),
        ({"cancelled_at": T + 1200.0}, [(2, T), (6, T + 1201)], Stand.TAKEN_BACK, [(T, T + 1200)]),
        ({"cancelled_at": T - 10.0}, [(1, T - 20), (6, T)], Stand.TAKEN_BACK, []),
        (
            {"cancelled_at": T + 1200.0, "cancel_randomized": True, "randomize_duration_s": 600},
            [(2, T), (6, T + 1500)],
            Stand.TAKEN_BACK,
            [(T, T + 1500)],
        ),
        ({"randomize_start_s": 600}, [(2, T + 240)], Stand.TAKES_PART, [(T + 240, T + 3840)]),
        ({"randomize_start_s": 600}, [(2, T + 900)], Stand.TAKES_PART, [(T + 600, T + 4200)]),
        ({"randomize_start_s": -600}, [(2, T - 240)], Stand.TAKES_PART, [(T - 240, T + 3360)]),
        (
            {"randomize_duration_s": -900},
            [(2, T), (3, T + 3000)],
            Stand.DONE,
            [(T, T + 3000)],
        ),
        (
            {"randomize_duration_s": -900},
            [(2, T), (3, T + 600)],
            Stand.DONE,
            [(T, T + 2700)],
        ),
    ],
)  # fmt: skip
def test_when_a_home_took_part(
    fields: dict[str, object],
    turns: Sequence[tuple[int, int]],
    stand: Stand,
    spans: Sequence[tuple[int, int]],
) -> None:
    part = part_of(event(**fields), said(*turns), told=True)
    assert part.stand is stand
    assert [(span.begin, span.end) for span in part.spans] == spans
    assert part.codes == tuple(code for code, _ in turns)


def test_a_home_with_a_wrong_clock_is_taken_by_ours() -> None:
    answers = [Said(2, 17, T + 1.0), Said(4, T + 999_999, T + 600.0)]
    part = part_of(event(), answers, told=True)
    assert part.spans == (Span(T, T + 600.0),)


def test_what_was_never_told_is_not_asked() -> None:
    assert part_of(event(), [], told=False).stand is Stand.UNTOLD


def test_what_is_not_yet_is_not_counted() -> None:
    assert part_of(event(), said((2, T)), told=True, until=T + 90).spans == (Span(T, T + 90),)
    assert part_of(event(), said((1, T - 9)), told=True, until=T - 5).asked.seconds == 0


RATED = Ratings(5000.0, 2000.0, 4000.0)


@pytest.mark.parametrize(
    ("values", "asks"),
    [
        ({Mode.SHED: 1500.0}, Wanted(Move(At.SITE, 1500.0))),
        ({Mode.ENERGY: 500.0}, Wanted(Move(At.SITE, 1000.0))),
        ({Mode.TARGET_W: -800.0}, Wanted(Move(At.DER, -800.0))),
        ({Mode.STORAGE_W: 800.0}, Wanted(Move(At.DER, 800.0))),
        ({Mode.FIXED_PERCENT: 50.0}, Wanted(Move(At.DER, 2000.0))),
        ({Mode.FIXED_PERCENT: -50.0}, Wanted(Move(At.DER, -1000.0))),
        ({Mode.COOLING: 2.0}, Wanted(Move(At.SITE, None))),
        (
            {Mode.IMPORT: 1500.0, Mode.EXPORT: 0.0},
            Wanted(limits=(Limit(At.SITE, 1, 1500.0), Limit(At.SITE, -1, 0.0))),
        ),
        ({Mode.GENERATION: 100.0}, Wanted(limits=(Limit(At.DER, -1, 100.0),))),
        ({Mode.MAX_PERCENT: 40.0}, Wanted(limits=(Limit(At.SITE, -1, 2000.0),))),
        ({Mode.LOAD: 100.0}, Wanted()),
        ({Mode.CONNECT: 0.0}, Wanted()),
        ({Mode.VOLT_VAR: "AB" * 16, Mode.FIXED_VAR: (1.0, 20.0)}, Wanted()),
    ],
)
def test_what_is_asked_in_watts(values: dict[Mode, Value], asks: Wanted) -> None:
    assert wanted(values, 1800, RATED) == asks


def test_a_share_of_what_was_never_told_is_said_so() -> None:
    assert wanted({Mode.FIXED_PERCENT: 50.0}, 60, Ratings()) == Wanted(
        Move(At.DER, None), (), unrated=True
    )
    assert wanted({Mode.MAX_PERCENT: 50.0}, 60, Ratings()) == Wanted(unrated=True)


def flat(power_w: float, begin: int, end: int) -> dict[int, float]:
    return dict.fromkeys(range(begin, end, 300), power_w)


def test_a_level_interval_needs_nine_tenths_of_its_time() -> None:
    short = Piece(T, T + 300, 269.0, 269.0 * 5)
    enough = Piece(T + 300, T + 600, 270.0, 270.0 * 5)
    assert powers([short, enough], 300) == {T + 300: 5.0}


def test_a_long_reading_is_spread_and_meters_are_added() -> None:
    quarter = powers([Piece(T, T + 900, 900.0, 900.0 * 4)], 300)
    assert quarter == {T: 4.0, T + 300: 4.0, T + 600: 4.0}
    assert added([quarter, {T: -1.0, T + 300: -2.0}]) == {T: 3.0, T + 300: 2.0}
    assert added([]) == {}


def test_gaps_are_bridged_only_so_far() -> None:
    known = {T: 0.0, T + 900: 3.0, T + 1200: 4.0, T + 2400: 0.0}
    wanted_starts = list(range(T, T + 2700, 300))
    assert bridged(known, wanted_starts, 300, 2) == {T + 300: 1.0, T + 600: 2.0}
    assert bridged(known, wanted_starts, 300, 0) == {}
    assert len(bridged(known, wanted_starts, 300, 3)) == 5


HOUR = Span(T, T + 3600)


def test_before_between_and_flat() -> None:
    own = flat(1000.0, T - 900, T) | flat(2200.0, T + 3600, T + 4500)
    before = baseline(HOUR, 300, own, {}, Method(Way.BEFORE))
    assert before == Baseline(flat(1000.0, T, T + 3600))
    between = baseline(HOUR, 300, own, {}, Method(Way.BETWEEN)).powers
    assert between[T] == pytest.approx(1050.0)
    assert between[T + 3300] == pytest.approx(2150.0)
    level = baseline(HOUR, 300, flat(1000.0, T - 900, T), {}, Method(Way.BETWEEN))
    assert level == Baseline(flat(1000.0, T, T + 3600), frozenset({Note.NO_AFTER}))
    assert baseline(HOUR, 300, {}, {}, Method(Way.BEFORE)).notes == {Note.NONE}
    gap = flat(1000.0, T - 900, T - 300)
    assert baseline(HOUR, 300, gap, {}, Method(Way.BEFORE)).notes == {Note.NONE}
    assert baseline(HOUR, 300, {}, {}, Method(Way.FLAT, flat_w=-5.0)).powers == flat(
        -5.0, T, T + 3600
    )


def test_of_ten_days_the_five_highest_moved_by_no_more_than_a_fifth() -> None:
    lead = T - 4 * 3600
    days = {n * 86_400: {
        start - n * 86_400: 1000.0 + n for start in range(lead, T + 3600, 300)
    } for n in range(1, 13)}  # fmt: skip
    # Of the latest ten, 6 to 10 are highest.
    own = flat(1108.0, lead, T)
    assert baseline(HOUR, 300, own, days, Method()).powers[T] == pytest.approx(1108.0)
    hot = baseline(HOUR, 300, flat(9000.0, lead, T), days, Method())
    assert hot.powers[T] == pytest.approx(1008.0 * 1.2)
    cold = baseline(HOUR, 300, flat(-9000.0, lead, T), days, Method())
    assert cold.powers[T] == pytest.approx(1008.0 * 0.8)
    assert baseline(HOUR, 300, {}, days, Method()).notes == {Note.UNADJUSTED}
    few = {ago: days[ago] for ago in sorted(days)[:4]}
    assert baseline(HOUR, 300, own, few, Method()).notes == {Note.NONE}
    unmoved = baseline(HOUR, 300, own, days, Method(adjust_s=0))
    assert (unmoved.powers[T], unmoved.notes, unmoved.days) == (1008.0, frozenset(), 5)


def test_like_days_by_the_clock_on_the_wall() -> None:
    berlin = Calendar(ZoneInfo("Europe/Berlin"), frozenset({date(2030, 3, 28)}))
    begin = datetime(2030, 4, 2, 18, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    found = [
        datetime.fromtimestamp(at, ZoneInfo("Europe/Berlin"))
        for at in like_days(begin, begin + 3600, berlin, {date(2030, 3, 27)})
    ]
    assert all(each.hour == 18 for each in found)  # the clocks changed on 31 March
    assert [each.date().isoformat() for each in found[:4]] == [
        "2030-04-01", "2030-03-29", "2030-03-26", "2030-03-25",
    ]  # fmt: skip
    sunday = datetime(2030, 3, 31, 10, tzinfo=UTC).timestamp()
    free = [
        datetime.fromtimestamp(at, UTC).weekday()
        for at in like_days(sunday, sunday, Calendar(), ())
    ]
    assert set(free) == {5, 6}


def test_a_long_event_is_measured_against_days_before_it() -> None:
    found = list(like_days(T, T + 3 * 86_400, Calendar(), ()))
    assert found
    assert all(at + 3 * 86_400 <= T for at in found)


PART = Part(Stand.DONE, (2, 3), HOUR, (HOUR,))
ASKS = Wanted(Move(At.SITE, 1000.0))


def outcome(measured: dict[int, float], part: Part = PART, **terms: object) -> Result:
    seen = Measured(measured, Baseline(flat(3000.0, T, T + 3600)))
    return settled("AA", part, ASKS, seen, Terms(**terms))  # type: ignore[arg-type] # of the record


def test_missing_readings_are_not_made_up() -> None:
    whole = flat(2200.0, T, T + 3600)
    assert outcome(whole).delivered_wh == pytest.approx(800.0)
    gap = {start: power for start, power in whole.items() if start not in {T + 600, T + 900}}
    result = outcome(gap)
    assert (result.known_s, result.flags) == (3000.0, ("readings missing",))
    assert result.delivered_wh == pytest.approx(800.0 * 3000 / 3600)
    assert result.share == pytest.approx(0.8)
    closed = outcome(gap, bridge=2)
    assert (closed.known_s, closed.bridged_s) == (3600.0, 600.0)
    assert closed.flags == ("readings bridged",)
    none = outcome({})
    assert (none.delivered_wh, none.share, none.flags) == (None, None, ("nothing measured",))


def test_who_left_delivered_nothing_after_that() -> None:
    left = Part(Stand.LEFT, (2, 4), HOUR, (Span(T, T + 900),))
    result = outcome(flat(2000.0, T, T + 3600), left)
    assert result.asked_wh == 1000.0
    assert result.delivered_wh == pytest.approx(250.0)
    assert result.share == pytest.approx(0.25)
    refused = outcome(flat(2000.0, T, T + 3600), Part(Stand.REFUSED, (252,), HOUR, ()))
    assert (refused.delivered_wh, refused.share, refused.flags) == (0.0, 0.0, ())


@pytest.mark.parametrize(
    ("asked", "measured", "most", "pay"),
    [(1000.0, 2000.0, 1.0, 0.5), (1000.0, 0.0, 1.0, 0.5), (1000.0, 0.0, 1.2, 0.6),
     (1000.0, 4000.0, 1.0, 0.0), (-1000.0, 4000.0, 1.0, 0.5), (-1000.0, 2000.0, 1.0, 0.0)],
)  # fmt: skip
def test_what_is_paid(asked: float, measured: float, most: float, pay: float) -> None:
    asks = Wanted(Move(At.SITE, asked))
    seen = Measured(flat(measured, T, T + 3600), Baseline(flat(3000.0, T, T + 3600)))
    result = settled("AA", PART, asks, seen, Terms(pay=Pay(0.5, most)))
    assert result.pay == pytest.approx(pay)


def test_limits_both_ways_at_once() -> None:
    asks = Wanted(limits=(Limit(At.SITE, 1, 1000.0), Limit(At.SITE, -1, 500.0)))
    shown = flat(0.0, T, T + 3600) | {T: 1600.0, T + 300: -700.0, T + 600: 1000.0}
    result = settled("AA", PART, asks, Measured(limited=(shown, shown)), Terms())
    assert (result.over_s, result.most_over_w) == (600.0, 600.0)
    assert result.over_wh == pytest.approx(800.0 / 12)
    assert (result.delivered_wh, result.share) == (None, None)
    assert result.measured_w == pytest.approx((1600 - 700 + 1000) / 12)


def test_a_total_is_of_what_is_known() -> None:
    total = Total()
    for result in (
        outcome(flat(2000.0, T, T + 3600)),
        outcome({}),
        outcome(flat(2500.0, T, T + 3600), Part(Stand.LEFT, (2, 4), HOUR, (Span(T, T + 1800),))),
        outcome({}, Part(Stand.SILENT, (), HOUR, ())),
    ):
        total.add(result)
    assert (total.homes, total.took_part, total.measured) == (4, 3, 2)
    assert (total.asked_wh, total.judged_wh) == (4000.0, 3000.0)
    assert total.delivered_wh == pytest.approx(1250.0)
    assert total.share == pytest.approx(1250.0 / 3000.0)
    assert total.counts[Stand.DONE] == 2
    first, last = total.intervals[0], total.intervals[-1]
    assert (first.asked_w, first.delivered_w, first.homes, first.missing) == (3000, 1500, 2, 1)
    assert (last.asked_w, last.delivered_w, last.homes, last.missing) == (2000, 1000, 1, 1)


BATTERY = Der(5000.0, 4000.0, 5000.0, 10_000.0, soc=0.5, status_at=NOW)


def test_a_group_counts_each_home_once() -> None:
    found = Availability(NOW, NOW, NOW)
    here = able(Told(heard_at=NOW, der=BATTERY), NOW, Rules())
    lost = able(Told(heard_at=NOW - 901, der=BATTERY), NOW, Rules())
    for each, away in ((here, None), (lost, None), (lost, Away.BUSY), (here, Away.LEFT)):
        found.add(each, away)
    assert (found.homes, found.reached) == (4, 1)
    assert found.not_reached == {"not heard of": 1, "busy": 1, "left an event": 1}
    assert (found.generate.power_w, found.generate.homes) == (5000.0, 1)
    assert found.shed.unknown == {"never told": 1}


def test_what_nobody_said_how_long_it_lasts_is_there_at_once_and_for_no_time() -> None:
    told = Told(heard_at=NOW, der=Der(give_w=800.0, said_at=NOW))
    for end, power_w, unknown in ((NOW, 800.0, {}), (NOW + 60, 0.0, {"not said for how long": 1})):
        found = Availability(NOW, end, NOW)
        found.add(able(told, NOW, Rules()), None)
        assert (found.generate.power_w, dict(found.generate.unknown)) == (power_w, unknown)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"interval_s": 420}, "whole part of an hour"),
        ({"time_zone": "Mars/Phobos"}, "not known here"),
        ({"time_zone": "../etc/passwd"}, "not known here"),
        ({"currency": "euro"}, "currency"),
    ],
)
def test_nonsense_in_the_settings_is_named(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SettlementSettings.model_validate(fields)


def test_a_baseline_of_more_days_than_are_looked_at_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be more than days"):
        BaselineSettings(days=4)
    assert BaselineSettings(method=Way.BEFORE, before_minutes=30).record().lead_s == 1800
