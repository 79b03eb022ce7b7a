"""A limit for a whole group: what each home forgoes of its need, and what it may always use."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.sharing.fairness import Record
from hems.headend.sharing.model import Ability, Ask, Kind, Rules, Shares
from hems.headend.sharing.share import borne_w, share
from tests.hems.headend.sharing.made import (
    LIMITS,
    PLAIN,
    RULES,
    abilities,
    ability,
    hours,
    some_records,
)

pytestmark = pytest.mark.requirement("PRO-2030.5")


def limit(total_w: int) -> Ask:
    return Ask(Kind.IMPORT, total_w, 3600.0)


A = ability("A", 10_000, 1000, need_w=5000)
B = ability("B", 10_000, 1000, need_w=3000)
AWAY = ability("C", 4000, reachable=False)
LEFT = ability("C", 4000, opted_out=True)


@pytest.mark.parametrize(
    ("total_w", "homes", "known", "before", "expected", "short_w"),
    [
        pytest.param(5000, [A, B], {}, {}, {"A": 3000, "B": 2000}, 0, id="each forgoes half"),
        pytest.param(
            5000,
            [A, B],
            hours(A=0.25, B=0),
            {},
            {"A": 3033, "B": 1967},
            0,
            id="less is forgone by who did before",
        ),
        pytest.param(8000, [A, B], {}, {}, {"A": 5000, "B": 3000}, 0, id="what they need"),
        pytest.param(
            14_000, [A, B], {}, {}, {"A": 7500, "B": 6500}, 0, id="more than they need, by contract"
        ),
        pytest.param(
            99_000, [A, B], {}, {}, {"A": 10_000, "B": 10_000}, 0, id="more than they may use"
        ),
        pytest.param(2000, [A, B], {}, {}, {"A": 1000, "B": 1000}, 0, id="what they always may"),
        pytest.param(
            1500, [A, B], {}, {}, {"A": 1000, "B": 1000}, 500, id="never less than they always may"
        ),
        pytest.param(
            9000,
            [A, B, AWAY],
            {},
            {},
            {"A": 3000, "B": 2000},
            0,
            id="one out of reach may use all that it can",
        ),
        pytest.param(
            9000,
            [A, B, AWAY],
            {},
            {"A": 5000, "B": 3000, "C": 1000},
            {"A": 5000, "B": 3000},
            0,
            id="one that was told a limit keeps to it out of reach",
        ),
        pytest.param(
            9000,
            [A, B, LEFT],
            {},
            {"A": 5000, "B": 3000, "C": 1000},
            {"A": 3000, "B": 2000},
            0,
            id="one that left keeps to nothing",
        ),
        pytest.param(
            8000,
            [A, B],
            {},
            {"A": 9000, "B": 3000},
            {"A": 5000, "B": 3000},
            0,
            id="what nobody needs is cut first",
        ),
        pytest.param(
            7000,
            [A, B],
            {},
            {"A": 3000, "B": 3000},
            {"A": 4000, "B": 3000},
            0,
            id="who was cut gets back first",
        ),
        pytest.param(0, [], {}, {}, {}, 0, id="nobody"),
    ],
)
def test_limits(
    *,
    total_w: int,
    homes: Sequence[Ability],
    known: Mapping[str, Record],
    before: Mapping[str, int],
    expected: Mapping[str, int],
    short_w: int,
) -> None:
    shares = share(limit(total_w), homes, known, PLAIN, before)
    assert shares.short_w == short_w
    assert shares.by_home.keys() == expected.keys()
    for home, limit_w in expected.items():
        assert shares.by_home[home] == pytest.approx(limit_w, abs=1)


def untold_w(homes: Sequence[Ability], before: Mapping[str, int]) -> int:
    return sum(
        home.most_w if home.opted_out else before.get(home.home, home.most_w)
        for home in homes
        if not home.takes_part
    )


@given(data=st.data())
def test_the_group_keeps_its_limit_and_every_home_its_contract(data: st.DataObject) -> None:
    homes = data.draw(abilities())
    ask = Ask(data.draw(st.sampled_from(LIMITS)), data.draw(st.integers(0, 400)), 1800.0)
    known, rules = data.draw(some_records(homes)), data.draw(RULES)
    shares = share(ask, homes, known, rules)
    told = {home.home: home for home in homes if home.takes_part}
    assert shares.by_home.keys() == {n for n in told if n in shares.by_home}
    for name, home in told.items():
        assert home.least_w <= shares.by_home.get(name, 0) <= home.most_w
    used_w = shares.total_w + untold_w(homes, {})
    assert used_w - shares.short_w <= ask.total_w
    if shares.short_w:
        assert all(shares.by_home.get(n, 0) == home.least_w for n, home in told.items())
        assert used_w - shares.short_w == ask.total_w
    needed = sum(home.needs_w for home in told.values()) + untold_w(homes, {})
    if needed <= ask.total_w:
        assert all(shares.by_home.get(n, 0) >= home.needs_w for n, home in told.items())
    else:
        assert all(shares.by_home.get(n, 0) <= home.needs_w for n, home in told.items())
        assert used_w - shares.short_w == ask.total_w, "nobody forgoes more than must be"
    assert share(ask, data.draw(st.permutations(homes)), known, rules) == shares


@given(data=st.data())
def test_shared_anew_the_limit_holds_and_moves_one_way_only(data: st.DataObject) -> None:
    homes = data.draw(abilities())
    ask = Ask(Kind.IMPORT, data.draw(st.integers(0, 400)), 1800.0)
    known, rules = data.draw(some_records(homes)), data.draw(RULES)
    before = share(ask, homes, known, rules).by_home
    leaving = set(data.draw(st.lists(st.sampled_from([home.home for home in homes]))))
    now = [
        ability(
            h.home,
            h.most_w,
            h.least_w,
            need_w=h.need_w,
            reachable=h.reachable,
            opted_out=h.opted_out or h.home in leaving,
        )
        for h in homes
    ]
    after = share(ask, now, known, rules, before)
    used_w = after.total_w + untold_w(now, before)
    assert used_w - after.short_w <= ask.total_w
    staying = {h.home for h in now if h.takes_part}
    assert set(after.by_home) == staying
    rises = [n for n in staying if after.by_home[n] > before.get(n, 0)]
    falls = [n for n in staying if after.by_home[n] < before.get(n, 0)]
    assert not (rises and falls), "no home pays for another that gets more"
    if not leaving & set(before):
        assert after.by_home == {n: before[n] for n in staying}


def test_a_limit_left_over_by_less_than_the_slack_stays_left_over() -> None:
    rules = Rules(step_w=0, slack_w=500, bother_h=0.0)
    before = {"A": 4000, "B": 3000}
    assert share(limit(7500), [A, B], {}, rules, before) == Shares(before)
    assert share(limit(7501), [A, B], {}, rules, before).total_w == 7501


def test_what_a_share_costs_is_what_is_moved_or_forgone() -> None:
    assert borne_w(Ask(Kind.SHED, 1, 60), A, 700) == 700
    assert borne_w(limit(1), A, 3000) == 2000
    assert borne_w(limit(1), A, 9000) == 0
