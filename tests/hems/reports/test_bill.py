"""Bills: prices in bands, months by the home's clock and by the contract's day."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.civil import day_start
from hems.reports.bill import Band, BillReport, bands
from hems.store.accounts import Priced
from tests.web.past import BERLIN, past

pytestmark = pytest.mark.requirement("ROLE-UI")


def priced(*prices: float) -> list[Priced]:
    return [Priced("EUR", price, 1000.0, price) for price in prices]


def test_few_prices_are_shown_one_by_one() -> None:
    assert bands(priced(0.2, 0.3)) == [Band(0.2, 0.2, 1000.0, 0.2), Band(0.3, 0.3, 1000.0, 0.3)]
    assert bands([]) == []


def test_many_prices_are_shown_in_bands() -> None:
    found = bands(priced(-0.06, *(0.01 * n for n in range(10)), 0.55))
    assert [(b.low_per_kwh, b.high_per_kwh) for b in found] == [
        (-0.06, pytest.approx(0.04)),
        (pytest.approx(0.05), pytest.approx(0.09)),
        (0.55, 0.55),
    ]


@given(
    st.lists(
        st.builds(
            Priced,
            currency=st.just("EUR"),
            per_kwh=st.floats(-1.0, 2.0),
            energy_wh=st.floats(0.1, 1e5),
            amount=st.floats(-100.0, 100.0),
        ),
        unique_by=lambda p: p.per_kwh,
    ).map(lambda each: sorted(each, key=lambda p: p.per_kwh)),
    st.integers(1, 8),
)
def test_bands_lose_nothing_and_lie_apart(each: list[Priced], most: int) -> None:
    found = bands(each, most)
    assert len(found) <= most
    assert sum(b.energy_wh for b in found) == pytest.approx(sum(p.energy_wh for p in each))
    assert sum(b.amount for b in found) == pytest.approx(sum(p.amount for p in each), abs=1e-9)
    assert all(b.low_per_kwh <= b.high_per_kwh for b in found)
    assert all(a.high_per_kwh < b.low_per_kwh for a, b in pairwise(found))


async def test_a_month_of_31_days_with_a_clock_change(tmp_path: Path) -> None:
    start, end = (day_start(date(2026, month, 1), BERLIN) for month in (3, 4))
    async with past(tmp_path, end + 1.0) as made:
        await made.cost(start, end, skip=range(int(start), int(start) + 7200))
        bill = await BillReport(made.store.accounts, BERLIN, made.clock).bill(date(2026, 3, 20))
    assert (bill.start, bill.end, bill.running) == (start, end, False)
    (account,) = bill.accounts
    quarters = 31 * 96 - 4 - 8
    assert account.whole.import_wh == pytest.approx(quarters * 200.0)
    assert account.whole.measured == pytest.approx(quarters / (quarters + 8))
    assert [b.low_per_kwh for b in account.taken] == [0.24, 0.32]
    assert sum(b.energy_wh for b in account.taken) == pytest.approx(account.whole.import_wh)
    assert sum(b.amount for b in account.taken) == pytest.approx(account.whole.cost)
    assert [b.low_per_kwh for b in account.given] == [0.08]
    assert len(account.days) == 31
    assert account.days[28].import_wh == pytest.approx(92 * 200.0)


@pytest.mark.parametrize(
    ("now", "billing_day", "month"),
    [
        (date(2026, 6, 14), 1, date(2026, 6, 1)),
        (date(2026, 6, 14), 14, date(2026, 6, 14)),
        (date(2026, 6, 14), 15, date(2026, 5, 15)),
        (date(2026, 1, 14), 28, date(2025, 12, 28)),
    ],
)
async def test_billing_months(tmp_path: Path, now: date, billing_day: int, month: date) -> None:
    at = day_start(now, BERLIN)
    async with past(tmp_path, at) as made:
        report = BillReport(made.store.accounts, BERLIN, made.clock, billing_day)
        assert report.month_of(at) == month
        bill = await report.bill(month)
    assert bill.start == day_start(month, BERLIN) <= at < bill.end
    assert (bill.running, list(bill.accounts)) == (True, [])
