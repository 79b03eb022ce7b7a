"""`hems device list`, `show` and `remove`."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from der.errors import DeviceError
from der.service import Mode
from hems.commands.device_bench import opened
from hems.commands.device_move import say
from hems.commands.device_words import words
from hems.commands.hub import HubError, running
from hems.commands.output import fail
from hems.device_surface import DeviceDetail
from hems.settings.config import Config, load
from hems.settings.device_table import where
from hems.settings.toml_file import ConfigError
from hems.setup.device_file import KeptDevices, find, kept

SHOW_WAITS_S = 10.0


def listing(path: Path, *, as_json: bool) -> int:
    """Print the configured devices and the file that each stands in."""
    try:
        config = load(path)
        added = {str(table["id"]) for table in kept(config)}
    except ConfigError as error:
        return fail(str(error))
    rows = [
        {
            "id": device.id,
            "kind": str(device.kind),
            "name": device.name,
            "driver": str(device.driver),
            "where": where(device),
            "file": str(config.home.devices if device.id in added else path),
        }
        for device in config.device
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        file = Path(row["file"]).name
        print(
            f"{row['id']:<16} {row['kind']:<13} {row['name']:<20} "
            f"{row['driver']:<9} {row['where']}  ({file})"
        )
    if not rows:
        print("no devices; look for some with: hems device scan")
    return 0


def show(path: Path, device: str, url: str | None, *, as_json: bool) -> int:
    """Print all that is known of a device, asked of the running hub or of the device itself."""
    try:
        config = load(path)
        section = find(config, device)
        hub = running(config, url)
        detail = hub.device(device) if hub else asyncio.run(_asked(config, section.id))
    except (ConfigError, DeviceError, HubError) as error:
        return fail(str(error))
    if as_json:
        print(json.dumps(asdict(detail), indent=2))
        return 0
    for line in words(detail):
        print(line)
    return 0


async def _asked(config: Config, device: str) -> DeviceDetail:
    async with opened(config, device, Mode.READ_ONLY, say, call_in_s=SHOW_WAITS_S) as bench:
        return await bench.detail()


def remove(path: Path, device: str, *, sure: bool) -> int:
    """Take a device out of the devices file; asks first unless `sure`."""
    try:
        config = load(path)
        section = find(config, device)
        if device not in {table["id"] for table in kept(config)}:
            return fail(f"{device} stands in {path}: whoever wrote it there must remove it")
        if not sure and not _agreed(section.name):
            return fail(f"{device} was not removed")
        KeptDevices(path).take_out(device)
    except ConfigError as error:
        return fail(str(error))
    place = config.home.devices
    print(f"{device} is removed from {place}; a running hub gives it back to its own control")
    return 0


def _agreed(name: str) -> bool:
    if not sys.stdin.isatty():
        print("hems: nobody can be asked; say --yes", file=sys.stderr)
        return False
    sys.stderr.write(f"Remove {name}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
