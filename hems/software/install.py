"""Installs a verified archive into the idle side, asks nobody, and looks whether it would run."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hems.bulletin import Package
from hems.software.archive import (
    MANIFEST,
    REQUIREMENTS,
    TOOLS,
    WHEELS,
    ArchiveError,
    read,
    unpack,
)
from hems.software.sides import Sides
from hems.software.suiting import Host, migrates, unsuitable
from hems.software.switch import State, begun, installed

FORM: Final = "form"
"""In a side: the store's revision that its software works with."""
_UNPACKED: Final = ".unpacked-"
_STEP_S: Final = 1800.0
"""Longest time of one step: a slow card, a small machine."""
_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_NO_INPUT": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_SAYS_ITS_VERSION: Final = (
    "import importlib.metadata as m, hems.__main__, hems.commands.run, hems.planning;"
    "print(m.version('hems'))"
)
_SHOWN: Final = 300


class InstallError(Exception):
    """It was not installed, and what runs is as it was; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """With what it is installed.

    Attributes:
        python: The machine's own Python, which the sides' environments are made of.
        user: As whom the new software is tried, a number: it is run before anybody trusts it to
            work; None for the present user.
    """

    python: Path
    user: int | None = None


def install(sides: Sides, archive: Path, expected: Package, host: Host, shop: Workshop) -> None:
    """Install an archive into the idle side, so that it can be tried.

    Args:
        sides: Where.
        archive: The archive; its octets are those that were signed.
        expected: What was signed of it.
        host: The machine.
        shop: With what.

    Raises:
        InstallError: It does not suit, or what came of it would not run.
        SidesError: The record cannot be read or written.
        SwitchError: A version is on trial.
    """
    try:
        found = read(archive)
    except ArchiveError as error:
        raise InstallError(str(error)) from error
    if found != expected:
        raise InstallError(f"{archive.name} is not what the signed list says of it")
    why = unsuitable(found, host)
    if why:
        raise InstallError(f"{found.version}: {why}")
    with sides.held():
        before = begun(sides.read())
        if sides.linked() != before.current:
            raise InstallError("another version runs from the next start on; start the hub first")
        sides.write(before)  # from here on nobody counts on that side
    place = sides.place(before.idle)
    try:
        _fill(place, archive, shop)
        _look(place, found, shop)
        (place / FORM).write_text(found.form, encoding="ascii")
        os.sync()
        _note(sides, before, installed(before, found.version, migrates=migrates(found, host)))
    except (OSError, ArchiveError) as error:
        shutil.rmtree(place, ignore_errors=True)
        raise InstallError(f"{found.version} cannot be installed: {error}") from error
    except InstallError:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _note(sides: Sides, before: State, after: State) -> None:
    """Write down what is installed, unless the record is not what it was at the beginning.

    Raises:
        InstallError: It is not.
    """
    with sides.held():
        if sides.read() != before:
            raise InstallError("what runs changed meanwhile; ask again")
        sides.write(after)


def _fill(place: Path, archive: Path, shop: Workshop) -> None:
    if place.exists():
        shutil.rmtree(place)
    for left in place.parent.glob(f"{_UNPACKED}*"):  # by one that a power cut has ended
        shutil.rmtree(left)
    # An environment knows its own place, so it is made in that place.
    _run(shop.python, "-I", "-m", "venv", "--without-pip", place)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=_UNPACKED) as folder:
        parts = Path(folder)
        unpack(archive, parts)
        pip = next(iter((parts / TOOLS).glob("pip-*.whl")), None)
        if pip is None:
            raise ArchiveError("there is no pip in it")
        python = place / "bin" / "python"
        # Wheels are unpacked, and nothing of them is run.
        _run(
            *(python, pip / "pip", "install", "--quiet", "--no-compile", "--no-index", "--no-deps"),
            *("--only-binary", ":all:", "--require-hashes", "--find-links", parts / WHEELS),
            *("-r", parts / REQUIREMENTS),
        )
        if (parts / MANIFEST).exists():
            shutil.copyfile(parts / MANIFEST, place / MANIFEST)
            (place / MANIFEST).chmod(0o644)
    # What runs is sealed against writing, so Python's compiled files are made here.
    _run(place / "bin" / "python", "-I", "-m", "compileall", "-q", place / "lib")


def _look(place: Path, package: Package, shop: Workshop) -> None:
    """See that the new software can be loaded, and is what it was called.

    Raises:
        InstallError: It cannot, or is not.
    """
    if not os.access(place / "bin" / "hems", os.X_OK):
        raise InstallError(f"{package.version}: there is no command in it")
    said = _run(place / "bin" / "python", "-I", "-c", _SAYS_ITS_VERSION, user=shop.user).strip()
    if said != package.version:
        raise InstallError(f"{package.version}: it says of itself that it is {said}")


def _run(program: Path, *words: str | Path, user: int | None = None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the machine's Python, and what was signed
            [program, *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=_STEP_S,
            cwd="/",
            umask=0o022,
            user=user,
            group=None if user is None else pwd.getpwuid(user).pw_gid,
            extra_groups=None if user is None else (),
            env=_ENVIRONMENT,
        )
    except subprocess.TimeoutExpired as error:
        raise InstallError(f"{program.name} {words[0]}: it takes too long") from error
    if done.returncode != 0:
        lines = [each for each in done.stderr.splitlines() if each.strip()]
        why = lines[-1] if lines else f"ended with {done.returncode}"
        raise InstallError(f"{program.name}: {why[:_SHOWN]}")
    return done.stdout


def base_python() -> Path:
    """Return the machine's own Python, whatever environment this runs in."""
    return Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
