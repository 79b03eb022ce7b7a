"""The benchmark of the store does what it says, at small size; its figures are not judged here."""

from pathlib import Path

import pytest

from tests.benchmarks import store, store_years
from tests.block_disk import disk_or_skip


@pytest.mark.timeout(300)
@pytest.mark.requirement("PRV-INTEGRITY")
async def test_all_parts_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_years, "SAMPLES_KEPT_S", 600.0)
    monkeypatch.setattr(store_years, "MINUTES_KEPT_S", 86_400.0)
    monkeypatch.setattr("tests.benchmarks.store_day.DAY_S", 3600)
    with disk_or_skip(tmp_path / "block", 256) as disk:
        figures = await store.measure(tmp_path, disk, years=1, rounds=2, hours=0.1, hub_s=0.0)
    numbers = {name: value for name, value in figures.items() if isinstance(value, int | float)}
    for name in ("writes_per_s", "sqlite_plain_writes_per_s", "year_query_ms", "mb_per_day"):
        assert numbers[name] > 0, name
    parts = [numbers[f"{name}_mb"] for name in ("quarters", "blocks", "minutes", "samples")]
    assert sum(parts) == pytest.approx(numbers["store_mb"], abs=1.0)
    assert parts[0] == max(parts)
    assert numbers["store_mb_after_clearing"] == pytest.approx(numbers["store_mb"], abs=5.0)
    by_kind = [value for name, value in numbers.items() if name.startswith("mb_per_day_")]
    assert sum(by_kind) == pytest.approx(numbers["mb_per_day"], rel=0.05, abs=1.0)
