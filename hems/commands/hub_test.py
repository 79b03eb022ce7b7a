"""`hems headend hub-test|commission`: a hub's witnessed test, opened and entered."""

import argparse
import hashlib
import time
from collections.abc import Sequence
from datetime import datetime

from hems.commands.operator import OperatorError, Told, ask, part, plain, when
from hems.commands.output import fail


class _Hub(Told):
    id: str
    state: str
    testing_until: float | None


class _Record(Told):
    id: str
    hub: str
    passed: bool


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        return _open(options) if options.what == "hub-test" else _enter(options)
    except OperatorError as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}")


def _open(options: argparse.Namespace) -> int:
    path = f"/fleet/hubs/{part(options.id)}/test-window"
    hub = ask(options.operator, "POST", path, _Hub, {"hours": options.hours})
    until = hub.testing_until
    print(
        f"{hub.id}  " + ("its test is closed" if until is None else f"tested until {when(until)}")
    )
    return 0


def _enter(options: argparse.Namespace) -> int:
    wish: dict[str, object] = {
        "tested_by": options.tested_by,
        "witnessed_by": options.witnessed_by,
        "at": _instant(options.at),
        "checks": [*_checks(options.passed, passed=True), *_checks(options.failed, passed=False)],
    }
    if options.paper is not None:
        wish["document"] = hashlib.sha256(options.paper.read_bytes()).hexdigest()
    path = f"/fleet/hubs/{part(options.id)}/commissioning"
    made = ask(options.operator, "POST", path, _Record, wish)
    outcome = "passed" if made.passed else "not passed"
    print(f"{plain(made.hub)}  test {made.id}: {outcome}")
    return 0


def _checks(told: Sequence[str], *, passed: bool) -> list[dict[str, object]]:
    """Return checks as the door takes them, each told as NAME or NAME=NOTE."""
    split = (each.partition("=") for each in told)
    return [{"name": name, "passed": passed, "note": note} for name, _, note in split]


def _instant(text: str | None) -> float:
    """Return a time that somebody typed, epoch s; the present where nobody did.

    Raises:
        OperatorError: It is none, or says no offset: whose clock it is, is not known.
    """
    if text is None:
        return time.time()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise OperatorError(f"--at {text!r} is no time such as 2026-11-23T10:00Z")
    return at.timestamp()
