"""Pytest plugin: which requirement is shown by which passing test, written as a page.

`pytest --traceability FILE` writes the page when the run ends; `make traceability` calls it. A
requirement with no passing test is open, and the page says so.
"""

import ast
import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "docs" / "requirements.csv"
FIGURES = ROOT / "docs" / "figures"
LISTED = re.compile(r"`(tests/[\w/.-]+\.py(?:::\w+)+)`")
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
OURS = ("hems", "der", "programs", "web", "certs")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--traceability", metavar="FILE", help="write the traceability page there")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Traceability(config), "traceability-page")


def known_requirements() -> dict[str, str]:
    """Return id -> requirement, in the order of the list."""
    with REQUIREMENTS.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["requirement"] for row in csv.DictReader(file)}


class Traceability:
    """Collects marks and outcomes during a run."""

    def __init__(self, config: pytest.Config) -> None:
        self.known = known_requirements()
        self.page: str | None = config.getoption("--traceability")
        self.marks: dict[str, set[str]] = {}
        self.passed: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            ids = {str(name) for mark in item.iter_markers("requirement") for name in mark.args}
            unknown = ids - self.known.keys()
            if unknown:
                raise pytest.UsageError(f"{item.nodeid}: unknown requirement {sorted(unknown)}")
            self.marks[item.nodeid] = ids

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            for name in self.marks.get(report.nodeid, ()):
                self.passed[name].add(report.nodeid.partition("[")[0])

    def pytest_sessionfinish(self) -> None:
        if self.page:
            text = render(self.known, self.passed)
            Path(self.page).write_text(text, encoding="utf-8")


def render(known: dict[str, str], passed: dict[str, set[str]]) -> str:
    """Return the page as Markdown."""
    figures = recorded_figures()
    shown = sum(name in passed for name in known)
    lines = [
        "# Traceability",
        "",
        "Written by `make traceability` from the marks of the tests that passed; do not edit.",
        "Requirements: `requirements.csv`. A figure names the benchmark that prints it.",
        "",
        f"{shown} of {len(known)} requirements have passing tests; the others are open.",
        "An id with passing tests is shown in the part that these tests cover, not proved whole.",
        "",
        "| id | requirement | code | tests | figure |",
        "|---|---|---|---|---|",
    ]
    for name, text in known.items():
        tests = sorted(passed.get(name, ()))
        code = ", ".join(f"`{module}`" for module in modules_of(tests)) if tests else ""
        listed = "<br>".join(f"`{test}`" for test in tests) if tests else "**open**"
        lines.append(f"| {name} | {text} | {code} | {listed} | {figures.get(name, '')} |")
    return "\n".join(lines) + "\n"


def recorded_figures(folder: Path = FIGURES) -> dict[str, str]:
    """Return requirement id -> figures, from what `make bench ... ARGS=--record` kept.

    A benchmark that measures each requirement by itself (`programs`) has a row under its id; of
    the others the headline stands for all.
    """
    by_id: dict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.glob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        figures = record["figures"]
        for name in record["requirements"]:
            own = figures.get(name)
            row = own if isinstance(own, dict) else {k: figures[k] for k in record["headline"]}
            text = ", ".join(f"{key} {value}" for key, value in row.items() if tells(value))
            by_id[name].append(f"`{file.stem}`: {text}")
    return {name: "<br>".join(texts) for name, texts in by_id.items()}


def tells(value: object) -> bool:
    """Return whether a figure says something in a line: one that is known, and no table."""
    return value is not None and value not in ("", []) and not isinstance(value, dict | list)


def listed_tests(page: str) -> list[str]:
    """Return the tests that a traceability page names, as node ids without parameters."""
    return sorted(set(LISTED.findall(page)))


@cache
def parsed(file: Path) -> ast.Module:
    """Return a file of tests, parsed; each is asked for as often as it has tests that are named."""
    return ast.parse(file.read_text(encoding="utf-8"))


def exists(test: str, root: Path = ROOT) -> bool:
    """Return whether a test is still there, by its file's text alone."""
    path, *names = test.split("::")
    file = root / path
    if not file.is_file():
        return False
    body: list[ast.stmt] = parsed(file).body
    for name in names:
        found = [node for node in body if isinstance(node, NAMED) and node.name == name]
        if not found:
            return False
        body = found[-1].body
    return True


def modules_of(tests: Iterable[str]) -> list[str]:
    """Return the modules of ours that the files of these tests import."""
    found: set[str] = set()
    for path in {test.partition("::")[0] for test in tests}:
        tree = parsed(ROOT / path)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            found.update(n for n in names if n.partition(".")[0] in OURS)
    return sorted(found)
