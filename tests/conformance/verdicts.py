"""Pytest plugin: what came of each scenario, and the evidence for it.

Made by `python -m tests.conformance`; in an ordinary test run the scenarios are tests like others
and nothing is written.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from tests.conformance import scenario
from tests.conformance.pairs import Pair
from tests.conformance.scenario import GROUPS, Profile, Scenario
from tests.interop.lone import Lone

NAME: Final = "conformance"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a scenario: "pass", "fail" or "open", and why if not pass.

    Attributes:
        client: What the client was seen to do, each once.
        server: What the utility was seen to have recorded, each once.
    """

    scenario: Scenario
    verdict: str
    reason: str
    test: str
    seconds: float
    client: tuple[str, ...] = ()
    server: tuple[str, ...] = ()


class Collector:
    """Collects verdicts of a run.

    Args:
        folder: Where verdicts and evidence go.
        profile: Only scenarios of this profile are run.
        pair: Whose client is run against whose server.
    """

    def __init__(self, folder: Path, profile: Profile, pair: Pair) -> None:
        self.folder = folder
        self.profile = profile
        self.pair = pair
        self._seen: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self.verdicts: dict[str, Verdict] = {}
        self._scenarios: dict[str, Scenario] = {}

    def evidence(self, item: pytest.Item) -> Path | None:
        """Return where a test's evidence goes."""
        found = scenario.of(item)
        return None if found is None else self.folder / "evidence" / found.id

    def saw(self, item: pytest.Item, lone: Lone) -> None:
        """Take in what client and server were seen to do in a scenario."""
        served = [each for grid in lone.grids for each in grid.shown]
        self._seen[item.nodeid] = tuple(dict.fromkeys(lone.shown)), tuple(dict.fromkeys(served))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep the scenarios of the profile."""
        kept: list[pytest.Item] = []
        left: list[pytest.Item] = []
        for item in items:
            found = scenario.of(item)
            wanted = found is not None and self.profile in found.profiles
            (kept if wanted else left).append(item)
            if differs := self.pair.differs(item):
                item.add_marker(pytest.mark.xfail(reason=f"differs: {differs}", strict=True))
            if found is not None and wanted:
                self._scenarios[item.nodeid] = found
        config.hook.pytest_deselected(items=left)
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome of a test in; what ends it in set-up or tear-down counts as well."""
        found = self._scenarios.get(report.nodeid)
        told = report.when == "call" or report.failed or report.skipped
        if found is None or not told:
            return
        verdict, reason = _judged(report)
        before = self.verdicts.get(found.id)
        if before is not None and before.verdict == "fail":
            return
        self.verdicts[found.id] = Verdict(found, verdict, reason, report.nodeid, report.duration)

    def _with_evidence(self, verdict: Verdict) -> Verdict:
        client, server = self._seen.get(verdict.test, ((), ()))
        return replace(verdict, client=client, server=server)

    @property
    def listed(self) -> list[Verdict]:
        """All verdicts in the order of groups and ids."""
        groups = list(GROUPS)
        return sorted(
            map(self._with_evidence, self.verdicts.values()),
            key=lambda v: (groups.index(v.scenario.group), v.scenario.id),
        )

    def pytest_sessionfinish(self) -> None:
        """Write the verdicts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = [asdict(verdict) for verdict in self.listed]
        document = {"profile": self.profile.value, "verdicts": rows}
        path = self.folder / "verdicts.json"
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        for verdict in self.listed:
            place = self.folder / "evidence" / verdict.scenario.id
            place.mkdir(parents=True, exist_ok=True)
            text = json.dumps(asdict(verdict), indent=1)
            (place / "verdict.json").write_text(text + "\n", encoding="utf-8")


def _judged(report: pytest.TestReport) -> tuple[str, str]:
    """Return a verdict and its reason."""
    expected = getattr(report, "wasxfail", None)
    if expected is not None and not report.failed:
        return "open", str(expected).removeprefix("reason: ")
    if report.passed:
        return "pass", ""
    if report.skipped:
        return "open", _skipped(report)
    return "fail", _last_line(report)


def _skipped(report: pytest.TestReport) -> str:
    """Return why a test was not run."""
    told = report.longrepr
    text = str(told[2]) if isinstance(told, tuple) else _last_line(report)
    return text.removeprefix("Skipped: ")


def _last_line(report: pytest.TestReport) -> str:
    """Return the error in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(report.longrepr) if crash is None else str(crash.message)
    return text.strip().splitlines()[0][:300] if text.strip() else "no message"
