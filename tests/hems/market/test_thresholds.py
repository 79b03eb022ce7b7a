"""Net-benefits prices: read, kept, dated; and whatever else a file may hold."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.market.threshold_book import ThresholdBook
from hems.market.thresholds import Kept, ThresholdError, parse
from hems.store.store import open_store
from tests.hems.market.test_counter import Hands

HEAD = "month,price_per_mwh,published,operator\n"


@pytest.mark.requirement("BUC-6")
def test_csv_and_json_tell_the_same() -> None:
    (one,) = parse(HEAD + "2026-11,41.3,2026-10-15,Example ISO\n")
    (other,) = parse(
        '[{"month": "2026-11", "price_per_kwh": 0.0413, "published": "2026-10-15", '
        '"operator": "Example ISO"}]'
    )
    assert one.per_kwh == pytest.approx(0.0413)
    assert other.per_kwh == 0.0413
    for each in (one, other):
        assert each.month == "2026-11"
        assert each.published == date(2026, 10, 15)
        assert each.operator == "Example ISO"


@pytest.mark.requirement("BUC-6")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no month"),
        (HEAD, "no month"),
        (HEAD + "2026-13,41.3,2026-10-15,X\n", "entry 1: month"),
        (HEAD + "2026-11,nan,2026-10-15,X\n", "entry 1: price_per_mwh"),
        (HEAD + "2026-11,inf,2026-10-15,X\n", "entry 1: price_per_mwh"),
        (HEAD + "2026-11,0,2026-10-15,X\n", "entry 1: price_per_mwh"),
        (HEAD + "2026-11,-3,2026-10-15,X\n", "entry 1: price_per_mwh"),
        (HEAD + "2026-11,1e9,2026-10-15,X\n", "entry 1: price_per_mwh"),
        (HEAD + "2026-11,,2026-10-15,X\n", "needs one of"),
        (HEAD + "2026-11,41.3,yesterday,X\n", "entry 1: published"),
        (HEAD + "2026-11,41.3\n", "entry 1 has not as many fields"),
        (HEAD + "2026-11,41.3,2026-10-15,X,Y\n", "entry 1 has not as many fields"),
        (HEAD + "2026-11,41,2026-10-15,X\n2026-11,42,2026-10-15,X\n", "two prices"),
        ("{}", "no list"),
        ("[1]", "entry 1"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_one_clear_error(text: str, words: str) -> None:
    with pytest.raises(ThresholdError, match=words):
        parse(text)


@given(st.one_of(st.text(max_size=200), st.text(max_size=60).map(lambda row: HEAD + row)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except ThresholdError:
        return
    assert all(each.per_kwh > 0 for each in found)


@pytest.mark.requirement("BUC-6")
def test_the_month_is_the_operators_and_no_other_stands_in_for_it() -> None:
    kept = Kept().joined(parse(HEAD + "2026-11,41.3,2026-10-15,X\n"), 1.0, "file")
    zone = ZoneInfo("America/New_York")
    late = datetime(2026, 12, 1, 4, 30, tzinfo=UTC).timestamp()  # November there still
    found = kept.at(late, zone)
    assert found is not None
    assert found.month == "2026-11"
    assert kept.at(late + 3600, zone) is None
    assert kept.at(datetime(2025, 11, 5, tzinfo=UTC).timestamp(), zone) is None


@pytest.mark.requirement("BUC-6")
def test_what_was_published_last_counts_and_nothing_is_forgotten() -> None:
    kept = Kept().joined(parse(HEAD + "2026-10,39,2026-09-15,X\n2026-11,41,2026-10-15,X\n"), 1, "f")
    kept = kept.joined(parse(HEAD + "2026-11,43,2026-10-20,X\n2026-12,45,2026-11-15,X\n"), 2, "f")
    kept = kept.joined(parse(HEAD + "2026-11,1,2026-10-01,X\n"), 3, "f")  # an old file again
    assert [(each.month, each.per_kwh) for each in kept.months] == [
        ("2026-10", 0.039),
        ("2026-11", 0.043),
        ("2026-12", 0.045),
    ]


@pytest.mark.requirement("BUC-6")
async def test_the_book_keeps_what_it_read_over_a_restart_and_says_what_it_cannot(
    tmp_path: Path,
) -> None:
    clock, alarms = Hands(), list[str | None]()
    store = await open_store(tmp_path / "hems.db", clock)
    answers = [HEAD + "2026-11,41.3,2026-10-15,X\n", "nonsense\n1\n"]

    async def fetch() -> str:
        if not answers:
            raise ThresholdError("there is no such file")
        return answers.pop(0)

    def made() -> ThresholdBook:
        return ThresholdBook(
            fetch, "nb.csv", 60, kept=store.settings, clock=clock, alarm=alarms.append
        )

    book = made()
    assert await book.read()
    assert not await book.read()
    assert not await book.read()
    again = made()
    await again.load()
    assert again.known == book.known
    assert again.known.read_at == clock.at
    assert again.known.source == "nb.csv"
    assert alarms[0] is None
    assert "nb.csv cannot be read: entry 1" in (alarms[1] or "")
    assert "no such file" in (alarms[2] or "")
    await store.close()
