"""The benchmark of the store's encryption does what it says; its figures are not judged here."""

import math

import pytest

from tests.benchmarks import security_store
from tests.benchmarks.store_rows import DEVICES


@pytest.mark.requirement("L1-CRYPT")
def test_both_stores_get_the_same_writes_and_the_median_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(security_store, "DAY_S", 1800)
    monkeypatch.setattr(security_store, "ROUND_S", 300)
    figures = security_store.measure(3)
    assert figures["store_rounds"] == 3
    assert figures["store_samples"] == 3 * 300 * DEVICES
    each = figures["encryption_cost_each"]
    assert isinstance(each, list)
    assert sorted(each)[1] == figures["encryption_cost"]
    for name in ("store_plain_day_s", "store_encrypted_day_s", "encryption_cost_cpu"):
        value = figures[name]
        assert isinstance(value, float)
        assert math.isfinite(value)
    plain_mb, encrypted_mb = figures["store_plain_mb"], figures["store_encrypted_mb"]
    assert isinstance(plain_mb, float)
    assert isinstance(encrypted_mb, float)
    assert plain_mb <= encrypted_mb <= plain_mb * 1.2 + 0.1, "80 octets a page are the lock's own"
