"""A tariff as it is filled in, as it is written, and as it is read again."""

import string
from pathlib import Path
from typing import Literal

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from hems.settings.config import load
from hems.settings.tariff_section import TariffSection
from hems.setup.fields import SETTINGS, Given, Kind, Setting, present, written
from hems.setup.tariffs import Band, TariffOrder, order_of, table

PRICES = st.integers(0, 90_000_000).map(lambda each: each / 1e6)
CLOCKS = st.integers(0, 1439).map(lambda m: f"{m // 60:02d}:{m % 60:02d}")
BANDS = st.builds(Band, PRICES, CLOCKS, CLOCKS, st.sampled_from(["all", "weekdays", "weekends"]))
Tariffs = Literal["flat", "bands", "dynamic", "utility"]
_ALL: list[Tariffs] = ["flat", "bands", "dynamic", "utility"]
KINDS: st.SearchStrategy[Tariffs] = st.sampled_from(_ALL)


@st.composite
def orders(draw: st.DrawFn) -> TariffOrder:
    kind = draw(KINDS)
    dynamic = kind == "dynamic"
    bands = (draw(BANDS),) if kind == "bands" else ()
    return TariffOrder(
        kind,
        draw(st.text(string.ascii_uppercase, min_size=3, max_size=3)),
        draw(PRICES),
        tuple(b for b in bands if b.begins != b.ends) if kind == "bands" else (),
        draw(PRICES),
        draw(PRICES),
        "https://prices.example/day" if dynamic else "",
        draw(PRICES) if dynamic else 0.0,
        draw(st.sampled_from([0.0, 0.19, 0.25])) if dynamic else 0.0,
        draw(PRICES),
    )


@given(orders())
def test_what_is_filled_in_is_read_again(order: TariffOrder) -> None:
    section = TariffSection.model_validate(table(order))
    found = order_of(section)
    assert found is not None
    shown, whole = found
    assert whole
    if order.kind == "bands" and not order.bands:
        assert shown.kind == "flat"
    else:
        assert shown.kind == order.kind
    assert (shown.currency, shown.bands, shown.prices) == (
        order.currency,
        order.bands,
        order.prices,
    )
    for name in ("price", "feed_in", "standing", "surcharge", "tax", "peak"):
        assert getattr(shown, name) == pytest.approx(getattr(order, name))


def test_what_the_page_cannot_show_is_said() -> None:
    seasons = {
        "price": "0.3/kWh",
        "window": [{"price": "0.1/kWh", "first_day": "05-01", "last_day": "09-30"}],
    }
    for more in ({"holidays": ["2026-12-25"]}, {"carbon": "300 g/kWh"}, {"billing_day": 5}):
        found = order_of(TariffSection.model_validate({"import": {"price": "0.3/kWh"}, **more}))
        assert found is not None
        assert not found[1], more
    found = order_of(TariffSection.model_validate({"import": seasons}))
    assert found is not None
    assert not found[1]
    assert order_of(TariffSection()) is None


@pytest.mark.parametrize("known", SETTINGS, ids=lambda each: each.key)
def test_each_setting_is_one_of_the_configuration(tmp_path: Path, known: Setting) -> None:
    samples: dict[Kind, Given] = {
        Kind.TEXT: "text",
        Kind.ZONE: "Europe/Paris",
        Kind.CHOICE: known.choices[-1] if known.choices else "",
        Kind.FLAG: True,
        Kind.COUNT: "3",
        Kind.TEXTS: ["a", "b"],
    }
    least = known.least if known.least is not None else 1.0
    given_ = samples.get(known.kind, max(least, 0.5))
    path = tmp_path / "hems.toml"
    text: dict[str, object] = {known.section: {known.name: written(known, given_)}}
    if known.key == "reserve.enabled":  # it needs a utility to be offered to
        files = dict.fromkeys(("certificate", "key", "trust", "crls"), "x.pem")
        text = {
            "reserve": {"enabled": True, "programs": ["a"]},
            "utility": {**files, "pin": "111115"},
        }
    path.write_text(tomli_w.dumps(text))
    assert present(known, load(path)) == (
        str(tmp_path / "text") if known.key == "planner.weather" else given_
    )
