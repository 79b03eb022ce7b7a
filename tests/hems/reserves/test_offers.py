"""What is offered and taken back: never more than the batteries could give to all together."""

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.reserves.offers import excessive, short_w, standing, wanted
from hems.reserves.terms import Hours
from programs.capability import Store, later
from programs.commitment import Commitment, Offer, Posted, Product
from tests.hems.reserves.desk_rig import T0, TERMS

HOUR = 3600.0
STORE = Store("b", 0.0, -5_000.0, 5_000.0, 5_000.0, 4_000.0, 0.95, 0.95)
EVENING = (Hours(time(17), time(21)),)


def committed(power_w: float, starts_h: float, ends_h: float, name: str = "C") -> Commitment:
    return Commitment(
        name, f"R{name}", "grid", T0 + starts_h * HOUR, T0 + ends_h * HOUR, power_w, power_w
    )


def test_both_kinds_share_what_there_is() -> None:
    terms = replace(TERMS, hours=EVENING)
    now = T0 + 12 * HOUR
    (ahead,) = wanted(terms, [STORE], [], [], now)
    assert (ahead.product, ahead.starts_at) == (Product.DAY_AHEAD, T0 + 41 * HOUR)
    posted = [Posted("R1", ahead)]
    assert wanted(terms, [STORE], posted, [], now) == ()
    # The next day it was granted a part; the rest is offered as spinning reserve.
    grant = replace(committed(2_000.0, 41, 45), request="R1")
    spinning, tomorrow = wanted(terms, [STORE], posted, [grant], T0 + 40 * HOUR)
    assert spinning.product is Product.SPINNING
    assert (tomorrow.product, tomorrow.power_w) == (Product.DAY_AHEAD, ahead.power_w)
    assert spinning.power_w == pytest.approx(ahead.power_w - 2_000.0, abs=20)


def test_nothing_is_offered_without_a_battery_or_room() -> None:
    assert wanted(TERMS, [], [], [], T0) == ()
    empty = replace(STORE, inside_wh=0.0, most_w=0.0)
    assert wanted(TERMS, [empty], [], [], T0) == ()
    assert wanted(TERMS, [STORE], [], [committed(5_000.0, 0, 24)], T0) == ()


@given(
    inside_wh=st.floats(0, 9_000),
    share=st.floats(0.1, 1),
    call_s=st.floats(60, 4 * HOUR),
    hour=st.floats(0, 47),
    power_w=st.floats(0, 4_000),
)
def test_no_more_is_promised_than_can_be_given(
    inside_wh: float, share: float, call_s: float, hour: float, power_w: float
) -> None:
    store = replace(STORE, inside_wh=inside_wh, room_wh=9_000.0 - inside_wh)
    terms = replace(TERMS, hours=EVENING, share=share, call_s=call_s)
    now = T0 + hour * HOUR
    known = [committed(power_w, 0, 72)]
    posted: list[Posted] = []
    for _ in range(3):
        posted += [Posted(f"O{len(posted)}", o) for o in wanted(terms, [store], posted, known, now)]
    for each in posted:
        beside = [
            p.offer for p in posted if p.offer.overlaps(each.offer.starts_at, each.offer.ends_at)
        ]
        for_s = max(o.lasts_s for o in beside)
        able = later([store], each.offer.starts_at - now, for_s, share, margin=0.0)
        assert power_w + sum(o.power_w for o in beside) <= able.power_w
    assert excessive(terms, [store], posted, known, now) == ()


def test_an_offer_that_cannot_be_kept_is_taken_back() -> None:
    offer = Offer(Product.SPINNING, T0, T0 + 24 * HOUR, 4_000.0, 4_000.0)
    posted = [Posted("R1", offer), Posted("R2", offer, withdrawn=True)]
    assert [p.mrid for p in standing(posted, T0)] == ["R1"]
    assert standing(posted, T0 + 24 * HOUR) == ()
    terms = replace(TERMS, share=1.0)
    assert excessive(terms, [STORE], posted, [], T0) == ()
    low = replace(STORE, inside_wh=2_000.0, room_wh=7_000.0)
    assert [p.mrid for p in excessive(terms, [low], posted, [], T0)] == ["R1"]
    grant = replace(committed(4_000.0, 0, 24), request="R1")
    assert excessive(terms, [low], posted, [grant], T0) == (), "that is a commitment's matter"


@pytest.mark.parametrize(
    ("commitments", "short"),
    [
        ([committed(4_000.0, 0, 4)], 0.0),
        ([committed(4_900.0, 0, 4)], 0.0),  # 5 % may seem to be missing
        ([committed(6_000.0, 0, 4)], 1_250.0),
        ([committed(4_000.0, 0, 4), committed(2_000.0, 0, 4, "D")], 1_250.0 * 4 / 6),
        ([committed(4_000.0, 0, 4), committed(2_000.0, 4, 8, "D")], 0.0),
        # It can still charge until then, and its rating is the bound.
        ([committed(6_000.0, 9, 12)], 1_000.0),
    ],
)
def test_by_how_much_a_commitment_cannot_be_kept(
    commitments: list[Commitment], short: float
) -> None:
    assert short_w(commitments[0], commitments, [STORE], T0) == pytest.approx(short)
    assert short_w(commitments[0], commitments, [], T0) == commitments[0].power_w
