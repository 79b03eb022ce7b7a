"""`hems agent enrol-device ID`: a device's key and certificate, of the home's own authority."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from certs.errors import CertificateError
from certs.keys.opening import key_store
from hems.commands.output import fail
from hems.commands.way_in import place_of
from hems.settings.config import load
from hems.settings.device_section import DeviceSection
from hems.settings.toml_file import ConfigError
from hems.setup.device_enrolment import (
    DeviceEnrolmentError,
    Enrolled,
    enrol_device,
    renew_device,
    table_of,
)
from hems.setup.device_file import KeptDevices, WrittenByHandError, find


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        return _run(options)
    except (ConfigError, CertificateError, DeviceEnrolmentError) as error:
        return fail(str(error))


def _run(options: argparse.Namespace) -> int:
    path = place_of(options).path
    config, home = load(path), path.parent.absolute()
    device, keys = find(config, options.id), key_store(config.keys.settings)
    try:
        now, out = datetime.now(UTC), options.out.absolute()
        if options.renew:
            made = renew_device(device, home, keys, out, now)
        else:
            made = enrol_device(device, home, keys, out, now, request=options.request)
    except DeviceEnrolmentError as error:
        return fail(str(error))
    given = (made.device.certificate, made.device.key, made.trust)
    print(f"for the device: {', '.join(str(each) for each in given if each.exists())}")
    print(f"its key: SHA-256 {made.key}; its certificate counts until {made.until:%Y-%m-%d}")
    if not options.renew:  # the hub speaks to it so already
        _settle(path, device, made, home)
    return 0


def _settle(path: Path, device: DeviceSection, made: Enrolled, home: Path) -> None:
    """Have the hub speak to the device so, or say what a person has to write."""
    if device.station is not None:
        print("in [ocpp], beside certificate and key:")
        print(f'trust = "{made.authority.relative_to(home)}"')
        return
    told = table_of(made, home)
    try:
        KeptDevices(path).change(device.id, lambda table, _: {**table, **told})
        print("the hub speaks to it over TLS from now on")
    except WrittenByHandError as error:
        print(f"{error}:")
        for key, value in told.items():
            print(f'{key} = "{value}"')
