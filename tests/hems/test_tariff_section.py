"""The tariff in the configuration: each mistake is one sentence that names the place."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hems.cem.slots import Slots
from hems.cem.tariff.rates import Quotes, over
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError

BERLIN = ZoneInfo("Europe/Berlin")
FIXED = '[tariff.import]\nprice = "0.30/kWh"\n'


def read(folder: Path, text: str) -> Config:
    path = folder / "hems.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def prices(config: Config, *when: int) -> tuple[float, float]:
    start = datetime(*when, tzinfo=BERLIN).timestamp()  # type: ignore[arg-type, misc]
    found = over(config.tariff.contract(BERLIN), Quotes(), Slots(start, 900.0, 1))
    return found.import_per_kwh[0], found.export_per_kwh[0]


def test_windows_and_charges(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
        [tariff]
        currency = "EUR"
        billing_day = 15
        standing_charge = "0.35/day"
        peak_charge = "4.2/kW"
        holidays = [2026-12-25]
        carbon = "380 g/kWh"
        carbon_price = "90/t"

        [tariff.import]
        price = "310/MWh"

        [[tariff.import.window]]
        price = "0.20/kWh"
        begins = "22:00"
        ends = "06:00"

        [[tariff.import.window]]
        price = "0.10/kWh"
        days = ["sat", "sun"]
        begins = "12:00"
        ends = "14:00"
        first_day = "10-01"
        last_day = "03-31"

        [tariff.export]
        price = "0.08/kWh"
        """,
    )
    contract = config.tariff.contract(BERLIN)
    assert (contract.currency, contract.billing_day, contract.standing_per_day) == (
        "EUR",
        15,
        0.35,
    )
    assert contract.peak_per_kw == 4.2
    assert contract.carbon_kg_per_kwh == pytest.approx(0.38)
    assert contract.carbon_price_per_kg == pytest.approx(0.09)
    assert prices(config, 2026, 3, 4, 12) == pytest.approx((0.31, 0.08))
    assert prices(config, 2026, 3, 4, 5, 45) == pytest.approx((0.20, 0.08))
    assert prices(config, 2026, 3, 7, 13) == pytest.approx((0.10, 0.08))
    assert prices(config, 2026, 6, 6, 13) == pytest.approx((0.31, 0.08))
    assert prices(config, 2026, 12, 25, 13) == pytest.approx((0.10, 0.08)), "Friday, a holiday"


def test_a_home_without_a_tariff_counts_what_it_takes(tmp_path: Path) -> None:
    config = read(tmp_path, "")
    assert config.tariff.contract(BERLIN).currency == "kWh"
    assert prices(config, 2026, 3, 4) == (1.0, 0.0)
    assert config.tariff.sources.prices is None


def test_files_are_relative_to_the_configuration_and_addresses_stay(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        '[tariff]\nsource = "file"\nprices = "day/ahead.csv"\n'
        'carbon_series = "https://carbon.example/now?key=secret"\nrefresh = "15 min"\n'
        '[tariff.import]\nprice = "0.3/kWh"\nsurcharge = "0.12/kWh"\ntax = 0.19\n',
    )
    sources = config.tariff.sources
    assert sources.prices == tmp_path / "day" / "ahead.csv"
    assert sources.carbon == "https://carbon.example/now?key=secret"
    assert (sources.refresh_s, sources.utility) == (900.0, False)
    assert "secret" not in repr(config.tariff)
    contract = config.tariff.contract(BERLIN)
    assert contract.imported.of_market(0.1) == pytest.approx(0.2618)
    assert (contract.imported.follows_market, contract.exported.follows_market) == (True, False)


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tariff]\ncurrency = "EUR"\n', "tariff: import has no price"),
        ("[tariff.import]\nprice = 0.3\n", "tariff.import.price: 0.3 is not a price of energy"),
        ('[tariff.import]\nprice = "30 ct"\n', "tariff.import.price: '30 ct' is not a price"),
        ('[tariff.import]\nprice = "1e999/kWh"\n', "tariff.import.price: '1e999/kWh' is not"),
        (FIXED + 'tax = "19 %"\n', "tariff.import.tax: "),
        (FIXED + "tax = nan\n", "tariff.import.tax: "),
        (FIXED + '[tariff.export]\nprise = "1/kWh"\n', "tariff.export.prise: unknown key"),
        ('[tariff]\npeak_charge = "-1/kW"\n' + FIXED, "tariff.peak_charge: "),
        ('[tariff]\nstanding_charge = "1/kWh"\n' + FIXED, "tariff.standing_charge: '1/kWh'"),
        ('[tariff]\ncarbon = "0.3"\n' + FIXED, "tariff.carbon: '0.3' is not a carbon intensity"),
        ('[tariff]\ncurrency = "euro"\n' + FIXED, "tariff.currency: "),
        ("[tariff]\nbilling_day = 31\n" + FIXED, "tariff.billing_day: "),
        ('[tariff]\nsource = "file"\n' + FIXED, "tariff: source is 'file', but 'prices' names no"),
        ('[tariff]\nprices = "a.csv"\n' + FIXED, "tariff: 'prices' are read where source is"),
        ('[tariff]\nprices = "ftp://x/y"\n' + FIXED, "tariff.prices: is neither a file nor"),
        ('[tariff]\nprices = ""\n' + FIXED, "tariff.prices: must be a file or"),
        ('[tariff]\nrefresh = "1 s"\n' + FIXED, "tariff: refresh is at least 60 s"),
        (
            '[tariff]\nrefresh = "48 h"\n' + FIXED,
            "tariff: stale_after is longer than refresh, or prices lapse",
        ),
        (
            '[[tariff.import.window]]\nprice = "1/kWh"\ndays = "weekdays"\n',
            "tariff: import: no window holds on Saturdays at 00:00",
        ),
        (
            FIXED + '[[tariff.import.window]]\nprice = "1/kWh"\nbegins = "07:00"\n'
            '[[tariff.import.window]]\nprice = "2/kWh"\nends = "08:00"\n',
            "tariff: import: windows 1 and 2 both hold on Mondays at 07:00",
        ),
        (
            FIXED + '[[tariff.import.window]]\nprice = "1/kWh"\nbegins = "7:00"\n',
            "tariff.import.window[0].begins: '7:00' is not a time of the day",
        ),
        (
            FIXED + '[[tariff.import.window]]\nprice = "1/kWh"\nends = "24:01"\n',
            "tariff.import.window[0].ends: '24:01' is not a time of the day",
        ),
        (
            FIXED + '[[tariff.import.window]]\nprice = "1/kWh"\nlast_day = "02-30"\n',
            "tariff.import.window[0].last_day: '02-30' is not a day of the year",
        ),
        (
            FIXED + '[[tariff.import.window]]\nprice = "1/kWh"\ndays = ["monday"]\n',
            "tariff.import.window[0].days: 'monday' is no day",
        ),
        (
            FIXED + '[[tariff.import.window]]\nprice = "1/kWh"\ndays = []\n',
            "tariff.import.window[0].days: [] are no days",
        ),
    ],
)
def test_a_mistake_is_named_by_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    sentence = str(caught.value)
    assert f"{tmp_path / 'hems.toml'}: {said}" in sentence
    assert "\n" not in sentence
