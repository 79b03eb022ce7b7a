"""A target shared over a group: tables of rows, and properties against slow, obvious oracles."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.sharing.fairness import Record
from hems.headend.sharing.fill import Band, fill
from hems.headend.sharing.model import Ability, Ask, Kind, Rules, Shares, percent_of
from hems.headend.sharing.moves import available_w
from hems.headend.sharing.share import changed, share
from tests.hems.headend.sharing.made import (
    MOVES,
    PLAIN,
    RULES,
    abilities,
    ability,
    hours,
    shed,
    some_records,
)

pytestmark = pytest.mark.requirement("PRO-2030.5")

A, B, C = ability("A"), ability("B"), ability("C")
STEPPED = Rules(step_w=300, bother_h=0.0)


@pytest.mark.parametrize(
    ("ask", "homes", "known", "rules", "expected", "short_w"),
    [
        pytest.param(shed(900), [A, B, C], {}, PLAIN, {"A": 300, "B": 300, "C": 300}, 0, id="even"),
        pytest.param(
            shed(900), [A, ability("B", 2000)], {}, PLAIN, {"A": 300, "B": 600}, 0, id="by ability"
        ),
        pytest.param(
            shed(1000), [A, B, C], {}, PLAIN, {"A": 334, "B": 333, "C": 333}, 0, id="whole watts"
        ),
        pytest.param(
            shed(900),
            [A, B],
            hours(A=0.5, B=0),
            PLAIN,
            {"A": 200, "B": 700},
            0,
            id="less for who bore",
        ),
        pytest.param(
            shed(900), [A, B], hours(A=9, B=0), PLAIN, {"B": 900}, 0, id="nothing for who bore much"
        ),
        pytest.param(
            shed(1200),
            [A, B],
            hours(A=9, B=0),
            PLAIN,
            {"A": 200, "B": 1000},
            0,
            id="the rest for who bore much",
        ),
        pytest.param(
            shed(5000), [A, B], {}, PLAIN, {"A": 1000, "B": 1000}, 3000, id="more than they can"
        ),
        pytest.param(shed(0), [A, B], {}, PLAIN, {}, 0, id="nothing"),
        pytest.param(shed(500), [], {}, PLAIN, {}, 500, id="nobody"),
        pytest.param(
            shed(900),
            [A, ability("B", reachable=False), ability("C", opted_out=True)],
            {},
            PLAIN,
            {"A": 900},
            0,
            id="who is there",
        ),
        pytest.param(
            shed(1000, hours=2),
            [A, ability("B", energy_wh=400)],
            {},
            PLAIN,
            {"A": 833, "B": 167},
            0,
            id="a nearly empty one does what it can for the whole time",
        ),
        pytest.param(
            shed(500),
            [A, B, C],
            {},
            STEPPED,
            {"A": 500},
            0,
            id="one, where two would do too little",
        ),
        pytest.param(shed(600), [A, B, C], {}, STEPPED, {"A": 300, "B": 300}, 0, id="two steps"),
        pytest.param(shed(3), [A, B, C], {}, STEPPED, {}, 3, id="less than a step"),
        pytest.param(
            shed(1500),
            [A, ability("B", 1000, 600)],
            {},
            PLAIN,
            {"A": 750, "B": 750},
            0,
            id="its own least",
        ),
        pytest.param(
            shed(500),
            [ability("A", 400), ability("B", 1000, 600)],
            {},
            PLAIN,
            {"A": 400},
            100,
            id="short by less than the least of who is left out",
        ),
        pytest.param(
            shed(1020),
            [A, B, C],
            {},
            Rules(step_w=0, grain_w=100, bother_h=0.0),
            {"A": 420, "B": 300, "C": 300},
            0,
            id="in grains, the odd rest at one",
        ),
    ],
)
def test_shares(
    *,
    ask: Ask,
    homes: Sequence[Ability],
    known: Mapping[str, Record],
    rules: Rules,
    expected: Mapping[str, int],
    short_w: int,
) -> None:
    assert share(ask, homes, known, rules) == Shares(expected, short_w)


BANDS = st.lists(
    st.builds(
        Band,
        home=st.just(""),
        least_w=st.just(0),
        most_w=st.integers(1, 40),
        burden_h=st.floats(0, 3),
        pull_w=st.floats(1, 40),
    ),
    min_size=1,
    max_size=6,
).map(lambda bands: [Band(f"H{i}", 0, b.most_w, b.burden_h, b.pull_w) for i, b in enumerate(bands)])


@given(bands=BANDS, total_w=st.integers(0, 120))
def test_it_is_what_giving_drop_by_drop_to_the_least_burdened_leads_to(
    bands: list[Band], total_w: int
) -> None:
    drop_w = 1 / 16
    given_w = dict.fromkeys((band.home for band in bands), 0.0)
    for _ in range(16 * total_w):
        open_ = [band for band in bands if given_w[band.home] < band.most_w]
        if not open_:
            break
        next_ = min(open_, key=lambda b: b.burden_h + given_w[b.home] / b.pull_w)
        given_w[next_.home] += drop_w
    shares = fill(total_w, bands)
    assert shares.total_w == sum(given_w.values())
    for home, power_w in given_w.items():
        # Besides rounding to whole watts, every home may have come by one drop too many.
        assert abs(shares.by_home.get(home, 0) - power_w) <= 1 + len(bands) * drop_w


STEPPED_BANDS = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 30), st.sampled_from([0.0, 0.5, 1.0, 2.0])),
    min_size=1,
    max_size=6,
).map(
    lambda rows: [
        Band(f"H{i}", least, least + more, burden, float(least + more))
        for i, (least, more, burden) in enumerate(rows)
    ]
)


@given(bands=STEPPED_BANDS, total_w=st.integers(0, 200))
def test_what_is_missing_is_less_than_the_least_of_anybody_left_out(
    bands: list[Band], total_w: int
) -> None:
    shares = fill(total_w, bands)
    by_home = {band.home: band for band in bands}
    for home, power_w in shares.by_home.items():
        assert by_home[home].least_w <= power_w <= by_home[home].most_w
    assert shares.total_w + shares.short_w == total_w
    left_out = [band for band in bands if band.home not in shares.by_home]
    if shares.short_w:
        assert all(shares.short_w < band.least_w for band in left_out)
        full = all(power_w == by_home[home].most_w for home, power_w in shares.by_home.items())
        assert full
    # Nobody could have left less missing by more than one least share.
    subsets = chain.from_iterable(combinations(bands, n) for n in range(len(bands) + 1))
    best = max(
        min(total_w, sum(b.most_w for b in some))
        for some in subsets
        if sum(b.least_w for b in some) <= total_w
    )
    assert best - shares.total_w < max(band.least_w for band in bands)


def drawn(data: st.DataObject) -> tuple[Ask, list[Ability], dict[str, Record], Rules]:
    homes = data.draw(abilities())
    ask = Ask(
        data.draw(st.sampled_from(MOVES)),
        data.draw(st.integers(0, 300)),
        data.draw(st.sampled_from([60.0, 900.0, 3600.0, 9000.0])),
    )
    return ask, homes, data.draw(some_records(homes)), data.draw(RULES)


@given(data=st.data())
def test_every_share_is_within_what_its_home_can_do_and_they_make_up_the_target(
    data: st.DataObject,
) -> None:
    ask, homes, known, rules = drawn(data)
    shares = share(ask, homes, known, rules)
    by_home = {home.home: home for home in homes}
    for name, power_w in shares.by_home.items():
        home = by_home[name]
        assert home.takes_part
        assert max(1, home.least_w, rules.step_w) <= power_w <= home.most_w
        assert power_w * ask.duration_s <= home.energy_wh * 3600 * (1 + 1e-9)
    assert shares.total_w + shares.short_w == ask.total_w
    assert shares.short_w >= 0
    if shares.short_w:
        for home in homes:
            able_w = available_w(home, ask.duration_s)
            least_w = max(home.least_w, rules.step_w)
            if able_w >= least_w and home.home not in shares.by_home:
                assert shares.short_w < least_w or able_w == 0


@given(data=st.data())
def test_the_order_in_which_homes_come_does_not_matter(data: st.DataObject) -> None:
    ask, homes, known, rules = drawn(data)
    other = data.draw(st.permutations(homes))
    assert share(ask, other, known, rules) == share(ask, homes, known, rules)


@given(data=st.data(), more_w=st.integers(0, 50))
def test_who_is_asked_for_more_together_is_asked_for_no_less_each(
    data: st.DataObject, more_w: int
) -> None:
    ask, homes, known, _ = drawn(data)
    homes = [ability(h.home, h.most_w, reachable=h.reachable) for h in homes]
    less = share(ask, homes, known, PLAIN)
    more = share(Ask(ask.kind, ask.total_w + more_w, ask.duration_s), homes, known, PLAIN)
    for name, power_w in less.by_home.items():
        assert more.by_home.get(name, 0) >= power_w - 1  # one watt is a matter of rounding


@given(data=st.data(), extra_wh=st.floats(0, 500))
def test_who_bore_more_is_asked_for_no_more(data: st.DataObject, extra_wh: float) -> None:
    ask, homes, known, _ = drawn(data)
    homes = [ability(h.home, h.most_w) for h in homes]
    full = {h.home: known.get(h.home, Record(days=30.0)) for h in homes}
    one = homes[0].home
    worse = full | {one: Record(full[one].energy_wh + extra_wh, full[one].events, full[one].days)}
    if full[one].days <= 0:
        return  # new today: it counts as having borne what others did, whatever it bore
    before = share(ask, homes, full, PLAIN).by_home.get(one, 0)
    assert share(ask, homes, worse, PLAIN).by_home.get(one, 0) <= before + 1


@given(data=st.data())
def test_of_two_equal_homes_the_one_that_bore_less_is_asked_for_no_less(
    data: st.DataObject,
) -> None:
    ask, homes, known, rules = drawn(data)
    twins = [ability("Y", 50), ability("Z", 50)]
    history = {"Y": Record(10.0, 1, 30.0), "Z": Record(400.0, 1, 30.0)}
    shares = share(ask, [*homes, *twins], known | history, rules)
    assert shares.by_home.get("Y", 0) >= shares.by_home.get("Z", 0) - rules.grain_w


@given(data=st.data())
def test_shared_anew_homes_keep_what_they_have_and_only_what_is_missing_is_spread(
    data: st.DataObject,
) -> None:
    ask, homes, known, rules = drawn(data)
    before = share(ask, homes, known, rules)
    gone = set(data.draw(st.lists(st.sampled_from([home.home for home in homes]))))
    now = [
        ability(
            h.home,
            h.most_w,
            h.least_w,
            energy_wh=h.energy_wh,
            reachable=h.reachable and h.home not in gone,
            opted_out=h.opted_out,
        )
        for h in homes
    ]
    after = share(ask, now, known, rules, before.by_home)
    staying = {name: w for name, w in before.by_home.items() if name not in gone}
    for name, power_w in staying.items():
        assert after.by_home[name] >= power_w
    assert not gone & set(after.by_home)
    assert after.total_w + after.short_w == ask.total_w
    missing_w = ask.total_w - sum(staying.values())
    if staying and missing_w <= rules.slack_w:
        assert after.by_home == staying, "too little to bother anybody with"
    if not gone & set(before.by_home) and before.short_w == 0:
        assert after.by_home == before.by_home
        assert changed(before.by_home, after) == {}


def test_those_who_have_least_of_this_order_take_over_first() -> None:
    before = {"A": 800, "B": 200, "C": 500}
    now = [A, B, ability("C", opted_out=True)]
    after = share(shed(1500), now, {}, PLAIN, before)
    assert after == Shares({"A": 800, "B": 700})
    assert changed(before, after) == {"B": 700, "C": 0}


def test_a_target_that_shrank_lets_those_go_down_that_do_most() -> None:
    before = {"A": 900, "B": 300, "C": 300}
    after = share(shed(1000), [A, B, C], {}, PLAIN, before)
    assert after == Shares({"A": 400, "B": 300, "C": 300})
    stepped = share(shed(300), [A, B, C], {}, STEPPED, before)
    assert stepped.total_w == 300


def test_the_others_take_turns_when_only_some_are_needed() -> None:
    """Over many events of one step each, equal homes are asked equally often."""
    homes = [ability(f"H{n}") for n in range(4)]
    borne = dict.fromkeys((home.home for home in homes), 0.0)
    asked = dict.fromkeys(borne, 0)
    for _ in range(8):
        known = {name: Record(wh, 0, 30.0) for name, wh in borne.items()}
        for name, power_w in share(shed(300), homes, known, STEPPED).by_home.items():
            borne[name] += power_w
            asked[name] += 1
    assert set(asked.values()) == {2}


def test_a_home_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="home A is named twice"):
        share(shed(100), [A, B, A], {}, PLAIN)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Ability("A", -1), "home A"),
        (lambda: Ability("A", 10, 20), "at least 20 W is more than at most 10 W"),
        (lambda: Ability("A", 10, energy_wh=math.nan), "home A"),
        (lambda: Ask(Kind.SHED, -5, 60), "less than nothing"),
        (lambda: Ask(Kind.SHED, 5, 0), "a duration of 0 s"),
        (lambda: Ask(Kind.SHED, 5, math.inf), "a duration of inf s"),
        (lambda: Rules(grain_w=0), "grain_w"),
        (lambda: Rules(window_days=0), "window_days"),
        (lambda: percent_of(math.nan, []), "no percentage"),
    ],
)
def test_nonsense_is_refused(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=words):
        make()


def test_a_percentage_is_of_the_whole_group() -> None:
    group = [ability("A", 4000), ability("B", 2000, opted_out=True)]
    assert percent_of(50, group) == 3000
    assert percent_of(-25, [*group, Ability("C", 0, rated_w=6000)]) == 3000
