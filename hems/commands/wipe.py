"""`hems wipe`: erases a home's keys and data, and says what is gone."""

import argparse
import sys

from hems.archive import wipe
from hems.archive.errors import ArchiveError
from hems.commands.first_start import Place
from hems.commands.held_keys import erase_held
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
    try:
        wipe.mark(path.parent.absolute())
    except ArchiveError as error:
        return fail(str(error))
    held = erase_held(path, belonging_to(path))
    proof = wipe.erase(belonging_to(path))
    print("".join(f"erased {said}\n" for said in held.gone), end="")
    for gone in proof.gone:
        print(f"erased {gone.path} ({gone.size} octets written over)")
    print(
        "On flash the disk may keep old cells until it clears them: only an encrypted disk, or "
        "destroying it, is proof. Backups elsewhere stay."
    )
    remains = (*held.left, *proof.left)
    for left in remains:
        print(f"not erased: {left}", file=sys.stderr)
    return int(bool(remains))


def _meant(name: str) -> bool:
    if not sys.stdin.isatty():
        return False
    print(f"All of this is erased for good. Type the home's name, {name!r}, to go on:")
    return input("> ").strip() == name
