"""The performance score: by hand, against a slow and obvious reckoning, and at its edges."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.score import Sample, Score, score

HOUR = 360


def wave(shift: int = 0, gain: float = 1.0, count: int = HOUR) -> list[Sample]:
    """Return a signal of several tones, followed `shift` samples late."""

    def asked(n: int) -> float:
        return 0.5 * math.sin(n / 3) + 0.3 * math.sin(n / 7.7) + 0.1 * math.sin(n / 1.3)

    return [Sample(asked(n), gain * asked(n - shift)) for n in range(count)]


def parts(found: Score | None) -> tuple[float, float, float]:
    assert found is not None
    return found.correlation, found.delay, found.precision


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    ("samples", "correlation", "delay", "precision"),
    [
        (wave(), 1.0, 1.0, 1.0),
        (wave(gain=0.5), 1.0, 1.0, 0.5),
        (wave(gain=0.0), 0.0, 1.0, 0.0),
        (wave(gain=-1.0, count=30), 0.0, 1.0, 0.0),
    ],
    ids=["perfect", "half of it", "nothing", "the wrong way"],
)
def test_by_hand(samples: list[Sample], correlation: float, delay: float, precision: float) -> None:
    found = score(samples)
    assert found is not None
    assert found.correlation == pytest.approx(correlation, abs=1e-9)
    assert found.delay == pytest.approx(delay)
    assert found.precision == pytest.approx(precision)
    assert found.total == pytest.approx((correlation + delay + precision) / 3)


@pytest.mark.requirement("BUC-3")
def test_a_late_response_loses_by_its_delay() -> None:
    """One minute late: six of thirty samples, where the windows reach that far."""
    late = score(wave(shift=6))
    assert late is not None
    assert late.correlation > 0.95
    assert late.delay == pytest.approx(0.8, abs=0.05)
    assert late.precision < 0.2


def test_four_samples_by_hand() -> None:
    """Windows of two: (0, 1), (1, 0), (0, 1), all followed at half of their size.

    Two points always lie on a line, so each correlation is 1 at no shift; of what was asked, 2 in
    all, 1 was missed.
    """
    halved = [Sample(0, 0), Sample(1, 0.5), Sample(0, 0), Sample(1, 0.5)]
    assert parts(score(halved, window=2)) == pytest.approx((1.0, 1.0, 0.5))


def test_a_level_that_is_held_is_scored_by_its_precision() -> None:
    assert parts(score([Sample(0.5, 0.4)] * 40)) == pytest.approx((0.8, 1.0, 0.8))


@pytest.mark.parametrize(
    "samples", [[], wave(count=29), [Sample(0.0, 0.3)] * HOUR], ids=["none", "short", "no signal"]
)
def test_what_cannot_be_scored(samples: list[Sample]) -> None:
    assert score(samples) is None


def slow(samples: list[Sample], window: int) -> tuple[float, float, float]:
    """Reckon it window by window, as it is written down."""
    correlations, delays = [], []
    for start in range(len(samples) - window + 1):
        asked = [s.asked for s in samples[start : start + window]]
        if statistics.pvariance(asked) < 1e-6:
            continue
        tried = []
        for shift in range(window + 1):
            done = [s.done for s in samples[start + shift : start + shift + window]]
            if len(done) < window:
                break
            like = 0.0
            if statistics.pvariance(done) >= 1e-6:
                like = min(max(statistics.correlation(asked, done), 0.0), 1.0)
            tried.append((like, 1 - shift / window))
        best = max(tried, key=lambda each: (round(sum(each), 6), each[1]))
        correlations.append(best[0])
        delays.append(best[1])
    error = sum(abs(s.done - s.asked) for s in samples) / sum(abs(s.asked) for s in samples)
    precision = min(max(1 - error, 0.0), 1.0)
    if not correlations:
        return precision, 1.0, precision
    return statistics.mean(correlations), statistics.mean(delays), precision


shares = st.integers(-20, 20).map(lambda n: n / 20)


@pytest.mark.requirement("BUC-3")
@settings(deadline=None)
@given(
    st.lists(st.builds(Sample, shares, shares), min_size=4, max_size=24),
    st.integers(2, 6),
)
def test_as_a_slow_reckoning_has_it(samples: list[Sample], window: int) -> None:
    found = score(samples, window)
    if len(samples) < window or not any(s.asked for s in samples):
        assert found is None
        return
    assert found is not None
    expected = slow(samples, window)
    assert found.total == pytest.approx(sum(expected) / 3, abs=1e-4)
    assert found.precision == pytest.approx(expected[2])
    assert all(0 <= part <= 1 for part in (found.correlation, found.delay, found.precision))
