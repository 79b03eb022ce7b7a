"""`hems wipe`: erases a home's keys and data, and proves what is gone."""

import argparse
import sys
from pathlib import Path

from hems.archive import wipe
from hems.archive.errors import ArchiveError
from hems.commands.erasure import Erasure, erase_home
from hems.commands.first_start import Place
from hems.commands.occupied import OccupiedError, occupied
from hems.commands.output import fail
from hems.commands.presence import page_of
from hems.commands.upheaval import belonging_to
from hems.settings.config import load
from hems.settings.toml_file import ConfigError


def run(options: argparse.Namespace) -> int:
    """Run `hems wipe`; returns the exit code. The hub must not run."""
    path = Place(options.config, options.home).path
    try:
        home = load(path)
    except ConfigError as error:
        if not wipe.marked(path.parent.absolute()):
            return fail(str(error))
        name = ""  # an attempt before this one did not get to its end
    else:
        name = home.home.name
        page = page_of(home.home.devices)
        if page is not None:
            return fail(f"the hub is running: stop it, or wipe the home on its page, {page}")
    doomed = list(wipe.doomed(belonging_to(path)))
    for each in doomed:
        print(f"    {each}")
    if not options.yes and not _meant(name):
        return fail("nothing was erased")
    folder = path.parent.absolute()
    try:
        with occupied(folder):
            wipe.mark(folder)
            erasure = erase_home(path, belonging_to(path))
    except (ArchiveError, OccupiedError) as error:
        return fail(str(error))
    return _told(erasure, options.report)


def _told(erasure: Erasure, report: Path | None) -> int:
    """Say what came of it; returns the exit code."""
    for line in erasure.lines():
        print(line)
    for left in erasure.left:
        print(f"not erased: {left}", file=sys.stderr)
    if report is not None:
        try:
            report.write_text(erasure.report() + "\n", encoding="utf-8")
        except OSError as error:
            return fail(f"{report}: cannot be written: {error.strerror}")
    return int(bool(erasure.left))


def _meant(name: str) -> bool:
    if not sys.stdin.isatty():
        return False
    print(f"All of this is erased for good. Type the home's name, {name!r}, to go on:")
    return input("> ").strip() == name
