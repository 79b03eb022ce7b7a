"""Weighted means and quantiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.forecast.weighted import fading, mean, quantiles


def test_weights_halve() -> None:
    assert fading(np.array([0.0, 10.0, 20.0, -5.0]), 10.0).tolist() == [1.0, 0.5, 0.25, 1.0]


def test_a_mean_begins_with_the_guess_and_leaves_gaps_out() -> None:
    values = np.array([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan]])
    weights = np.array([[1.0], [2.0]])
    assert mean(values, weights, 0.5, 1.0).tolist() == [7.5 / 4, 8.5 / 3, 0.5]
    assert mean(values[:0], weights[:0], np.array([1.0, 2.0, 3.0]), 2.0).tolist() == [1.0, 2.0, 3.0]


@given(
    st.lists(
        st.tuples(st.floats(-1e5, 1e5), st.floats(0.01, 10.0)),
        min_size=1,
        max_size=30,
    )
)
def test_quantiles_ascend_within_the_samples(samples: list[tuple[float, float]]) -> None:
    values, weights = (np.array(row) for row in zip(*samples, strict=True))
    found = quantiles(values, weights, (0.0, 0.1, 0.5, 0.9, 1.0))
    assert found[0] == values.min()
    assert found[-1] == values.max()
    assert (np.diff(found) >= 0).all()


def test_a_heavy_sample_draws_the_median() -> None:
    values = np.array([1.0, 2.0, 3.0])
    assert quantiles(values, np.ones(3), (0.5,))[0] == 2.0
    assert quantiles(values, np.array([1.0, 1.0, 98.0]), (0.5,))[0] == pytest.approx(3.0, abs=0.05)
