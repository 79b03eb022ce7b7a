"""The devices of a home, by the file that each stands in; finding, adding and removing one."""

from collections.abc import Sequence
from pathlib import Path

from hems.settings import devices_file
from hems.settings.config import Config, load
from hems.settings.device_section import DeviceSection
from hems.settings.devices_file import Table
from hems.settings.toml_file import ConfigError, read_toml


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


def checked(path: Path, others: Sequence[Table], table: Table, name: str) -> Config:
    """Return the configuration with one more device; nothing is written.

    Args:
        path: The configuration file.
        others: What the devices file holds besides.
        table: The device's section.
        name: What the owner calls it, for the mistakes.

    Raises:
        ConfigError: It cannot be so; the mistakes are named by the device, one a line.
    """
    try:
        return load(path, [*others, table])
    except ConfigError as error:
        beside = devices_file.place(read_toml(path), path)
        here = f"{beside}: device[{len(others)}]"
        text = str(error).replace(f"{here}.", f"{name}: ").replace(f"{here}: ", f"{name}: ")
        raise ConfigError(text) from error
