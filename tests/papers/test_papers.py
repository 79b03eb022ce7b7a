"""The life-cycle papers say what is so: risks, flows of data, and what they point at."""

import re
from pathlib import Path

import pytest

from hems.security.surface import Flow
from tests.fuzz.parsers.table import TARGETS
from tests.papers.risks import PAGE, SOURCE, Size, Threat, missing, read, render
from tests.traceability import ROOT

FOLDER = ROOT / "docs" / "security"
PAPERS = {
    "threat-model.md": "LC-RISK",
    "patch-policy.md": "LC-PATCH",
    "support.md": "LC-SUPPORT",
    "change.md": "LC-CHANGE",
    "commissioning.md": "LC-COMMISSION",
    "decommissioning.md": "LC-DECOMMISSION",
    "privacy.md": "PRV-RBAC",
    "testing.md": "LC-TEST",
}
NAMED = re.compile(r"`((?:hems|certs|der|web|programs|tests|packaging|docs)/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
ROW = re.compile(r"^\| `([a-z-]+)` \|", re.MULTILINE)


@pytest.mark.requirement("LC-RISK")
def test_there_are_risks_of_every_class_and_area() -> None:
    risks = read()
    assert len(risks) >= 40
    assert {risk.threat for risk in risks} == set(Threat)
    assert len({risk.area for risk in risks}) >= 12
    assert {risk.harm for risk in risks} == {risk.likelihood for risk in risks} == set(Size)


@pytest.mark.requirement("LC-RISK")
def test_each_countermeasure_and_each_test_is_there() -> None:
    assert list(missing(read())) == []


@pytest.mark.requirement("LC-RISK")
def test_the_page_of_risks_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(read()), "make risks"


def test_what_is_wrong_with_a_risk_is_found(tmp_path: Path) -> None:
    file = tmp_path / "risks.toml"
    text = SOURCE.read_text(encoding="utf-8")
    first = text.partition("[[risk]]")[2].partition("[[risk]]")[0]
    file.write_text(f"[[risk]]{first}[[risk]]{first}")
    with pytest.raises(ValueError, match="there are two of them"):
        read(file)
    file.write_text(f"[[risk]]{first}".replace("spoofing", "boredom"))
    with pytest.raises(ValueError, match="threat"):
        read(file)
    file.write_text(f"[[risk]]{first}")
    gone = list(missing(read(file), tmp_path))
    assert len(gone) == len(read(file)[0].by) + len(read(file)[0].tests)


@pytest.mark.requirement("PRV-TRANSIT")
def test_the_privacy_paper_names_every_flow() -> None:
    rows = ROW.findall((FOLDER / "privacy.md").read_text(encoding="utf-8"))
    assert sorted(rows) == sorted(flow.value for flow in Flow), "one row for each Flow"


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.requirement(shown)) for name, shown in PAPERS.items()],
)
def test_a_paper_points_at_what_is_there(name: str) -> None:
    path = FOLDER / name
    text = path.read_text(encoding="utf-8")
    gone = [each for each in NAMED.findall(text) if not (ROOT / each).exists()]
    gone += [each for each in LINK.findall(text) if not (path.parent / each).exists()]
    assert not gone


@pytest.mark.requirement("LC-TEST")
def test_each_target_of_fuzzing_is_named() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", (FOLDER / "testing.md").read_text(), re.MULTILINE)
    own = [path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.py")]
    assert sorted(rows) == sorted([*own, *TARGETS])


@pytest.mark.requirement("LC-SUPPORT")
def test_the_way_to_report_a_weakness_is_at_the_root() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "docs/security/support.md" in text
    assert all((ROOT / each).exists() for each in LINK.findall(text))
