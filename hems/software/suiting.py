"""Whether an archive suits a machine and what runs on it. Pure."""

from dataclasses import dataclass
from typing import Final

from hems.bulletin import Package, Release
from hems.software.switch import State, newer

_ANY: Final = "any"


@dataclass(frozen=True, slots=True)
class Host:
    """The machine, and what runs on it.

    Attributes:
        version: Of the software that runs.
        python: Of its Python: major and minor number.
        machine: As `uname -m` has it.
        form: The store's revision that the software works with.
        free: Octets free where software is installed.
    """

    version: str
    python: str
    machine: str
    form: str
    free: int


def package_for(release: Release, host: Host) -> Package | None:
    """Return the archive of a release for a machine; None where there is none."""
    fits = (each for each in release.packages if made_for(each, host.python, host.machine))
    return next(fits, None)


def made_for(package: Package, python: str, machine: str) -> bool:
    """Whether an archive is for a Python ("3.11") and a machine (as `uname -m` has it)."""
    return package.python == python and package.machine in {machine, _ANY}


def unsuitable(package: Package, host: Host) -> str:
    """Return why an archive must not be installed, one clause; empty where it may."""
    if package.python != host.python:
        return f"it is for Python {package.python}, and this machine has {host.python}"
    if package.machine not in {host.machine, _ANY}:
        return f"it is for {package.machine}, and this machine is {host.machine}"
    if not newer(package.version, host.version):
        return f"{package.version} is not newer than {host.version}, which runs"
    if newer(package.least, host.version):
        return f"it takes the place of {package.least} or newer, and {host.version} runs"
    if package.form < host.form:
        return "it could not read the home's store"
    if package.needs > host.free:
        return f"it needs {package.needs} octets on the disk, and {host.free} are free"
    return ""


def barred(version: str, state: State) -> bool:
    """Whether a version has failed here before, so that only a person has it tried again."""
    return version in state.barred


def migrates(package: Package, host: Host) -> bool:
    """Whether the store is brought to another form."""
    return package.form != host.form
