"""Readings that cannot be are noticed; those that can are not."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.mirror_posts import MeterPost, ReadingsPost, Sample
from hems.headend.monitor.facts import Kind
from hems.headend.monitor.readings import Powers, Rating, Span, odd, rating_of
from hems.headend.monitor.thresholds import Thresholds

OF = Thresholds()
SUN = rating_of(4, (5000.0, None, None))
BATTERY = rating_of(80, (5000.0, 4000.0, 5000.0))
BEGIN = 1_800_000_000
HOME = "A" * 40

pytestmark = pytest.mark.requirement("L3-MONITOR")


def post(
    *samples: tuple[int, int], uom: int | None = 38, flow: int | None = 1, exponent: int | None = 0
) -> ReadingsPost:
    kept = [Sample(BEGIN + at, 60, "", value) for at, value in samples]
    return ReadingsPost(HOME, 7, [MeterPost("m1", None, uom, flow, exponent, kept)])


def span_of(*posts: ReadingsPost) -> Span:
    powers = Powers(OF)
    for each in posts:
        powers.posted(each)
    return powers.take()[7]


def kinds(span: Span, rating: Rating, *, of_der: bool = True) -> set[Kind]:
    return {kind for kind, _ in odd(span, rating, of_der=of_der, of=OF)}


@pytest.mark.parametrize(
    ("posts", "rating", "wanted"),
    [
        ([post((0, -5000))], SUN, set()),
        ([post((0, 5000), flow=19)], SUN, set()),
        ([post((0, -7000))], SUN, {Kind.OVER_RATING}),
        ([post((0, -7), exponent=3)], SUN, {Kind.OVER_RATING}),
        ([post((0, 5000))], SUN, {Kind.SIGN}),
        ([post((0, -5000), flow=19)], SUN, {Kind.SIGN}),
        ([post((0, 100))], SUN, set()),
        ([post((0, 4000), (60, -5000))], BATTERY, set()),
        ([post((0, 9000))], BATTERY, {Kind.OVER_RATING}),
        ([post((0, 90_000))], Rating(), set()),
        # The type need not be told again.
        ([post((0, 10)), post((60, 5000), uom=None, flow=None, exponent=None)], SUN, {Kind.SIGN}),
    ],
)
def test_power_beyond_the_rating_and_of_the_wrong_sign(
    posts: Sequence[ReadingsPost], rating: Rating, wanted: set[Kind]
) -> None:
    assert kinds(span_of(*posts), rating) == wanted
    assert kinds(span_of(*posts), rating, of_der=False) == set()


def test_what_is_no_power_is_not_looked_at() -> None:
    powers = Powers(OF)
    powers.posted(post((0, 230_000), uom=29))
    powers.posted(post((0, 230_000), uom=None))
    assert powers.take() == {}


def steady(minutes: int, value: int = 1234, exponent: int = 0) -> ReadingsPost:
    return post(*((60 * n, value) for n in range(minutes)), exponent=exponent)


def test_power_that_never_changes_is_frozen() -> None:
    assert kinds(span_of(steady(122)), SUN) >= {Kind.FROZEN}
    assert span_of(steady(122)).frozen_s == 121 * 60


@pytest.mark.parametrize(
    "posts",
    [
        [steady(119)],
        [steady(200, value=0)],
        [steady(200, exponent=3)],
        [post(*((3600 * n, 5) for n in range(5)))],
        [steady(100), post((6030, 5)), steady(100)],
    ],
    ids=["not for long", "nothing", "coarse", "few", "once another value"],
)
def test_what_is_not_frozen(posts: Sequence[ReadingsPost]) -> None:
    assert not span_of(*posts).frozen_s


@given(st.lists(st.integers(-5000, 0), min_size=1, max_size=200))
def test_a_good_inverter_is_never_odd(values: list[int]) -> None:
    changing = [(60 * n, value - n % 2) for n, value in enumerate(values)]
    assert kinds(span_of(post(*changing)), SUN) == set()
