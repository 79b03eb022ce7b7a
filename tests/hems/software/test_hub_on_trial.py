"""A real hub that is told of a new version: it ends at a quiet moment, and is judged after."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hems.commands.fetch import fetch
from hems.software import launcher
from hems.software.moment import hurry
from hems.software.sides import UPDATES, Sides, verdict
from hems.software.switch import (
    PACKAGE,
    Phase,
    State,
    Verdict,
    armed,
    installed,
    packaged,
    returned,
    started,
)

TREE = Path(__file__).parents[3]
COMMAND = f'#!/bin/sh\nPYTHONPATH={TREE} exec {sys.executable} -m hems "$@"\n'


def _side(place: Path, version: str) -> None:
    (place / "bin").mkdir(parents=True)
    command = place / "bin" / "hems"
    command.write_text(COMMAND)
    command.chmod(0o755)
    (place / "bin" / "python").symlink_to(sys.executable)
    (place / "lib/python3.11/site-packages" / f"hems-{version}.dist-info").mkdir(parents=True)


def _wait(good: Callable[[], bool], within_s: float, what: str) -> None:
    until = time.monotonic() + within_s
    while not good():
        assert time.monotonic() < until, what
        time.sleep(0.5)


@pytest.mark.deep
@pytest.mark.timeout(1500)
@pytest.mark.requirement("LC-PATCH")
def test_a_hub_starts_the_new_version_by_itself_and_judges_it(tmp_path: Path) -> None:
    sides, home = Sides(tmp_path / "root", tmp_path / "package"), tmp_path / "home"
    _side(sides.package, "0.1.0")
    _side(sides.root / "a", "0.2.0")
    home.mkdir()
    words = [str(each) for each in (sides.root, home, sides.package)]
    command = sides.root / "current" / "bin" / "hems"
    log = (tmp_path / "log").open("w")

    def start() -> subprocess.Popen[bytes]:
        assert launcher.main(["settle", *words]) == 0 == launcher.main(["store", *words])
        ready = tmp_path / "ready"
        ready.unlink(missing_ok=True)
        hub = subprocess.Popen(
            [command, "run", "--home", home, "--port", "0", "--ready", ready],
            env={**os.environ, "HEMS_SOFTWARE": str(sides.root)},
            stderr=log,
        )
        _wait(lambda: ready.exists() or hub.poll() is not None, 200.0, "the hub starts")
        assert hub.poll() is None, (tmp_path / "log").read_text()
        return hub

    hub = start()
    hurry(home, "0.2.0")  # whatever the hour is
    sides.write(armed(installed(sides.read(), "0.2.0", migrates=False)))
    assert hub.wait(timeout=300) == 0, "it ends in order, by itself"
    before = json.loads((home / UPDATES / "before.json").read_text())
    assert set(before) == {"trial", "devices", "utilities"}
    hub = start()
    try:
        assert sides.read().phase is Phase.TRIAL
        _wait(lambda: verdict(home) is not None, 800.0, "a verdict")
        assert verdict(home) == Verdict(1, good=True)
        assert not launcher.watch(sides, home)
        state = sides.read()
        assert (state.phase, state.current, state.former) == (Phase.SETTLED, "a", PACKAGE)
    finally:
        hub.send_signal(signal.SIGTERM)
        assert hub.wait(timeout=60) == 0
        log.close()


@pytest.mark.requirement("LC-PATCH")
def test_a_version_that_was_taken_back_is_told_as_long_as_nobody_has_seen_to_it(
    tmp_path: Path,
) -> None:
    """Beside what the lists say of the software, which is looked at all the time."""
    sides, home, ready = Sides(tmp_path / "root", tmp_path), tmp_path / "home", tmp_path / "ready"
    sides.root.mkdir()
    home.mkdir()
    tried = started(armed(installed(packaged(State(), "0.1.0"), "0.2.0", migrates=False)))
    sides.write(returned(tried, "battery does not answer"))
    hub = subprocess.Popen(
        [sys.executable, "-m", "hems", "run", "--home", home, "--port", "0", "--ready", ready],
        env={**os.environ, "HEMS_SOFTWARE": str(sides.root)},
    )
    try:
        _wait(lambda: ready.exists() or hub.poll() is not None, 200.0, "the hub starts")
        page = json.loads(ready.read_text())["page"]
        told = "taken back, and 0.1.0 runs again: battery does not answer"
        _wait(lambda: told in _asked(f"{page}/api/home"), 30.0, "it is told")
        assert told in _asked(f"{page}/api/home")
        assert json.loads(_asked(f"{page}/api/updates"))["returned"] == "battery does not answer"
    finally:
        hub.send_signal(signal.SIGTERM)
        assert hub.wait(timeout=60) == 0


def _asked(url: str) -> str:
    return fetch(url, within_s=30.0).decode()
