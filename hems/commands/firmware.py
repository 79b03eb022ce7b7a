"""`hems firmware refresh` and `hems update check|fetch`: lists and packages, fetched and verified.

A process of its own: what verifies takes memory that the hub need not hold for years.
"""

import argparse
from importlib.metadata import version

from certs.errors import CertificateError
from hems.commands.enterprise_line import place_of
from hems.commands.output import fail
from hems.commands.way_in import place_of as home_of
from hems.emg.firmware import tuf_client
from hems.emg.firmware.lists import Refreshed
from hems.emg.firmware.releases import software
from hems.emg.firmware.tuf_client import FirmwareError
from hems.emg.firmware.tuf_place import Place
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError


def run(options: argparse.Namespace) -> int:
    """Run `hems firmware refresh`; returns the exit code."""
    try:
        _config, place = _place(options)
    except (ConfigError, CertificateError) as error:
        return _json(Refreshed(error=str(error))) if options.json else fail(str(error))
    try:
        found = tuf_client.refresh(place)
    except FirmwareError as error:
        if options.json:
            return _json(Refreshed(error=str(error), hostile=error.refused))
        return fail(str(error))
    return _json(found) if options.json else _show(found)


def update(options: argparse.Namespace) -> int:
    """Run `hems update`; returns the exit code: 0 also where nothing newer is there."""
    try:
        config, place = _place(options)
        found = tuf_client.refresh(place)
        vendor = config.firmware.vendor
        state = software(version("hems"), found.lists, vendor)
        for refused in found.refused:
            if refused.vendor == vendor:
                return fail(f"the list of {vendor} is refused: {refused.why}")
        if state.warning:
            print(state.warning)
        if state.update is None:
            print(f"{version('hems')} runs; nothing newer is signed by both")
            return 0
        newer = state.update
        print(f"{newer.version} is newer than {version('hems')}, and signed by both")
        if newer.advisory:
            print(newer.advisory)
        if options.what == "check":
            return 0
        into = options.out / newer.file
        tuf_client.fetch_release(place, vendor, newer.file, into)
    except (ConfigError, CertificateError, FirmwareError) as error:
        return fail(str(error))
    print(f"{into}: verified. Stop the hub, make a backup (hems backup), then install it:")
    print(f"    pip install --no-deps {into}")
    return 0


def _place(options: argparse.Namespace) -> tuple[Config, Place]:
    path = home_of(options).path
    config = load(path)
    place = place_of(config)
    if place is None:
        raise ConfigError(f"{path}: [firmware] names no url and no folder, so there are no lists")
    return config, place


def _json(found: Refreshed) -> int:
    print(found.model_dump_json())
    return 0


def _show(found: Refreshed) -> int:
    for listed in found.lists:
        print(f"{listed.vendor}: {len(listed.firmware)} versions, {len(listed.releases)} releases")
        for each in listed.firmware:
            words = f"  {each.advisory}" if each.advisory else ""
            print(f"    {each.manufacturer} {each.model} {each.version}: {each.state}{words}")
        for package in listed.releases:
            print(f"    {package.file} {package.version}: {package.state}")
    for refused in found.refused:
        print(f"{refused.vendor}: refused, {refused.why}")
    if not found.lists and not found.refused:
        print("the repository has no vendors yet")
    return 1 if found.refused else 0
