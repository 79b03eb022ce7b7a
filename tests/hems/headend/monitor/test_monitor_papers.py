"""docs/monitoring.md says what the program does."""

import tomllib
from pathlib import Path

import pytest

from hems.headend.monitor.catalogue import CATALOGUE as HEAD_END
from hems.headend.monitor.counting import WINDOW
from hems.headend.monitor.settings import LogSettings, MonitorSettings
from hems.headend.monitor.signals import MEANINGS, QUARANTINABLE, Rule
from hems.metrics.metric import Kind, Metric
from hems.vitals.catalogue import CATALOGUE as HUB

TEXT = (Path(__file__).parents[4] / "docs" / "monitoring.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.requirement("L3-MONITOR")


def rows(first: str, after: str = "") -> list[list[str]]:
    """Return the cells of the first table that begins with a heading, after a line if any."""
    lines = TEXT.splitlines()
    lines = lines[lines.index(after) :] if after else lines
    begin = next(n for n, line in enumerate(lines) if line.startswith(first)) + 2
    found = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


@pytest.mark.parametrize(
    ("title", "catalogue"),
    [("# Monitoring the head-end", HEAD_END), ("# Monitoring a hub", HUB)],
)
def test_the_metrics(title: str, catalogue: tuple[Metric, ...]) -> None:
    wanted = [
        [f"`{m.shown}`", m.kind.value, ", ".join(f"`{label}`" for label in m.labels), m.text]
        for m in catalogue
    ]
    assert rows("| metric |", after=title) == wanted
    assert all(bool(each.bounds) is (each.kind is Kind.HISTOGRAM) for each in catalogue)


def test_the_signals() -> None:
    said = [row[:4] for row in rows("| signal |")]
    assert said == [
        [
            f"`{rule.value}`",
            MEANINGS[rule].severity.value,
            MEANINGS[rule].about.value,
            MEANINGS[rule].text.format(who="X", count="N"),
        ]
        for rule in Rule
    ]


def test_the_settings_are_the_defaults() -> None:
    blocks = TEXT.split("```toml\n")[1:]
    tables = [tomllib.loads(block.split("```")[0]) for block in blocks]
    said = {name: table for each in tables for name, table in each.items()}
    assert MonitorSettings.model_validate(said["monitor"]) == MonitorSettings()
    assert set(said["monitor"]) == set(MonitorSettings.model_fields)
    assert LogSettings.model_validate(said["log"]).format == "json"
    names = TEXT.split("quarantine = []   # of ")[1].split("\n")[0]
    assert names.split(", ") == sorted(QUARANTINABLE)
    assert f"for {WINDOW + 1} minutes" in TEXT
