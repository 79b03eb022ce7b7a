"""A short simulated life, with a replacement of the software in it, comes out as it should."""

from pathlib import Path

import pytest

from hems.clock import SystemClock
from hems.store.errors import StoreFullError
from hems.store.history import Sample
from hems.store.schema import REVISIONS
from hems.store.sqlite import read_revision
from hems.store.store import open_store
from tests.endure.disk import Disk
from tests.endure.former import first_version, version_before
from tests.endure.run import Outcome, Run, lived
from tests.stored import key_of


def check(outcome: Outcome) -> None:
    """Hold a run to its bounds, but for how long things took: the machine may be busy."""
    out = [f for f in outcome.findings if not f.good and f.key != "cycle_p999_s"]
    told = "\n".join((*map(str, outcome.findings), *outcome.wrong, *outcome.told))
    assert not out, told
    assert not outcome.wrong, told


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_an_hour_and_a_half(tmp_path: Path) -> None:
    outcome = lived(Run(days=0.0625, seed=1, cycle_s=5.0), tmp_path)
    check(outcome)
    found = {finding.key: finding.value for finding in outcome.findings}
    assert found["events_judged"], "an event is over by then"
    assert found["upgrades"] == 2
    assert found["cycles"]


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.requirement("L2-HEMS")
def test_a_day(tmp_path: Path) -> None:
    outcome = lived(Run(days=1.0, seed=2, cycle_s=5.0), tmp_path)
    check(outcome)


async def test_stores_of_versions_before_are_such_and_are_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "hems.db"
    first_version(path, 1_790_000_000.0)
    assert read_revision(path, key_of(path)) == REVISIONS[0]
    for _ in range(2):
        store = await open_store(path, SystemClock())
        (meter,) = await store.history.history(1_789_999_000, 1_790_000_000, 100)
        assert meter.device == "meter"
        assert meter.power_w[0] is not None
        await store.close()
        assert read_revision(path, key_of(path)) == REVISIONS[-1]
        assert version_before(path) == read_revision(path, key_of(path)) == REVISIONS[-2]


async def test_a_full_disk_is_one_and_is_cleared_again(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "hems.db", SystemClock())
    rows = [Sample(float(number), "pv", 1.0) for number in range(20_000)]
    disk = Disk()
    try:
        disk.full = True
        with pytest.raises(StoreFullError, match="the disk is full"):
            await store.history.append(rows)
        disk.full = False
        await store.history.append(rows)
    finally:
        disk.close()
        await store.close()
