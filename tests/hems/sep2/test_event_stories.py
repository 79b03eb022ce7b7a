"""Whole stories, second by second: who holds what, and what is owed, against the oracle."""

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from hems.sep2.rules.dialect import Dialect
from tests.hems.sep2.examples import examples
from tests.hems.sep2.living import ABLE, live
from tests.hems.sep2.stories import OTHERS, OURS, Home, Story, stories

pytestmark = pytest.mark.requirement("PRO-2030.5")


def home(story: Story, dialect: Dialect) -> Home:
    return Home(dialect.profile(ABLE), random.Random(story.seed))  # noqa: S311 - draws, not secrets


DIALECTS = [Dialect.V2018, Dialect.CSIP_AUS, Dialect.V2023]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_story_ends_as_the_oracle_says(dialect: Dialect) -> None:
    seen: Counter[int] = Counter()

    @settings(
        max_examples=examples(400),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(stories)
    def lived(story: Story) -> None:
        seen.update(live(story, dialect, home(story, dialect)))

    lived()
    if examples(400) < 400:
        return
    never = {11, 12, 13}  # messages' own, and another server's
    if dialect is Dialect.V2023:
        never.add(252)  # 251 in its place
    assert set(dialect.profile().codes) - never <= set(seen), "some codes were never told"


@pytest.mark.deep
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_story_ends_as_the_oracle_says_deeply(dialect: Dialect) -> None:
    seen: Counter[int] = Counter()

    @settings(
        max_examples=examples(4000), deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(stories)
    def lived(story: Story) -> None:
        seen.update(live(story, dialect, home(story, dialect)))

    lived()
    assert {2, 3, 6, 7} <= set(seen)


def test_the_oracles_devices_are_told_apart() -> None:
    assert OURS & OTHERS == 0
