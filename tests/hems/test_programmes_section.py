"""Programmes in the configuration: joined, left, paid; every mistake named."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from hems.participation.consequence import Pay
from hems.settings import agreements
from hems.settings.config import Config
from hems.settings.programmes_section import ProgrammesSection
from hems.settings.utility_section import ProgramSection, UtilitySection
from programs.registry import BY_ID

PEAK = BY_ID["peak-shaving"]


def utility(*programs: ProgramSection) -> UtilitySection:
    file = Path("x.pem")
    return UtilitySection(
        certificate=file, key=file, trust=file, crls=file, pin="111115", program=programs
    )


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"leave": ["warp"]}, "'warp' is no programme; there are "),
        ({"leave": ["main-breaker"]}, "'main-breaker' is part of every home"),
        ({"leave": ["economy"], "join": ["economy"]}, "cannot be both joined and left"),
        ({"pay": [{"programme": "economy", "price": "-1/kWh"}]}, "greater than or equal to 0"),
        ({"pay": [{"programme": "economy", "price": 0.5}]}, "is not a price of energy"),
        ({"pay": [{"programme": "economy", "price": "1/kWh"}] * 2}, "is said twice"),
    ],
)
def test_a_mistake_is_named(section: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ProgrammesSection.model_validate(section)


@pytest.mark.requirement("L1-OWNER")
def test_from_the_file_to_terms() -> None:
    config = Config.model_validate(
        {
            "tariff": {"currency": "EUR", "import": {"price": "0.3/kWh"}},
            "home": {"battery_reserve": 0.25},
            "programmes": {
                "leave": ["economy"],
                "join": ["peak-shaving"],
                "pay": [{"programme": "emergency", "price": "0.5/kWh"}],
            },
        }
    )
    terms = agreements.terms(config)
    assert terms.configured == {"economy": False, "peak-shaving": True}
    assert terms.pay == {"emergency": Pay(0.5, "EUR")}
    assert terms.reserve == 0.25


@pytest.mark.requirement("L1-OWNER")
def test_what_binds_by_the_agreement() -> None:
    alone = agreements.bound(Config())
    assert alone(PEAK) == ""
    strict = agreements.bound(Config(utility=(utility(),)))
    assert strict(PEAK) == (
        "By the agreement with utility its events bind; no programme there is voluntary."
    )
    assert strict(BY_ID["emergency"]) == ""  # load control flags its events itself
    free = ProgramSection(name="Peak", binding=False)
    assert agreements.bound(Config(utility=(utility(free),)))(PEAK) == ""


@pytest.mark.requirement("BUC-6")
def test_who_is_obliged_takes_part_and_cannot_leave() -> None:
    market = {"prices": "p.csv", "net_benefits": "n.csv", "currency": "EUR"}
    free = Config.model_validate({"market": market})
    assert agreements.terms(free).obliged == frozenset()
    assert agreements.bound(free)(BY_ID["economic"]) == ""
    obliged = Config.model_validate({"market": market | {"obliged": True}})
    assert agreements.terms(obliged).obliged == {"economic"}
    assert agreements.bound(obliged)(BY_ID["economic"]) == (
        "By the agreement on the wholesale market the home is obliged to follow it."
    )


@pytest.mark.requirement("L1-OWNER")
def test_what_is_not_set_up_is_said_to_be_missing() -> None:
    assert set(agreements.missing(Config())) == {
        "reserve",
        "frequency",
        "regulation",
        "economic",
        "microgrid",
    }
    market = {"prices": "p.csv", "net_benefits": "n.csv", "currency": "EUR"}
    assert "economic" not in agreements.missing(Config.model_validate({"market": market}))
