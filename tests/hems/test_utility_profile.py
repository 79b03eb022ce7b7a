"""The configured edition and answers, as the event rules get them."""

from pathlib import Path

import pytest

from hems import wiring
from hems.sep2.rules.dialect import BASIC_CODES, Dialect
from hems.settings.utility_section import UtilitySection

UTILITY = UtilitySection(
    certificate=Path("hub.pem"),
    key=Path("hub.key"),
    trust=Path("trust.pem"),
    crls=Path("crls.pem"),
    pin="111115",
)


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize("dialect", list(Dialect))
def test_events_are_run_and_answered_by_the_configured_profile(dialect: Dialect) -> None:
    section = UTILITY.model_copy(update={"edition": dialect.value})
    profile = wiring.client_settings(section, "A" * 40).profile
    assert (profile.edition, profile.codes) == (dialect.edition, dialect.profile().codes)
    assert profile.keeps_schedule is (dialect is Dialect.CSIP_AUS)
    basic = section.model_copy(update={"responses": "basic"})
    assert wiring.client_settings(basic, "A" * 40).profile.codes == BASIC_CODES
