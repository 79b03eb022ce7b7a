"""docs/monitoring.md says what the program does."""

import tomllib
from pathlib import Path

import pytest

from hems.headend.monitor.catalogue import CATALOGUE
from hems.headend.monitor.counting import WINDOW
from hems.headend.monitor.settings import LogSettings, MonitorSettings
from hems.headend.monitor.signals import MEANINGS, QUARANTINABLE, Rule
from hems.metrics.metric import Kind

TEXT = (Path(__file__).parents[4] / "docs" / "monitoring.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.requirement("L3-MONITOR")


def rows(first: str) -> list[list[str]]:
    """Return the cells of the table that begins with a heading."""
    lines = TEXT.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(first)) + 2
    found = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def test_the_metrics() -> None:
    wanted = [
        [f"`{m.shown}`", m.kind.value, ", ".join(f"`{label}`" for label in m.labels), m.text]
        for m in CATALOGUE
    ]
    assert rows("| metric |") == wanted
    assert all(bool(each.bounds) is (each.kind is Kind.HISTOGRAM) for each in CATALOGUE)


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


def test_alerts_ask_for_metrics_that_there_are() -> None:
    rules = [line for line in TEXT.splitlines() if line.strip().startswith("expr: ")]
    assert len(rules) >= 5
    known = {f"{m.shown}{end}" for m in CATALOGUE for end in ("", "_bucket", "_count", "_sum")}
    for rule in rules:
        asked = {word for word in _words(rule) if word.startswith("hems_")}
        assert asked <= known, rule


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
