"""The devices of a home, by the file that each stands in; finding, adding and removing one."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from der.errors import PermanentError
from der.registry import build
from hems import wiring
from hems.settings import devices_file
from hems.settings.config import Config, by_person, load
from hems.settings.device_section import DeviceSection, description
from hems.settings.devices_file import Table
from hems.settings.toml_file import ConfigError


def find(config: Config, device: str) -> DeviceSection:
    """Return a device's section; raises ConfigError where there is none of this id."""
    for section in config.device:
        if section.id == device:
            return section
    known = ", ".join(section.id for section in config.device)
    raise ConfigError(f"this home has no device {device!r}; it has {known or 'none'}")


def kept(config: Config) -> list[Table]:
    """Return what the devices file holds; its sections were checked when `config` was loaded."""
    found = devices_file.tables(config.home.devices)
    return [dict(section) for section in found if isinstance(section, dict)]


def checked(
    path: Path, others: Sequence[Table], table: Table, name: str, at: int | None = None
) -> Config:
    """Return the configuration with one more device; nothing is written.

    The device is made as a hub makes it at its start: what that would refuse is never written, for
    should the power go while it lies there, no hub would start any more.

    Args:
        path: The configuration file.
        others: What the devices file holds besides.
        table: The device's section.
        name: What the owner calls it, for the mistakes.
        at: How many of the others stand before it; None for all.

    Raises:
        ConfigError: It cannot be so; the mistakes are named by the device, one a line.
    """
    before = len(others) if at is None else at
    try:
        after = load(path, [*others[:before], table, *others[before:]])
        build([description(find(after, str(table["id"])), wiring.breaker_w(after))], now=time.time)
    except PermanentError as error:
        raise ConfigError(str(error)) from error
    except ConfigError as error:
        beside = devices_file.place(by_person(path), path)
        here = f"{beside}: device[{before}]"
        text = str(error).replace(f"{here}.", f"{name}: ").replace(f"{here}: ", f"{name}: ")
        raise ConfigError(text) from error
    return after


class WrittenByHandError(ConfigError):
    """The device stands in the file that people write; `str()` says so."""


@dataclass(frozen=True, slots=True)
class KeptDevices:
    """The devices that the program keeps, changed one at a time.

    Each change holds off all others, is checked with the whole configuration before it is written,
    and leaves the old file or the new one whatever happens. All of it blocks.

    Attributes:
        path: The configuration file.
    """

    path: Path

    def add(self, table: Table, name: str) -> DeviceSection:
        """Add a device; raises ConfigError where it cannot be so."""
        with self._changing() as (place, tables):
            after = checked(self.path, tables, table, name)
            devices_file.write(place, [*tables, table])
        return find(after, str(table["id"]))

    def change(self, device: str, change: Callable[[Table, Config], Table]) -> None:
        """Change a device.

        Args:
            device: Its id.
            change: Returns its section as it is to be, from how it is and the configuration.

        Raises:
            WrittenByHandError: A person wrote it.
            ConfigError: There is none, or it cannot be so.
        """
        with self._changing() as (place, tables):
            before = load(self.path)
            at = self._index(before, tables, device)
            table = change(tables[at], before)
            others = [*tables[:at], *tables[at + 1 :]]
            checked(self.path, others, table, find(before, device).name, at)
            devices_file.write(place, [*others[:at], table, *others[at:]])

    def take_out(self, device: str) -> None:
        """Take a device out; raises as `change`, and where the configuration speaks of it."""
        with self._changing() as (place, tables):
            at = self._index(load(self.path), tables, device)
            others = [*tables[:at], *tables[at + 1 :]]
            load(self.path, others)  # what speaks of it elsewhere is named before it is gone
            devices_file.write(place, others)

    @contextmanager
    def _changing(self) -> Iterator[tuple[Path, list[Table]]]:
        config = load(self.path)
        with devices_file.locked(config.home.devices):
            yield config.home.devices, kept(config)

    def _index(self, config: Config, tables: Sequence[Table], device: str) -> int:
        find(config, device)
        for index, table in enumerate(tables):
            if table["id"] == device:
                return index
        raise WrittenByHandError(
            f"{device} stands in {self.path}: whoever wrote it there must change or remove it"
        )
