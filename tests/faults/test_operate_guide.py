"""The guide's configuration is one that works, and leaves no key out."""

import re
from pathlib import Path

import pytest

from hems.settings.config import load
from hems.settings.device_section import DeviceSection
from hems.settings.needs_section import CarSection, HeatSection, RunSection, StorageSection

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
    sections = [settings, settings.home, utility, settings.web, settings.store, settings.time]
    sections += [settings.tariff, settings.tariff.import_, settings.tariff.export]
    sections += settings.tariff.import_.window
    for section in (*sections, settings.ocpp, settings.mqtt, *utility.program, *utility.member):
        missing = set(type(section).model_fields) - section.model_fields_set
        assert not missing, f"the guide leaves {missing} of {type(section).__name__} out"
    named = frozenset[str]().union(*(device.model_fields_set for device in settings.device))
    assert set(DeviceSection.model_fields) == named
    for table in (CarSection, RunSection, HeatSection, StorageSection):
        found = [t for d in settings.device for _, t in d if isinstance(t, table)]
        said = frozenset[str]().union(*(t.model_fields_set for t in found))
        assert set(table.model_fields) == said, f"the guide leaves keys of {table.__name__} out"
