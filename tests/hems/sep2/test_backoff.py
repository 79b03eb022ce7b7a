"""How long is waited after failures, and when a server is left alone as a whole."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2.errors import BusyError, DeadlineError, Sep2Error, UnreachableError
from hems.sep2.transport.backoff import Backoff
from hems.sep2.transport.quiet import Quiet

pytestmark = pytest.mark.requirement("PRO-2030.5")

SLOW, BUSY, AWAY = DeadlineError("slow"), BusyError("busy"), UnreachableError("away")


class _Bound(random.Random):
    """Jitter that always draws its upper bound."""

    def uniform(self, a: float, b: float) -> float:  # noqa: ARG002 - as the library names it
        return b


def bounds(errors: Sequence[Sep2Error]) -> list[float]:
    backoff = Backoff(_Bound(), first_s=1, longest_s=60)
    return [backoff.failed(e) for e in errors]


@pytest.mark.parametrize(
    ("errors", "waits"),
    [
        ([SLOW] * 8, [1, 2, 4, 8, 16, 32, 60, 60]),
        ([SLOW, SLOW, SLOW, BUSY, BUSY, AWAY], [1, 2, 4, 1, 2, 1]),
        ([SLOW, BUSY] * 4, [1, 1, 2, 2, 4, 4, 8, 8]),
        ([SLOW, SLOW, BUSY, SLOW], [1, 2, 1, 4]),
    ],
)
def test_a_trouble_of_another_nature_starts_anew(
    errors: list[Sep2Error], waits: list[float]
) -> None:
    assert bounds(errors) == waits


def test_after_success_everything_starts_anew() -> None:
    backoff = Backoff(_Bound(), first_s=1, longest_s=60)
    for error in (SLOW, SLOW, BUSY):
        backoff.failed(error)
    assert backoff.failures == 3
    backoff.worked()
    assert backoff.failures == 0
    assert [backoff.failed(SLOW), backoff.failed(SLOW)] == [1, 2]


@given(st.lists(st.sampled_from([SLOW, BUSY, AWAY]), max_size=40), st.integers(0, 99))
def test_waits_are_full_jitter_under_the_bound(errors: list[Sep2Error], seed: int) -> None:
    backoff = Backoff(random.Random(seed), first_s=1, longest_s=60)  # noqa: S311 - jitter
    for error, bound in zip(errors, bounds(errors), strict=True):
        assert 0 <= backoff.failed(error) <= bound


def test_a_longer_wait_for_what_a_retry_will_not_cure() -> None:
    backoff = Backoff(_Bound(), first_s=1, longest_s=2)
    waits = [backoff.failed(AWAY, longest_s=900) for _ in range(12)]
    assert waits[:3] == [1, 2, 4]
    assert waits[-1] == 900


class _Clock:
    """Seconds that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def asked(seconds: float | None) -> BusyError:
    return BusyError("busy", retry_after_s=seconds)


def left_s(quiet: Quiet) -> float:
    """Return the seconds for which nothing may be sent."""
    try:
        quiet.check()
    except BusyError as error:
        return error.retry_after_s or 0.0
    return 0.0


def test_one_place_that_asks_to_wait_stops_no_other() -> None:
    quiet = Quiet("u:1", _Clock())
    for _ in range(3):
        quiet.refused("/a", asked(60))
    assert left_s(quiet) == 0


def test_two_in_a_row_speak_for_the_server() -> None:
    clock = _Clock()
    quiet = Quiet("u:1", clock)
    quiet.refused("/a", asked(60))
    clock.now += 10
    quiet.refused("/b", asked(300))
    assert left_s(quiet) == 50, "until the sooner of the two"
    clock.now += 49
    assert left_s(quiet) == 1
    clock.now += 1
    assert left_s(quiet) == 0


@pytest.mark.parametrize("between", ["success", "time", "no word"])
def test_what_comes_between_shows_that_it_serves(between: str) -> None:
    clock = _Clock()
    quiet = Quiet("u:1", clock)
    quiet.refused("/a", asked(60))
    if between == "success":
        quiet.served()
    elif between == "time":
        clock.now += 60
    quiet.refused("/b", asked(None if between == "no word" else 60))
    assert left_s(quiet) == 0
