"""How good the hub's time is: a table, and what must hold of it whatever is said."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.timekeeping.quality import HOLDOVER_PPM, Evidence, Quality, Server, Standing, judge
from hems.timekeeping.reading import Reading, Source

pytestmark = [pytest.mark.requirement("TIME-SOURCES"), pytest.mark.requirement("TIME-SERVER")]

NTP = Reading(Source.CHRONY, synchronised=True, name="192.0.2.7", stratum=3, error_s=0.004)
GPS = replace(NTP, name="GPS", stratum=1, error_s=0.00001)
LOST = Reading(Source.CHRONY, synchronised=False)
KERNEL = Reading(Source.KERNEL, synchronised=True, error_s=0.2)
UTILITY = Server("utility", 3, 0.3, 1.0)
QUIET = Evidence(100.0, doubted=False, followed=False, readings=(), servers=())
KEPT = Standing(Source.CHRONY, Quality.AUTHORITATIVE, 0.004, "192.0.2.7", 100.0)

ROWS = {
    "NTP": (replace(QUIET, readings=(NTP,)), Source.CHRONY, 3, 0.004, "192.0.2.7"),
    "GPS by chrony": (replace(QUIET, readings=(GPS, KERNEL)), Source.CHRONY, 3, 0.00001, "GPS"),
    "only the kernel": (replace(QUIET, readings=(LOST, KERNEL)), Source.KERNEL, 3, 0.2, ""),
    "NTP before the utility": (
        replace(QUIET, readings=(NTP,), servers=(UTILITY,)),
        *(Source.CHRONY, 3, 0.004, "192.0.2.7"),
    ),
    "the utility agrees": (
        replace(QUIET, readings=(LOST,), servers=(UTILITY,)),
        *(Source.UTILITY, 4, 1.3, "utility"),
    ),
    "of two the better": (
        replace(QUIET, servers=(replace(UTILITY, name="a", quality=6), UTILITY)),
        *(Source.UTILITY, 4, 1.3, "utility"),
    ),
    "a utility that is uncoordinated": (
        replace(QUIET, servers=(replace(UTILITY, quality=7),)),
        *(Source.UTILITY, 7, 1.3, "utility"),
    ),
    "a quality that there is not": (
        replace(QUIET, servers=(replace(UTILITY, quality=0),)),
        *(Source.UTILITY, 4, 1.3, "utility"),
    ),
    "a utility that is far away says nothing of the clock": (
        replace(QUIET, servers=(replace(UTILITY, apart_s=600.0),)),
        *(Source.MACHINE, 6, None, ""),
    ),
    "nobody": (QUIET, Source.MACHINE, 6, None, ""),
    "the time is the utility's": (
        replace(QUIET, followed=True, readings=(NTP,), servers=(replace(UTILITY, apart_s=0.0),)),
        *(Source.UTILITY, 4, 1.0, "utility"),
    ),
    "in doubt, whoever says what": (
        replace(QUIET, doubted=True, readings=(NTP,), servers=(UTILITY,)),
        *(Source.NOBODY, 7, None, ""),
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_where_the_time_comes_from(row: str) -> None:
    seen, source, quality, error_s, name = ROWS[row]
    found = judge(seen, None)
    assert (found.source, found.quality, found.name) == (source, quality, name)
    assert found.error_s == pytest.approx(error_s)
    assert found.since == 100.0


@pytest.mark.parametrize(
    ("passed_s", "quality"),
    [(600.0, 3), (19_000.0, 3), (21_000.0, 4), (210_000.0, 5), (1_300_000.0, 6), (9e9, 6)],
)
def test_time_that_is_held_over_falls_in_quality(passed_s: float, quality: int) -> None:
    found = judge(replace(QUIET, now=100.0 + passed_s), KEPT, KEPT)
    assert (found.source, found.name) == (Source.HELD_OVER, "192.0.2.7")
    assert found.error_s == pytest.approx(0.004 + passed_s * HOLDOVER_PPM * 1e-6)
    assert found.quality == quality


def test_it_says_since_when() -> None:
    before = judge(replace(QUIET, readings=(NTP,)), None)
    later = judge(replace(QUIET, now=900.0, readings=(NTP,)), before)
    assert later.since == 100.0
    assert judge(replace(QUIET, now=950.0, readings=(GPS,)), later).since == 950.0


readings = st.lists(st.sampled_from([NTP, GPS, LOST, KERNEL]), max_size=3).map(tuple)
servers = st.lists(
    st.builds(
        Server, st.sampled_from("ab"), st.integers(-1, 255), st.floats(-1e5, 1e5), st.floats(0, 9)
    ),
    max_size=3,
).map(tuple)


@given(
    st.builds(Evidence, st.floats(100.0, 1e8), st.booleans(), st.booleans(), readings, servers),
    st.sampled_from([None, KEPT]),
)
def test_it_is_never_better_than_who_tells_it(seen: Evidence, last: Standing | None) -> None:
    found = judge(seen, None, last)
    assert Quality.AUTHORITATIVE <= found.quality <= Quality.UNCOORDINATED
    if found.source in {Source.CHRONY, Source.KERNEL}:
        assert any(r.synchronised for r in seen.readings)
    elif found.source is Source.UTILITY:
        assert found.quality > min(
            max(s.quality, 3) if s.quality >= 0 else 6 for s in seen.servers
        ) or (found.quality is Quality.UNCOORDINATED)
    if seen.doubted:
        assert (found.quality, found.error_s) == (Quality.UNCOORDINATED, None)
