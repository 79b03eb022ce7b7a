"""What was given up, as a sentence that names the device as its owner does."""

from zoneinfo import ZoneInfo

import pytest

from hems.cem.planner.plan import GivenUp
from hems.planning.shown import sentence

BERLIN = ZoneInfo("Europe/Berlin")
NOW = 1_792_400_400.0  # 11:00 in Berlin

pytestmark = pytest.mark.requirement("ROLE-CEM")


@pytest.mark.parametrize(
    ("device", "name", "words", "because", "expected"),
    [
        (
            "ev-1",
            "Anna's car",
            "78 % of what it needs",
            "import limit until 06:00",
            "Anna's car 78 % of what it needs at 13:00: import limit until 06:00.",
        ),
        ("tank", "tank", "up to 1.2 K too warm", "", "Tank up to 1.2 K too warm at 13:00."),
        (
            "",
            "",
            "1.0 kW above the import limit",
            "",
            "1.0 kW above the import limit at 13:00.",
        ),
    ],
)
def test_what_was_given_up_names_the_device_as_its_owner_does(
    device: str, name: str, words: str, because: str, expected: str
) -> None:
    given_up = GivenUp(device, words, NOW + 7200.0, because)
    assert sentence(given_up, name, BERLIN, NOW) == expected
