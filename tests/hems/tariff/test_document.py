"""The format of prices read: spans in JSON or CSV, every mistake named by its entry."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.tariff.rates import Flow, Manner, PriceEvent
from hems.cem.tariff.series import Series, Span
from hems.tariff.document import Document, DocumentError, parse

T = 1_772_319_600.0  # 2026-03-01T00:00+01:00
HOUR = 3600.0


def test_json_by_the_hour_in_mwh() -> None:
    text = """[
        {"start": "2026-03-01T01:00:00+01:00", "price_per_mwh": -12.5},
        {"start": "2026-03-01T00:00:00+01:00", "price_per_mwh": 82.4}
    ]"""
    found = parse(text, 5.0)
    assert found.price == Series(
        (Span(T, T + HOUR, 0.0824), Span(T + HOUR, T + 2 * HOUR, -0.0125)), 5.0
    )
    assert (found.export, found.carbon) == (None, None)


def test_csv_by_the_quarter_hour_with_all_columns() -> None:
    text = (
        "\ufeffstart, end, price_per_kwh, export_per_kwh, carbon_g_per_kwh\n"
        f"{T:.0f}, {T + 900:.0f}, 0.25, 0.08, 310\n"
        f"{T + 900:.0f}, {T + 1800:.0f}, 0.26, , \n"
    )
    found = parse(text, 5.0)
    assert found.price == Series((Span(T, T + 900, 0.25), Span(T + 900, T + 1800, 0.26)), 5.0)
    assert found.export == Series((Span(T, T + 900, 0.08),), 5.0)
    assert found.carbon == Series((Span(T, T + 900, 0.31),), 5.0)


def test_an_hour_that_is_missing_stays_missing() -> None:
    rows = "".join(f"{T + hour * HOUR:.0f},0.1\n" for hour in (0, 1, 3))
    found = parse(f"start,price_per_kwh\n{rows}", 5.0).price
    assert found is not None
    assert [found.at(T + hour * HOUR) for hour in range(5)] == [0.1, 0.1, None, 0.1, None]


@pytest.mark.requirement("BUC-6")
def test_price_events_stand_beside_the_prices() -> None:
    text = f"""[
        {{"start": {T}, "price_per_kwh": 0.2}},
        {{"start": {T + 60}, "end": {T + 120}, "price_per_kwh": 0.9, "event": "Critical peak"}},
        {{"start": {T}, "end": {T + 60}, "price_per_mwh": -50, "export_per_kwh": 0.3,
          "event": "Rebate", "adds": true}}
    ]"""
    found = parse(text, 5.0)
    assert found.price == Series((Span(T, T + HOUR, 0.2),), 5.0)
    assert found.export is None
    assert found.events == (
        PriceEvent(T + 60, T + 120, 0.9, "Critical peak"),
        PriceEvent(T, T + 60, -0.05, "Rebate", Manner.ADD),
        PriceEvent(T, T + 60, 0.3, "Rebate", Manner.ADD, Flow.EXPORT),
    )


def test_a_document_of_events_alone() -> None:
    text = f"start,end,price_per_kwh,event,adds\n{T},{T + 60},0.9,Critical peak,\n"
    assert parse(text, 5.0) == Document(events=(PriceEvent(T, T + 60, 0.9, "Critical peak"),))


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither JSON nor CSV"),
        ("<html>", "neither JSON nor CSV"),
        ("{}", "no list of spans"),
        ("[1]", "entry 1"),
        ("[", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("x" * 200_000, "is no CSV"),
        ('[{"start": 0, "' + "x" * 1000 + '": 1}]', "is not known here"),
        (
            "start,end,price_per_kwh,event\n" + "0,60,1,Peak\n" * 1001,
            "it has 1001 events, more than 1000",
        ),
        ("[]", "neither prices nor carbon"),
        ("start,price_per_kwh\n", "neither prices nor carbon"),
        ('[{"start": "2026-03-01T00:00:00", "price_per_kwh": 1}]', "offset from UTC"),
        ('[{"start": "noon", "price_per_kwh": 1}]', "entry 1: start: "),
        ('[{"start": 0, "price": 1}]', "entry 1: price: is not known here"),
        ('[{"start": 0, "price_per_kwh": NaN}]', "entry 1: price_per_kwh: "),
        ('[{"start": 0, "price_per_kwh": 1e9}]', "entry 1: price_per_kwh: "),
        (
            '[{"start": 0, "price_per_kwh": 1, "price_per_mwh": 1}]',
            "entry 1: has both price_per_kwh and price_per_mwh",
        ),
        (
            '[{"start": 0, "end": 60, "price_per_kwh": 1}, {"start": 30, "price_per_kwh": 2}]',
            "two values hold at 1970-01-01 00:00:30Z: 1 and 2",
        ),
        ('[{"start": 60, "end": 0, "price_per_kwh": 1}]', "cannot be"),
        ("start,price_per_kwh\n0,1,2\n", "entry 1 has more fields"),
        ("start,price_per_kwh,event\n0,1,x\n", "entry 1: is an event without an end"),
        ("start,end,event\n0,1,x\n", "entry 1: is an event without a price"),
        ("start,price_per_kwh,adds\n0,1,yes\n", "entry 1: adds to a price, but is no event"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(text, 0.0)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 150


@given(st.text() | st.binary(max_size=200).map(lambda raw: "start,end\n" + raw.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(DocumentError):
        parse(text, 0.0)
