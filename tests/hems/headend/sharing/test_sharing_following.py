"""How homes do in a shared order, and what is made of it for the group: tables and properties."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.sharing.following import (
    Followed,
    FollowRules,
    Part,
    Span,
    as_found,
    counted_w,
    part_of,
)
from hems.headend.sharing.model import Ask, Kind
from hems.headend.sharing.share import share
from hems.headend.sharing.standing import group_codes, home_code, is_due, stand
from hems.sep2.rules.lifecycle import Code
from tests.hems.headend.sharing.made import PLAIN, ability

pytestmark = pytest.mark.requirement("PRO-2030.5")

T0 = 1_800_000_000.0
SPAN = Span(T0, T0 + 3600)
RULES = FollowRules()
SHED = Ask(Kind.SHED, 3000, 3600)


def asked(name: str, share_w: int = 1000, at: float = T0 - 60) -> Followed:
    return Followed(name, share_w, at, "O1", free_w=8000).based(5000.0)


def said(home: Followed, *codes: int, at: float = T0) -> Followed:
    for code in codes:
        home = home.answered("O1", code, at)
    return home


def metered(home: Followed, ask: Ask, readings: Sequence[tuple[float, float]]) -> Followed:
    """Return it after readings: (seconds since the start, net power)."""
    for after_s, net_w in readings:
        home = home.read(ask.kind, SPAN, net_w, T0 + after_s, RULES)
    return home


@pytest.mark.parametrize(
    ("codes", "now", "expected"),
    [
        ([], T0 - 50, Part.WAITING),
        ([], T0 + 119, Part.WAITING),
        ([], T0 + 121, Part.SILENT),
        ([1], T0, Part.READY),
        ([1, 2], T0, Part.RUNNING),
        ([1, 2, 4], T0, Part.LEFT),
        ([1, 4, 5], T0, Part.RUNNING),
        ([1, 251], T0, Part.REFUSED),
        ([1, 2, 3], T0, Part.DONE),
        ([1, 2, 8], T0, Part.LEFT),
        ([1, 2, 99], T0, Part.RUNNING),  # a code nobody knows says nothing
        ([1, 2], T0 + 601, Part.SILENT),
        ([1, 2, 4], T0 + 9999, Part.LEFT),
    ],
)
def test_what_answers_and_silence_say(codes: list[int], now: float, expected: Part) -> None:
    assert part_of(said(asked("A"), *codes), SPAN, now, RULES) is expected


def test_an_order_far_ahead_need_not_be_answered_before_it_begins() -> None:
    early = asked("A", at=T0 - 7200)
    assert part_of(early, SPAN, T0 - 60, RULES) is Part.WAITING
    assert part_of(early, SPAN, T0 + 1, RULES) is Part.SILENT


IMPORT = Ask(Kind.IMPORT, 3000, 3600)
ABSORB = Ask(Kind.ABSORB, 3000, 3600)


@pytest.mark.parametrize(
    ("ask", "readings", "expected"),
    [
        pytest.param(SHED, [(90, 4000), (300, 4010)], Part.RUNNING, id="it does"),
        pytest.param(SHED, [(90, 5000), (210, 5000)], Part.SHORT, id="it does nothing"),
        pytest.param(SHED, [(90, 5000), (200, 5000)], Part.RUNNING, id="not for long yet"),
        pytest.param(
            SHED, [(90, 5000), (150, 4000), (260, 5000)], Part.RUNNING, id="once more, then not"
        ),
        pytest.param(SHED, [(10, 5000), (50, 5000), (61, 4000)], Part.RUNNING, id="on its way"),
        pytest.param(SHED, [(90, 4200), (300, 4240)], Part.RUNNING, id="nearly enough"),
        pytest.param(
            SHED, [(300, 4000), (90, 5000)], Part.RUNNING, id="an older reading is nothing"
        ),
        pytest.param(ABSORB, [(90, 6000), (300, 6000)], Part.RUNNING, id="it takes more"),
        pytest.param(ABSORB, [(90, 4000), (300, 4000)], Part.SHORT, id="the wrong way"),
        pytest.param(IMPORT, [(90, 900), (300, -4000)], Part.RUNNING, id="within its limit"),
        pytest.param(IMPORT, [(90, 1240), (300, 1240)], Part.RUNNING, id="a little above it"),
        pytest.param(IMPORT, [(90, 1260), (300, 1260)], Part.SHORT, id="above it"),
    ],
)
def test_what_meters_say(ask: Ask, readings: Sequence[tuple[float, float]], expected: Part) -> None:
    home = metered(said(asked("A"), 1, 2), ask, readings)
    now = T0 + max(after_s for after_s, _ in readings)
    assert part_of(home, SPAN, now, RULES) is expected


@given(
    readings=st.lists(st.tuples(st.floats(0, 3599), st.floats(-5000, 9000)), max_size=12),
    now_s=st.floats(0, 600),
)
def test_a_single_reading_never_puts_a_home_down(
    readings: list[tuple[float, float]], now_s: float
) -> None:
    home = metered(said(asked("A"), 1, 2), SHED, sorted(readings))
    lacking = [r for r in sorted(readings) if 5000 - r[1] < 750 and r[0] >= 60]
    if len({after_s for after_s, _ in lacking}) <= 1 and now_s < RULES.short_s:
        assert part_of(home, SPAN, T0 + now_s, RULES) is not Part.SHORT


def test_answers_to_an_earlier_order_do_not_count() -> None:
    home = said(asked("A"), 1, 2).asked("O2", 1500, T0 + 100)
    assert home.begun
    late = home.answered("O1", Code.SUPERSEDED, T0 + 101)
    assert part_of(late, SPAN, T0 + 110, RULES) is Part.WAITING
    assert part_of(late.answered("O2", 1, T0 + 102), SPAN, T0 + 110, RULES) is Part.READY
    assert home_code(late, "O1", Code.SUPERSEDED) is None
    assert home_code(late, "O1", Code.COMPLETED) is None
    assert home_code(late, "O2", Code.COMPLETED) is Code.COMPLETED
    assert home_code(late, "O1", Code.OPT_OUT) is Code.OPT_OUT
    assert home_code(late, "O2", 77) is None


@pytest.mark.parametrize(
    ("codes", "kind", "expected"),
    [
        ([], Kind.SHED, 1000),
        ([1, 2], Kind.SHED, 1000),
        ([1, 2, 4], Kind.SHED, 0),
        ([1, 2], Kind.IMPORT, 1000),
        ([1, 2, 4], Kind.IMPORT, 8000),
        ([251], Kind.IMPORT, 8000),
    ],
)
def test_what_a_home_is_counted_on_for(codes: list[int], kind: Kind, expected: float) -> None:
    home = said(asked("A"), *codes)
    part = part_of(home, SPAN, T0, RULES)
    assert counted_w(home, part, kind) == expected


def test_who_took_a_limit_in_and_falls_silent_obeys_it_and_who_never_did_does_not() -> None:
    heard, never = said(asked("A"), 1, 2), asked("B")
    for home, used_w in ((heard, 1000), (never, 8000)):
        part = part_of(home, SPAN, T0 + 2000, RULES)
        assert part is Part.SILENT
        assert counted_w(home, part, Kind.IMPORT) == used_w
        assert counted_w(home, part, Kind.SHED) == 0
        now = as_found([ability(home.home, 8000)], {home.home: home}, {home.home: part}, IMPORT)
        assert share(IMPORT, now, {}, PLAIN, {home.home: 1000}).short_w == max(0, used_w - 3000)


def group(**codes: list[int]) -> dict[str, Followed]:
    return {name: said(asked(name), *said_) for name, said_ in codes.items()}


def heard(at: float, **codes: list[int]) -> dict[str, Followed]:
    return {name: home.heard(at) for name, home in group(**codes).items()}


def due(homes: Mapping[str, Followed], now: float, *, short_w: float = 0, ask: Ask = SHED) -> bool:
    standing = stand(ask, SPAN, homes, now, RULES)
    return is_due(ask, SPAN, standing, short_w=short_w, shared_at=T0 - 60, now=now, rules=RULES)


def test_when_an_order_is_shared_anew() -> None:
    going, left = [1, 2], [1, 2, 4]
    assert not due(group(A=going, B=going, C=going), T0 + 30), "all are in it"
    assert due(group(A=going, B=going, C=left), T0 + 30)
    assert not due(group(A=going, B=going, C=left), T0 - 10), "so shortly after the last time"
    assert not due(group(A=going, B=going, C=left), T0 + 3500), "so shortly before the end"
    assert not due(group(A=going, B=going, C=left), T0 + 30, short_w=1000), "nobody could"
    assert due(group(A=going, B=going, C=left), T0 + 590, short_w=1000), "perhaps they can now"
    small = group(A=going, B=going, C=going) | {"D": replace(asked("D", 90), code=4)}
    assert not due(small, T0 + 30, ask=Ask(Kind.SHED, 3090, 3600)), "too little to bother"
    limit = Ask(Kind.IMPORT, 3000, 3600)
    assert not due(group(A=going, B=going, C=going), T0 + 30, ask=limit)
    assert due(group(A=going, B=going, C=left), T0 + 30, ask=limit), "it obeys no limit any more"


def told(homes: Mapping[str, Followed], now: float, *before: int, short_w: float = 0) -> list[int]:
    standing = stand(SHED, SPAN, homes, now, RULES)
    codes = group_codes(
        SHED, SPAN, homes, standing, told=before, short_w=short_w, now=now, rules=RULES
    )
    return [int(code) for code in codes]


END = SPAN.end


@pytest.mark.parametrize(
    ("homes", "now", "before", "short_w", "expected"),
    [
        (group(A=[1], B=[1], C=[1]), T0 + 1, [1], 0, []),
        (group(A=[1, 2], B=[1], C=[1]), T0 + 1, [1], 0, [2]),
        (group(A=[1, 2], B=[1], C=[1]), T0 + 2, [1, 2], 0, []),
        (group(A=[4], B=[4], C=[251]), T0 - 1, [1], 0, [4]),
        (group(A=[251], B=[251], C=[251]), T0 - 1, [1], 0, []),
        (group(A=[4, 5], B=[4], C=[4]), T0 - 1, [1, 4], 0, [5]),
        (group(A=[1, 2, 4], B=[1], C=[1]), T0 + 1, [1], 0, [2]),
        (group(A=[1, 2, 3], B=[1, 2, 3], C=[1, 2, 3]), END, [1, 2], 0, [3]),
        (heard(END, A=[1, 2, 3], B=[1, 2], C=[1, 2, 3]), END, [1, 2], 0, []),
        (heard(END, A=[1, 2, 3], B=[1, 2], C=[1, 2, 3]), END + 120, [1, 2], 0, [3]),
        (group(A=[1, 2, 3], B=[1, 2, 3], C=[1, 2, 8]), END, [1, 2], 0, [8]),
        (group(A=[1, 2, 3], B=[1, 2, 3], C=[1, 2, 8]), END, [1, 2], 1000, [8]),
        (group(A=[1, 2, 3], B=[1, 2, 3], C=[1, 2, 3]), END, [1, 2, 4, 5], 0, [9]),
        (group(A=[4], B=[4], C=[1]), END, [1], 0, [10]),
        (group(A=[1, 2, 8], B=[1, 2, 8], C=[1, 2, 8]), END, [1, 2, 4], 0, [8]),
        (group(A=[1, 2, 3], B=[1, 2, 3], C=[1, 2, 3]), END, [1, 2, 6], 0, []),
        ({}, END, [1], 3000, [10]),
    ],
)
def test_what_the_group_answers(
    *,
    homes: Mapping[str, Followed],
    now: float,
    before: list[int],
    short_w: float,
    expected: list[int],
) -> None:
    assert told(homes, now, *before, short_w=short_w) == expected


def test_it_was_completed_where_others_made_up_for_who_left() -> None:
    homes = group(A=[1, 2, 3], B=[1, 2, 3], C=[1, 2, 8])
    homes["A"] = homes["A"].counted_on(2000)
    assert told(homes, END, 1, 2) == [3]


@given(
    codes=st.lists(st.lists(st.sampled_from([1, 2, 3, 4, 5, 8, 10, 251]), max_size=4), max_size=5),
    times=st.lists(st.floats(-100, 4000), min_size=1, max_size=8),
)
def test_nothing_is_told_twice_and_an_end_once(codes: list[list[int]], times: list[float]) -> None:
    homes = {f"H{n}": said(asked(f"H{n}"), *each) for n, each in enumerate(codes)}
    said_so_far = [1]
    for at in sorted(times):
        said_so_far += told(homes, T0 + at, *said_so_far)
    assert len(said_so_far) == len(set(said_so_far))
    assert len({3, 8, 9, 10} & set(said_so_far)) <= 1
    if said_so_far[-1] in {3, 8, 9}:
        assert 2 in said_so_far, "what ended had begun"


def test_what_is_delivered_is_told_of_those_that_are_measured() -> None:
    homes = group(A=[1, 2], B=[1, 2])
    homes["A"] = metered(homes["A"], SHED, [(100, 3800)])
    standing = stand(SHED, SPAN, homes, T0 + 100, RULES)
    assert (standing.delivered_w, standing.measured) == (1200.0, 1)
    assert standing.missing_w == 1000


def test_one_that_does_little_is_counted_on_for_that_and_the_others_take_over() -> None:
    homes = group(A=[1, 2], B=[1, 2], C=[1, 2])
    homes["C"] = metered(homes["C"], SHED, [(90, 4700), (240, 4700)])
    now = T0 + 240
    standing = stand(SHED, SPAN, homes, now, RULES)
    assert standing.parts["C"] is Part.SHORT
    assert standing.missing_w == 700
    able = as_found([ability(n, 3000) for n in homes], homes, standing.parts, SHED)
    again = share(SHED, able, {}, PLAIN, {n: h.share_w for n, h in homes.items()})
    assert again.by_home == {"A": 1350, "B": 1350, "C": 300}
