"""`hems update install|status|try|cancel|back`, and what vendor, helper and new version need."""

import argparse
import os
import platform
import pwd
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from certs.keys.opening import key_store
from certs.pem import write_file
from hems.archive.backup import copy_store
from hems.archive.errors import ArchiveError as BackupError
from hems.bulletin import Package
from hems.commands.enterprise_line import place_of
from hems.commands.output import fail
from hems.commands.way_in import place_of as home_of
from hems.emg.firmware import tuf_client
from hems.emg.firmware.releases import software
from hems.emg.firmware.tuf_client import FirmwareError
from hems.emg.firmware.tuf_place import Place
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.software.archive import ArchiveError, make
from hems.software.helper import ROOT, Helper
from hems.software.install import Workshop, base_python
from hems.software.moment import hurry, unhurried
from hems.software.orders import INSTALL_WITHIN_S, PASSED, ask
from hems.software.sides import UPDATES, Sides, SidesError
from hems.software.stores import tell
from hems.software.suiting import barred, made_for
from hems.software.switch import Phase, State
from hems.store.cipher import Error
from hems.store.errors import StoreError
from hems.store.migrate import migrate
from hems.store.schema import REVISIONS
from hems.store.sqlite import read_revision

_REHEARSE_S: Final = 7200.0
_SPACE: Final = 3
"""Unpacked, compiled and beside its archive, software takes so many times its wheels' room."""


class UpdateError(Exception):
    """It cannot be done; `str()` says why."""


_WRONG: Final = (
    UpdateError,
    ConfigError,
    CertificateError,
    FirmwareError,
    SidesError,
    ArchiveError,
    BackupError,
    StoreError,
    Error,
    subprocess.TimeoutExpired,
)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        match options.what:
            case "install":
                _install(options)
            case "status":
                _show(Sides(options.sides, Path()).read())
            case "try":
                _arm(options, load(_path(options)))
            case "cancel" | "back":
                unhurried(_path(options).parent)
                print(_asked(options, options.what))
            case "rehearse":
                _rehearse(load(_path(options)))
            case "trust":
                write_file(options.sides / ROOT, options.root.read_bytes(), mode=0o644)
                print(f"{options.sides / ROOT}: what its keys vouch for may be installed")
            case "serve":
                _serve(options)
            case _:
                _pack(options)
    except _WRONG as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}")
    return 0


def _install(options: argparse.Namespace) -> None:
    """Fetch, verify, have it installed, rehearse it, and have it tried."""
    path = _path(options)
    config = load(path)
    place = place_of(config)
    if place is None:
        raise UpdateError(f"{path}: [firmware] names no url and no folder, so there are no lists")
    state = Sides(options.sides, Path()).read()
    runs = state.version(state.current) or version("hems")
    wanted = _fetched(config, place, path.parent, runs)
    if options.version is not None and options.version != wanted:
        raise UpdateError(f"{options.version} is not the newest that may run: that is {wanted}")
    if options.version is None and barred(wanted, state):
        raise UpdateError(
            f"{wanted} has failed here before; to try it all the same: --version {wanted}"
        )
    print(f"{wanted} is signed by both; it is installed beside {runs}")
    print(_asked(options, "install", wanted, INSTALL_WITHIN_S))
    if not options.wait:
        _arm(options, config)


def _fetched(config: Config, place: Place, home: Path, runs: str) -> str:
    """Leave what is wanted to the helper; returns which version that is."""
    folder = home / UPDATES
    passed, known, scrap = folder / PASSED, folder / "known", folder / "fetched"
    for each in (passed, known):
        shutil.rmtree(each, ignore_errors=True)
    known.mkdir(parents=True, mode=0o700)
    # All is fetched anew, for the helper sees nothing but what is passed on to it.
    passing = replace(place, folder=known, passed=passed)
    vendor = config.firmware.vendor
    found = tuf_client.refresh(passing)
    for refused in found.refused:
        if refused.vendor == vendor:
            raise UpdateError(f"the list of {vendor} is refused: {refused.why}")
    newer = software(runs, found.lists, vendor).update
    if newer is None:
        raise UpdateError(f"{runs} runs; nothing newer is signed by both")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    for package in newer.packages:
        if made_for(package, python, platform.machine()):
            try:
                tuf_client.fetch_release(passing, vendor, package.file, scrap)
            finally:
                scrap.unlink(missing_ok=True)
            return newer.version
    raise UpdateError(
        f"{newer.version} is offered as no archive for Python {python} on {platform.machine()}"
    )


def _arm(options: argparse.Namespace, config: Config) -> None:
    """Have the version that waits rehearsed, by itself, and then tried."""
    sides = Sides(options.sides, Path("/opt/hems"))
    state = sides.read()
    if not state.candidate:
        raise UpdateError("no new version is installed")
    path = _path(options).absolute()
    command = sides.place(state.candidate) / "bin" / "hems"
    done = subprocess.run(  # noqa: S603 - what the helper has verified and installed
        [command, "update", "rehearse", "--config", path],
        check=False,
        capture_output=True,
        text=True,
        timeout=_REHEARSE_S,
        # Its own parts, whatever this process was started with.
        env={name: text for name, text in os.environ.items() if not name.startswith("PYTHON")},
    )
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
        raise UpdateError(f"{state.version(state.candidate)} cannot run this home: {why}")
    tell(path.parent, config.store.path)
    when = f"between {config.updates.window.replace('-', ' and ')}, "
    if options.now:
        hurry(path.parent, state.version(state.candidate))
        when = ""
    print(_asked(options, "arm"))
    print(f"The hub starts it by itself {when}once no event runs or is near.")


def _rehearse(config: Config) -> None:
    """Bring a copy of the store to this version's form; the configuration was read already."""
    store = config.store.path
    if not store.exists():
        return
    folder = store.parent / UPDATES
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = folder / "rehearsal.db"
    _clear(folder)  # of one that a power cut has ended
    try:
        key = copy_store(store, copy, key_store(config.keys.settings))
        if read_revision(copy, key) != REVISIONS[-1]:
            migrate(copy, key)
    except StoreError as error:
        raise UpdateError(f"{store} cannot be brought up: {error}") from error
    finally:
        _clear(folder)
    print(f"{version('hems')} reads this home's configuration and store")


def _clear(folder: Path) -> None:
    for each in folder.glob("rehearsal.db*"):
        each.unlink()


def _serve(options: argparse.Namespace) -> None:
    user = None if options.try_as is None else _user(options.try_as)
    sides = Sides(options.sides, options.package)
    shop = Workshop(base_python(), user)
    answer = Helper(sides, _path(options).parent, options.vendor, shop).serve()
    print("nothing was asked" if answer is None else answer.text)


def _user(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError as error:
        raise UpdateError(f"there is no user {name}") from error


def _pack(options: argparse.Namespace) -> None:
    wheels = sorted(options.wheels.glob("*.whl"))
    pips = [each for each in wheels if each.name.startswith("pip-")]
    if len(pips) != 1:
        raise UpdateError(f"{options.wheels}: one wheel of pip is needed there")
    parts = [each for each in wheels if each not in pips]
    package = Package(
        file=options.out.name,
        version=options.version,
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        machine=options.machine or platform.machine(),
        least=options.least,
        form=REVISIONS[-1],
        needs=_SPACE * sum(each.stat().st_size for each in wheels),
    )
    make(package, parts, pips[0], options.out, manifest=options.manifest)
    print(f"{options.out}: {len(parts)} parts; `hems headend firmware offer` lists it")


def _show(state: State) -> None:
    def named(side: str) -> str:
        return f"{state.version(side) or 'unknown'} ({side})"

    print(f"runs      {named(state.current)}")
    if state.phase is Phase.TRIAL:
        print(f"          on trial, start {state.starts}; otherwise {named(state.former)}")
    elif state.former:
        print(f"before    {named(state.former)}")
    if state.candidate:
        armed = state.phase is Phase.ARMED
        when = "at the next quiet moment of its hours ([updates])" if armed else "not yet"
        print(f"waits     {named(state.candidate)}; tried {when}")
    if state.why:
        print(f"returned  {state.why}")
    if state.barred:
        print(f"failed    {', '.join(state.barred)}")


def _asked(options: argparse.Namespace, what: str, named: str = "", within_s: float = 60.0) -> str:
    """Ask the helper; returns what it did.

    Raises:
        UpdateError: It did not.
    """
    home = _path(options).absolute().parent
    match what:
        case "install":
            answer = ask(home, options.sides, "install", version=named, within_s=within_s)
        case "cancel":
            answer = ask(home, options.sides, "cancel")
        case "back":
            answer = ask(home, options.sides, "back")
        case _:
            answer = ask(home, options.sides, "arm")
    if not answer.done:
        raise UpdateError(answer.text)
    return answer.text


def _path(options: argparse.Namespace) -> Path:
    return home_of(options).path
