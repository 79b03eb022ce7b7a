"""Generated pages say what the code says, and the commands of all pages are ones that there are."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from der.drivers.mapped.files import names
from der.drivers.mqtt.profiles import NAMES
from der.drivers.sunspec.curves import MODELS
from der.drivers.sunspec.measures import INVERTER_MODELS, METER_MODELS
from der.drivers.sunspec.scan import BASES
from der.drivers.sunspec.storage import STORAGE_MODELS
from der.registry import DRIVERS
from hems import cli
from hems.headend.settings import HeadEndSettings
from hems.settings.config import Config, load
from tests.papers import commands_page, map_pages, settings_pages
from tests.papers.blocks import DOCS, Block, blocks, commands, pages
from tests.traceability import ROOT

GENERATED = {
    **settings_pages.pages(),
    commands_page.PAGE: commands_page.render(),
    **map_pages.pages(),
}


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.name)
def test_a_generated_page_is_up_to_date(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == GENERATED[page], "make pages"


@pytest.mark.parametrize("model", [Config, HeadEndSettings])
def test_each_setting_is_described(model: type[BaseModel]) -> None:
    assert settings_pages.undescribed(model) == []


def test_each_command_and_argument_is_described() -> None:
    assert commands_page.undescribed() == []


def test_every_setting_is_on_its_page() -> None:
    text = GENERATED[settings_pages.DOCS / "settings.md"]
    for key in ("[[utility.member]]", "`battery_reserve`", "[device.car]", "`ready_by`"):
        assert key in text
    assert '| `comms_loss` | time; at least 0 s | `"15 min"` |' in text
    assert "| `droop` | number; above 0, at most 1 | `0.05` |" in text


def test_a_setting_without_a_description_is_found() -> None:
    class Bare(BaseModel):
        """A table."""

        told: int = 1
        """It is told."""
        untold: int = 2

    assert settings_pages.undescribed(Bare) == ["Bare.untold has no string below it"]


@pytest.mark.parametrize("name", names())
def test_a_device_s_page_gives_a_section_that_works(name: str, tmp_path: Path) -> None:
    (section,) = blocks(map_pages.FOLDER / f"{name}.md", "toml")
    path = tmp_path / "hems.toml"
    path.write_text(section.text)
    assert load(path).device[0].map == name


def test_there_is_a_page_for_each_driver() -> None:
    listed = set(map_pages._PAGES)
    assert listed == set(DRIVERS)
    assert all((map_pages.FOLDER / page).exists() for page in map_pages._PAGES.values())


def test_the_pages_of_drivers_name_what_their_drivers_speak() -> None:
    text = (map_pages.FOLDER / "sunspec.md").read_text()
    for models in (METER_MODELS, INVERTER_MODELS, STORAGE_MODELS):
        assert f"| {', '.join(map(str, models))} |" in text
    assert all(str(model) in text for model in MODELS.values())
    assert all(str(base) in text for base in BASES)
    mqtt = (map_pages.FOLDER / "mqtt.md").read_text()
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ", mqtt, re.MULTILINE)
    assert set(NAMES) <= set(rows)


COMMANDS = {
    page: [words for block in blocks(page) if block.kind in {"", "sh"} for words in commands(block)]
    for page in pages()
}


@pytest.mark.parametrize("page", [p for p in COMMANDS if COMMANDS[p]], ids=lambda page: page.stem)
def test_the_commands_of_a_page_are_ones_that_there_are(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = cli._parser()
    wrong = []
    for words in COMMANDS[page]:
        try:
            parser.parse_args(words)
        except SystemExit:
            wrong.append(f"hems {' '.join(words)}: {capsys.readouterr().err}")
    assert not wrong


def test_a_command_that_is_none_is_found() -> None:
    block = Block(
        DOCS / "x.md", "", "hems devise scan\nhems device scan ...\nhems status   # how\n"
    )
    assert list(commands(block)) == [["devise", "scan"], ["status"]]


def test_each_make_target_that_is_named_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = re.findall(r"^([\w./ -]+):(?!=)", makefile, re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    for page in pages():
        for line in re.findall(r"`make ([^`]+)`", page.read_text(encoding="utf-8")):
            named = [word for word in line.split() if re.fullmatch(r"[\w./-]+", word)]
            assert set(named[: 1 + ("test-deep" in named)]) <= targets, f"{page.name}: make {line}"


def test_each_file_that_contributors_are_told_of_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w/])((?:tests|docs|hems|web|packaging)/[\w./-]+\w/?)", text)
    assert len(named) > 10
    assert [each for each in named if not (ROOT / each).exists()] == []
