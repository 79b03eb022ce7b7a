"""Boards and alert rules are those of the metrics that there are."""

import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from hems.headend.monitor.catalogue import CATALOGUE as HEAD_END
from hems.metrics.metric import Kind, Metric
from hems.vitals.catalogue import CATALOGUE as HUB

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
MADE: Mapping[Path, str] = runpy.run_path(str(PACKAGING / "watching.py"))["made"]()
_WORD = re.compile(r"\b(?:hems|process)_\w+")


def samples(catalogue: tuple[Metric, ...]) -> set[str]:
    """Return the names under which Prometheus has the metrics."""
    names = {metric.shown for metric in catalogue if metric.kind is not Kind.HISTOGRAM}
    spread = {metric.name for metric in catalogue if metric.kind is Kind.HISTOGRAM}
    ends = ("_bucket", "_count", "_sum")
    of_process = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
    return names | {name + end for name in spread for end in ends} | of_process


def test_the_files_are_what_the_catalogues_make_of_them() -> None:
    assert len(MADE) == 4
    for path, text in MADE.items():
        assert path.read_text(encoding="utf-8") == text, "python packaging/watching.py"


@pytest.mark.parametrize(
    ("board", "catalogue"), [("hems-hub.json", HUB), ("hems-headend.json", HEAD_END)]
)
def test_a_board_shows_every_metric_and_no_other(board: str, catalogue: tuple[Metric, ...]) -> None:
    told = json.loads((PACKAGING / "grafana" / board).read_text(encoding="utf-8"))
    shown = {
        word
        for panel in told["panels"]
        for target in panel["targets"]
        for word in _WORD.findall(target["expr"])
    }
    assert shown <= samples(catalogue)
    assert {re.sub("_(bucket|count|sum)$", "", word) for word in shown} >= {
        each.shown for each in catalogue
    }
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in told["panels"]]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("rules", "catalogue"), [("hems-hub.rules.yml", HUB), ("hems-headend.rules.yml", HEAD_END)]
)
def test_alerts_ask_for_metrics_that_there_are(rules: str, catalogue: tuple[Metric, ...]) -> None:
    text = (PACKAGING / "prometheus" / rules).read_text(encoding="utf-8")
    asked = [json.loads(found) for found in re.findall(r"expr: (.*)", text)]
    assert len(asked) >= 5
    for each in asked:
        assert set(_WORD.findall(each)) <= samples(catalogue), each


def test_prometheus_reads_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("Prometheus is not installed (Debian: prometheus)")
    files = sorted((PACKAGING / "prometheus").glob("*.rules.yml"))
    done = subprocess.run(
        [promtool, "check", "rules", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
