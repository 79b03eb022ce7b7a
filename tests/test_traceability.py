"""The traceability page: every test that it names is there, and what it says of figures."""

import json
from pathlib import Path

import pytest

from tests.traceability import (
    ROOT,
    exists,
    known_requirements,
    listed_tests,
    recorded_figures,
    render,
)

PAGE = ROOT / "docs" / "traceability.md"


@pytest.mark.requirement("LC-AUDIT")
def test_no_test_that_shows_a_requirement_has_vanished() -> None:
    listed = listed_tests(PAGE.read_text(encoding="utf-8"))
    assert listed, "docs/traceability.md names no test at all"
    gone = [test for test in listed if not exists(test)]
    assert not gone, "docs/traceability.md names tests that are gone; run `make traceability`"


def test_the_page_has_a_row_for_each_requirement() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    assert [row.split("|")[1].strip() for row in rows[1:]] == list(known_requirements())


@pytest.mark.parametrize(
    ("test", "there"),
    [
        ("tests/test_a.py::test_one", True),
        ("tests/test_a.py::test_later", True),
        ("tests/test_a.py::TestAll::test_in", True),
        ("tests/test_a.py::test_in", False),
        ("tests/test_a.py::TestAll::test_one", False),
        ("tests/test_a.py::test_two", False),
        ("tests/test_b.py::test_one", False),
    ],
)
def test_whether_a_test_is_there(tmp_path: Path, test: str, *, there: bool) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text(
        "import nothing_that_is_installed\n"
        "def test_one(): ...\n"
        "async def test_later(): ...\n"
        "class TestAll:\n    def test_in(self): ...\n"
    )
    assert exists(test, tmp_path) is there


def test_tests_are_found_in_the_page() -> None:
    page = "| A | b | `hems.x` | `tests/a/test_b.py::test_c`<br>`tests/d.py::T::test_e` | `f`: 1 |"
    assert listed_tests(page) == ["tests/a/test_b.py::test_c", "tests/d.py::T::test_e"]


def test_a_requirement_without_a_passing_test_is_open() -> None:
    page = render({"BUC-1": "peak shaving", "BUC-2": "slope"}, {"BUC-1": set()})
    rows = {line.split(" | ")[0]: line for line in page.splitlines() if line.startswith("| BUC")}
    assert "**open**" in rows["| BUC-2"]
    assert "1 of 2 requirements" in page


def test_each_requirement_has_its_own_figures_where_they_were_measured_apart(
    tmp_path: Path,
) -> None:
    apart = {
        "requirements": ["BUC-1", "BUC-5"],
        "headline": [],
        "figures": {
            "BUC-1": {"first_write_ms": 14.2, "settle_s": None, "trigger": "event", "more": {}},
            "BUC-5": {"inside_share": 1.0, "misses": []},
            "missed": [],
        },
    }
    together = {"requirements": ["BUC-1"], "headline": ["p99_ms"], "figures": {"p99_ms": 26}}
    (tmp_path / "programs.json").write_text(json.dumps(apart))
    (tmp_path / "reaction.json").write_text(json.dumps(together))
    assert recorded_figures(tmp_path) == {
        "BUC-1": "`programs`: first_write_ms 14.2, trigger event<br>`reaction`: p99_ms 26",
        "BUC-5": "`programs`: inside_share 1.0",
    }
