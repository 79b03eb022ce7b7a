"""The settings file: what the page has set, beside the configuration and merged into it.

The program alone writes it, so that nobody has to edit a file to set a home up, and no program
ever touches the file that people write. What stands in that one holds: key by key, but for
sections whose keys only make sense together, which it has or leaves as a whole.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tomli_w

from hems.settings import kept_file
from hems.settings.toml_file import ConfigError, read_toml

NAME: Final = "settings.toml"
HISTORY: Final = "settings.kept"
"""Folder of the versions before the present one."""
KEPT_VERSIONS: Final = 10
WHOLE: Final = frozenset({"tariff", "utility"})
"""Sections that belong together: the configuration's prevails as a whole."""
_HEADER: Final = (
    "# Written by the home's page: do not edit it. What you write into hems.toml beside it holds\n"
    "# before this, and the page shows it as fixed there.\n\n"
)

Value = str | int | float | bool | list["Value"] | dict[str, "Value"]
"""What a key may hold, as TOML has it."""
Table = dict[str, Value]


class SettingsFileError(ConfigError):
    """The settings file cannot be written; `str()` names it and the reason."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the settings that was replaced.

    Attributes:
        number: Counts up.
        replaced_at: When another took its place, UTC epoch seconds.
    """

    number: int
    replaced_at: float


def place(path: Path) -> Path:
    """Return where the settings file of a configuration is."""
    return path.parent.absolute() / NAME


def read(path: Path) -> Table:
    """Return what a settings file says, unchecked; nothing if there is no file.

    Raises:
        ConfigError: It cannot be read, is not TOML, or names devices, which are kept elsewhere.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    found = read_toml(path)
    if "device" in found:
        raise ConfigError(f"{path}: device: is no setting; devices stand in a file of their own")
    return found  # type: ignore[return-value] # TOML's dates are refused where settings are read


def merged(by_hand: Mapping[str, object], set_: Mapping[str, object]) -> dict[str, object]:
    """Return the configuration that a person's file and the page's make together.

    Args:
        by_hand: What the person wrote; it holds.
        set_: What the page has set.
    """
    both: dict[str, object] = {**set_, **by_hand}
    for name, own in by_hand.items():
        beside = set_.get(name)
        if name not in WHOLE and isinstance(own, Mapping) and isinstance(beside, Mapping):
            both[name] = {**beside, **own}
    return both


def fixed(by_hand: Mapping[str, object], key: str) -> bool:
    """Return whether a person's file has a key, so that the page cannot change it.

    Args:
        by_hand: What the person wrote.
        key: Of a section ("tariff") or in it ("home.name").
    """
    section, _, rest = key.partition(".")
    found = by_hand.get(section)
    if not rest or section in WHOLE:
        return found is not None
    return rest in found if isinstance(found, Mapping) else found is not None


def write(path: Path, settings: Mapping[str, Value], now: float) -> None:
    """Replace the file and keep the version that it had; the last of these stay.

    After a power cut at any moment the file is the old one or the new one.

    Args:
        path: The settings file.
        settings: What it is to say.
        now: UTC epoch seconds.

    Raises:
        SettingsFileError: It cannot be written; the old one is as it was.
    """
    try:
        _keep(path, now)
        kept_file.replace(path, _HEADER + tomli_w.dumps(dict(settings)))
    except OSError as error:
        raise SettingsFileError(f"{path}: cannot be written: {error.strerror}") from error


def versions(path: Path) -> list[Version]:
    """Return the versions that were replaced, the last one first."""
    found = []
    with contextlib.suppress(OSError):
        for each in (path.parent / HISTORY).glob("*.toml"):
            number, _, at = each.stem.partition("-")
            if number.isdigit() and at.isdigit():
                found.append(Version(int(number), float(at)))
    return sorted(found, key=lambda version: -version.number)


def version(path: Path, number: int) -> Table | None:
    """Return what a version said; None if it is not kept any more.

    Raises:
        ConfigError: It cannot be read.
    """
    for each in versions(path):
        if each.number == number:
            return read(_kept(path, each))
    return None


def _keep(path: Path, now: float) -> None:
    """Keep the present version, and of all as many as are kept."""
    if not path.exists():
        return
    folder = path.parent / HISTORY
    folder.mkdir(mode=0o700, exist_ok=True)
    before = versions(path)
    content = path.read_text(encoding="utf-8")
    if before and _kept(path, before[0]).read_text(encoding="utf-8") == content:
        return  # a write before this one failed after it had kept the version
    number = before[0].number + 1 if before else 1
    kept_file.replace(_kept(path, Version(number, now)), content)
    for old in before[KEPT_VERSIONS - 1 :]:
        _kept(path, old).unlink(missing_ok=True)


def _kept(path: Path, version: Version) -> Path:
    return path.parent / HISTORY / f"{version.number:06d}-{version.replaced_at:.0f}.toml"
