"""Set-points beyond what is installed are refused; limits and per cents never are."""

import pytest

from hems.emg.nameplate import beyond
from hems.emg.ratings import Ratings

HOUSE = Ratings(generation_w=13_000.0, charge_w=5_000.0, discharge_w=5_000.0)


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize(
    ("mode", "value", "words"),
    [
        ("opModTargetW", 13_000.0, ""),
        ("opModTargetW", 13_100.0, ""),
        ("opModTargetW", 20_000.0, "opModTargetW asks to give 20 kW, and the most here is 13 kW"),
        ("opModTargetW", -5_000.0, ""),
        ("opModTargetW", -8_000.0, "opModTargetW asks to take 8 kW, and the most here is 5 kW"),
        (
            "opModStorageTargetW",
            8_000.0,
            "opModStorageTargetW asks to give 8 kW, and the most here is 5 kW",
        ),
        ("opModStorageTargetW", 0.0, ""),
        ("opModImpLimW", 1e6, ""),
        ("opModFixedW", 100.0, ""),
        ("opModConnect", 0.0, ""),
        ("opModVoltVar", "/dc/1", ""),
    ],
)
def test_beyond(mode: str, value: float | str, words: str) -> None:
    assert beyond(mode, value, HOUSE) == words


def test_where_nothing_is_installed_nothing_is_too_little() -> None:
    assert beyond("opModTargetW", 0.0, Ratings(0.0)) == ""
    assert "the most here is 0 W" in beyond("opModTargetW", 500.0, Ratings(0.0))
