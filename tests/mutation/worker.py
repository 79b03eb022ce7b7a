"""Tries one mutant after the other: the module is changed on disk, the tests run in a child.

The child is forked from a process that has loaded pytest and hypothesis and nothing of the code
under test, which it then imports changed. A process started anew for each mutant would spend most
of its time on loading the tools.
"""

import argparse
import os
import shlex
import sys
import time
import tomllib
from pathlib import Path
from typing import Final

import hypothesis  # loaded for the children
import pytest
from cosmic_ray.mutating import use_mutation  # type: ignore[import-untyped]
from cosmic_ray.plugins import get_operator  # type: ignore[import-untyped]
from cosmic_ray.work_db import WorkDB, use_db  # type: ignore[import-untyped]
from cosmic_ray.work_item import (  # type: ignore[import-untyped]
    MutationSpec,
    TestOutcome,
    WorkerOutcome,
    WorkResult,
)

LOOK_S: Final = 0.02
"""How often a child is asked whether it is done."""


def main() -> int:
    """Try the mutants of the session in the current directory that were not tried yet."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("config", type=Path)
    made.add_argument("session", type=Path)
    options = made.parse_args()
    settings = tomllib.loads(options.config.read_text())["cosmic-ray"]
    arguments = shlex.split(settings["test-command"])[3:]
    sys.path.insert(0, str(Path.cwd()))
    sys.stderr.write(f"pytest {pytest.__version__}, hypothesis {hypothesis.__version__}\n")
    with use_db(str(options.session), mode=WorkDB.Mode.open) as session:
        for item in list(session.pending_work_items):
            (mutation,) = item.mutations
            session.set_result(item.job_id, tried(mutation, arguments, settings["timeout"]))
    return 0


def tried(mutation: MutationSpec, arguments: list[str], timeout_s: float) -> WorkResult:
    """Return what came of one mutant; its module is as before afterwards."""
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    with use_mutation(mutation.module_path, operator, mutation.occurrence) as (before, after):
        if after is None:
            return WorkResult(worker_outcome=WorkerOutcome.NO_TEST)
        passed = _passes(arguments, timeout_s)
    return WorkResult(
        worker_outcome=WorkerOutcome.NORMAL,
        test_outcome=TestOutcome.SURVIVED if passed else TestOutcome.KILLED,
        diff=_difference(before, after),
    )


def _passes(arguments: list[str], timeout_s: float) -> bool:
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        code = 1
        try:
            code = int(pytest.main(arguments))
        finally:
            os._exit(code)
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(LOOK_S)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def _difference(before: str, after: str) -> str:
    """Return the lines that were changed, as `-` and `+` lines."""
    old, new = before.splitlines(), after.splitlines()
    head = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    tail = next(
        (i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b), 0
    )
    gone = [f"-{line}" for line in old[head : len(old) - tail]]
    come = [f"+{line}" for line in new[head : len(new) - tail]]
    return "\n".join(gone + come)


if __name__ == "__main__":
    sys.exit(main())
