"""Runs the conformance scenarios of a profile: verdicts, PICS and evidence pack.

    python -m tests.conformance [--profile csip-aus] [--out test-results/conformance] [--quick]
        [--server headend] [--client py20305]

Exit status 1 if a scenario fails; those that are open do not count as failed.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from certs.pki import init_pki
from tests.conformance import interop_page, page, pics
from tests.conformance.pairs import CLIENTS, SERVERS, Pair
from tests.conformance.scenario import Profile
from tests.conformance.verdicts import NAME, Collector

HERE = Path(__file__).resolve().parent
COMMITTED = "docs"
"""Stands for the page in docs/."""


def main(arguments: list[str]) -> int:
    """Run the scenarios and write what came of them; returns the exit status."""
    options = _options(arguments)
    profile, folder = Profile(options.profile), Path(options.out)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        made = pics.statement(profile, init_pki(Path(scratch) / "pki"))
    (folder / f"pics-{profile.value}.md").write_text(pics.render(made), encoding="utf-8")
    (folder / f"pics-{profile.value}.json").write_text(pics.as_json(made), encoding="utf-8")

    pair = Pair(options.client, options.server)
    collector = Collector(folder, profile, pair)
    chosen = ["-m", "not deep"] if options.quick else ["-m", "deep or not deep"]
    named = ["-k", options.only] if options.only else []
    shown = ["-q", "--no-header", "-p", "no:cacheprovider", "--tb=short"]
    pytest.main([str(HERE), *shown, *chosen, *named], plugins=[_Named(collector)])

    for verdict in collector.listed:
        reason = f"  ({verdict.reason})" if verdict.reason else ""
        found = verdict.scenario
        print(f"{verdict.verdict:5} {found.id:12} {found.title}{reason}")
    if options.page:
        _write_page(options.page, pair, profile, collector)
    print(f"verdicts, PICS and evidence: {folder}")
    failed = any(verdict.verdict == "fail" for verdict in collector.listed)
    return 1 if failed or not collector.listed else 0


def _write_page(path: str, pair: Pair, profile: Profile, collector: Collector) -> None:
    if pair.usual:
        where = page.PAGE if path == COMMITTED else Path(path)
        where.write_text(page.render(profile, collector.listed), encoding="utf-8")
    else:
        where = interop_page.PAGE if path == COMMITTED else Path(path)
        interop_page.write(pair, profile, collector.listed, where)


class _Named:
    """Registers the collector under the name that fixtures look for."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register it."""
        config.pluginmanager.register(self._collector, NAME)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("--profile", choices=[p.value for p in Profile], default="csip-aus")
    parser.add_argument("--out", default="test-results/conformance")
    parser.add_argument("--quick", action="store_true", help="without the long ones")
    parser.add_argument("--client", choices=CLIENTS, default=CLIENTS[0], help="whose client")
    parser.add_argument("--server", choices=SERVERS, default=SERVERS[0], help="whose server")
    parser.add_argument("--only", default="", help="a pytest -k expression")
    parser.add_argument("--page", nargs="?", const=COMMITTED, help="write the page as well")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
