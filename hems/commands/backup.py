"""`hems backup` and `hems restore`: the home's data and keys in one locked file, and back."""

import argparse
import getpass
import sys
import time
from pathlib import Path

from certs.errors import CertificateError
from certs.keys.opening import key_store
from hems.archive import swap, unpack, wipe
from hems.archive.backup import Manifest, make_backup
from hems.archive.desk import stage
from hems.archive.errors import ArchiveError
from hems.commands.occupied import OccupiedError, occupied
from hems.commands.output import fail
from hems.commands.presence import page_of
from hems.commands.upheaval import belonging_to, checked
from hems.commands.way_in import place_of
from hems.settings.config import load
from hems.settings.devices_file import DEFAULT
from hems.settings.toml_file import ConfigError


def backup(options: argparse.Namespace) -> int:
    """Run `hems backup`; returns the exit code. The hub may run meanwhile."""
    path = _path(options)
    try:
        passphrase = _passphrase(options.passphrase_file, twice=True)
        config = load(path)
        target, home = options.file.absolute(), belonging_to(path)
        if target.resolve() in {each.resolve() for each in wipe.doomed(home)}:
            return fail(f"{target}: is a file of the home itself; name another one")
        manifest = make_backup(
            target,
            passphrase,
            home,
            config.home.name,
            time.time(),
            keys=key_store(config.keys.settings),
        )
    except (ArchiveError, CertificateError, ConfigError) as error:
        return fail(str(error))
    print(f"{target}: {target.stat().st_size} octets: {_contents(manifest)}")
    for each in manifest.outside:
        print(f"not in it, for it lies outside the home's folder: {each}")
    return 0


def restore(options: argparse.Namespace) -> int:
    """Run `hems restore`; returns the exit code. The hub must not run."""
    path = _path(options)
    try:
        passphrase = _passphrase(options.passphrase_file, twice=False)
        if options.check:
            print(f"{options.file}: {_contents(unpack.look(options.file, passphrase))}")
            return 0
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        present = belonging_to(path)
        _at_rest(path)
        with occupied(present.folder):
            manifest = stage(
                options.file, passphrase, present, lambda folder: checked(path, folder)
            )
            swap.resume(present.folder)
    except (ArchiveError, OccupiedError, OSError) as error:
        return fail(str(error))
    print(f"{present.folder}: {_contents(manifest)} in place")
    print("the files before it stay until `hems run` has run once with these")
    return 0


def _path(options: argparse.Namespace) -> Path:
    return place_of(options).path


def _at_rest(path: Path) -> None:
    page = page_of(path.parent.absolute() / DEFAULT)
    if page is not None:
        raise ArchiveError(f"the hub is running: stop it, or restore on its page, {page}")


def _contents(manifest: Manifest) -> str:
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(manifest.made_at))
    return f"{manifest.home!r} of {made}, the store and {len(manifest.files)} files"


def _passphrase(file: Path | None, *, twice: bool) -> str:
    """Return the passphrase: from a file, or asked for.

    Raises:
        ArchiveError: There is none, or the two that were typed differ.
    """
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").partition("\n")[0]
        except (OSError, UnicodeDecodeError) as error:
            raise ArchiveError(f"{file}: cannot be read") from error
    if not sys.stdin.isatty():
        raise ArchiveError("there is nobody to ask: name a --passphrase-file")
    typed = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Once more: ") != typed:
        raise ArchiveError("the two differ; nothing was written")
    return typed
