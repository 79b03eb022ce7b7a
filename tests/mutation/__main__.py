"""Whether the tests of the event rules notice when the rules are changed.

Each mutant is one small change of the code (a comparison turned round, a number moved by one); a
mutant that no test notices has survived. It runs on a copy of the few modules and tests that are
needed, in a temporary directory, never in the checkout. The last line of output is JSON.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cosmic_ray.work_db import WorkDB, use_db  # type: ignore[import-untyped]
from cosmic_ray.work_item import TestOutcome, WorkResult  # type: ignore[import-untyped]

from tests.benchmarks.common import parser, report

ROOT: Final = Path(__file__).resolve().parents[2]
CONFIG: Final = Path(__file__).with_name("cosmic-ray.toml")
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
WORKER: Final = Path(__file__).with_name("worker.py")
SESSION: Final = "session.sqlite"
PACKAGE: Final = "hems/sep2"
TESTS: Final = (
    *("examples", "living", "oracle", "stories"),
    *("test_events", "test_event_answers", "test_event_changes", "test_event_merge"),
    *("test_event_records", "test_event_sanity", "test_event_stories", "test_event_successive"),
)
EXAMPLES: Final = "60"
"""Of each property; what they miss of the rules, the tables must not."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change and what came of it.

    Attributes:
        module: File that was changed.
        line: Number of the line.
        before: The line.
        after: What became of it; empty if it was taken out.
        outcome: "killed", "survived" or "incompetent", which is killed before a test ran.
    """

    module: str
    line: int
    before: str
    after: str
    outcome: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Try all mutants; returns 1 if too few are killed, for the shell."""
    options = _options(arguments)
    modules = tomllib.loads(CONFIG.read_text())["cosmic-ray"]["module-path"]
    chosen = [m for m in modules if not options.module or Path(m).stem in options.module]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        copies = [Path(place, str(i)) for i in range(options.workers)]
        for index, copy in enumerate(copies):
            prepare(copy, chosen)
            share(copy, index, len(copies))
        run(copies, until=began + 60.0 * options.minutes)
        mutants = [mutant for copy in copies for mutant in results(copy)]
    known = equivalents()
    alive = [m for m in mutants if m.outcome == "survived"]
    same = [m for m in alive if (m.module, m.before, m.after) in known]
    for mutant in alive:
        mark = " (equivalent)" if mutant in same else ""
        print(f"{mutant.module}:{mutant.line}{mark}\n  - {mutant.before}\n  + {mutant.after}")
    score = round(1.0 - len(alive) / len(mutants), 4) if mutants else 0.0
    by_module = {
        module: {
            "mutants": sum(m.module == module for m in mutants),
            "survived": sum(m.module == module for m in alive),
        }
        for module in sorted({m.module for m in mutants})
    }
    report(
        "mutation",
        {
            "mutants": len(mutants),
            "killed": len(mutants) - len(alive),
            "survived": len(alive),
            "equivalent": len(same),
            "score": score,
            "minutes": round((time.monotonic() - began) / 60.0, 1),
            "by_module": by_module,
            "survivors": [f"{m.module}:{m.line} {m.after or 'without ' + m.before}" for m in alive],
        },
        requirements=["PRO-2030.5"],
        headline=["mutants", "killed", "score"],
        record=options.record,
    )
    return 0 if score >= options.least else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--workers", type=int, default=2)
    made.add_argument("--minutes", type=float, default=60.0, help="stop after so long")
    made.add_argument("--least", type=float, default=0.9, help="score that is asked for, 0 to 1")
    made.add_argument("--module", action="append", help="only this one, such as events")
    return made.parse_args(arguments)


def prepare(copy: Path, modules: Sequence[str]) -> None:
    """Copy what is needed to a directory and list the mutants there."""
    shutil.copytree(ROOT / PACKAGE, copy / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("hems/__init__.py", *(f"tests/{PACKAGE}/{test}.py" for test in TESTS)):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    (copy / "pytest.ini").write_text("[pytest]\nmarkers = \n requirement\n deep\n")
    text = CONFIG.read_text()
    head, tail = text.index("module-path"), text.index("excluded-modules")
    (copy / CONFIG.name).write_text(f"{text[:head]}module-path = {list(modules)}\n{text[tail:]}")
    tool = [sys.executable, "-m", "cosmic_ray.cli", "init"]
    subprocess.run([*tool, CONFIG.name, SESSION], cwd=copy, env=_environment(), check=True)


def share(copy: Path, index: int, workers: int) -> None:
    """Leave to one worker its share of the mutants."""
    with use_db(str(copy / SESSION), mode=WorkDB.Mode.open) as session:
        mine = [item for i, item in enumerate(session.work_items) if i % workers == index]
        session.clear()
        session.add_work_items(mine)


def run(copies: Sequence[Path], until: float) -> None:
    """Try all mutants, one worker a copy, until all are tried or time is up."""
    for copy in copies:
        warm(copy)
    workers = [
        subprocess.Popen(
            [sys.executable, str(WORKER), CONFIG.name, SESSION], cwd=copy, env=_environment()
        )
        for copy in copies
    ]
    for worker in workers:
        try:
            worker.wait(max(1.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.terminate()
            worker.wait()


def warm(copy: Path) -> None:
    """See that the tests pass without a mutant, and keep the byte code of what never changes.

    None is kept of what is mutated: a module that is changed and restored within one second would
    else be taken from its cache.
    """
    writing = {k: v for k, v in _environment().items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(_command(copy), cwd=copy, env=writing, check=True)
    for module in tomllib.loads(CONFIG.read_text())["cosmic-ray"]["module-path"]:
        source = copy / module
        for cached in (source.parent / "__pycache__").glob(f"{source.stem}.*"):
            cached.unlink()


def _command(copy: Path) -> list[str]:
    command = tomllib.loads((copy / CONFIG.name).read_text())["cosmic-ray"]["test-command"]
    return [sys.executable, *shlex.split(command)[1:]]


def _environment() -> dict[str, str]:
    """Return the environment of all that runs: none of pytest's plugins, few examples."""
    return os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "EVENT_EXAMPLES": EXAMPLES,
    }


def results(copy: Path) -> Iterator[Mutant]:
    """Return what came of the mutants that were tried."""
    with use_db(str(copy / SESSION), mode=WorkDB.Mode.open) as session:
        found = dict(session.results)
        for item in session.work_items:
            result = found.get(item.job_id)
            if result is None or result.test_outcome is None:
                continue
            (mutation,) = item.mutations
            before, after = _changed(result)
            yield Mutant(
                str(mutation.module_path),
                mutation.start_pos[0],
                before,
                after,
                TestOutcome(result.test_outcome).value,
            )


def _changed(result: WorkResult) -> tuple[str, str]:
    lines = (result.diff or "").splitlines()
    taken = [line[1:].strip() for line in lines if line.startswith("-") and line[:3] != "---"]
    put = [line[1:].strip() for line in lines if line.startswith("+") and line[:3] != "+++"]
    return " ".join(taken), " ".join(put)


def equivalents() -> set[tuple[str, str, str]]:
    """Return the mutants that are known to do the same: module, line before, line after."""
    listed = tomllib.loads(EQUIVALENT.read_text()).get("mutant", [])
    counted = Counter((m["module"], m["before"], m["after"]) for m in listed)
    twice = [json.dumps(key) for key, number in counted.items() if number > 1]
    if twice:
        raise ValueError(f"{EQUIVALENT.name} lists twice: {', '.join(twice)}")
    return set(counted)


if __name__ == "__main__":
    sys.exit(main())
