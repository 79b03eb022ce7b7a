"""The guide's configuration is one that works, and leaves no key out."""

import re
from pathlib import Path

import pytest

from hems.settings.config import load
from hems.settings.device_section import DeviceSection

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operate.md"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return the guide's configuration as a file."""
    found = re.search(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    path = tmp_path / "hems.toml"
    path.write_text(found[1], encoding="utf-8")
    return path


def test_the_guide_s_configuration_works_and_names_every_key(example: Path) -> None:
    settings = load(example)
    (utility,) = settings.utility
    sections = [settings, settings.home, utility, settings.web, settings.store]
    for section in (*sections, settings.ocpp, settings.mqtt, *utility.program, *utility.member):
        missing = set(type(section).model_fields) - section.model_fields_set
        assert not missing, f"the guide leaves {missing} of {type(section).__name__} out"
    named = frozenset[str]().union(*(device.model_fields_set for device in settings.device))
    assert set(DeviceSection.model_fields) == named
