"""What needs no login is answered so many times a second to each caller."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hems.knocks import CALLERS, MOST, Knocks


def test_the_next_second_is_another() -> None:
    knocks = Knocks(most=2)
    assert [knocks.too_many("a", 7.9) for _ in range(3)] == [False, False, True]
    assert not knocks.too_many("b", 7.9)  # who asks too often keeps nobody else out
    assert not knocks.too_many("a", 8.0)


def test_many_callers_take_no_memory() -> None:
    knocks = Knocks()
    answers = [knocks.too_many(f"caller {n}", 3.0) for n in range(CALLERS + 5)]
    assert answers == [False] * CALLERS + [True] * 5
    assert not knocks.too_many("caller 0", 3.0)  # one that is known goes on
    assert not knocks.too_many("another", 4.0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=80))
def test_as_a_slow_count_has_it(asked: list[tuple[str, int]]) -> None:
    asked.sort(key=lambda each: each[1])
    knocks, seen = Knocks(), Counter[tuple[str, int]]()
    for caller, second in asked:
        seen[caller, second] += 1
        assert knocks.too_many(caller, second + 0.5) is (seen[caller, second] > MOST)
