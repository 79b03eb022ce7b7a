"""Tells in time of devices whose certificates, given by this home, run out.

Nobody but a person can put a certificate into most devices: so there is time for it, and an alarm
until it is done.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from certs.pem import read_certificates
from der.sentence import say
from hems.settings.config import Config
from hems.settings.device_section import DeviceSection
from hems.settings.toml_file import ConfigError
from hems.setup.device_enrolment import issued_file

LOOK_EVERY_S: Final = 3600.0
SOON: Final = timedelta(days=60)
"""An end within this is told."""


class DeviceCertificates:
    """Follows what devices were given.

    Args:
        config: Returns what the home's files say now.
        home: The home's folder.
        now: UTC epoch seconds.
        alarm: Told, under a name for each device, in one sentence what the owner should know; None
            when it is well again.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        home: Path,
        now: Callable[[], float],
        alarm: Callable[[str, str | None], None],
    ) -> None:
        self._config = config
        self._home = home
        self._now = now
        self._alarm = alarm
        self._told: set[str] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell of what runs out."""
        try:
            config = await asyncio.to_thread(self._config)
        except ConfigError:
            return  # said by who follows the files
        at = datetime.fromtimestamp(self._now(), UTC)
        found = await asyncio.to_thread(self._ending, config, at)
        for name in self._told - set(found):
            self._alarm(name, None)
        for name, text in found.items():
            self._alarm(name, text)
        self._told = set(found)

    def _ending(self, config: Config, at: datetime) -> dict[str, str]:
        said = ((f"device {each.id}", self._said(each, at)) for each in config.device)
        return {name: text for name, text in said if text}

    def _said(self, device: DeviceSection, at: datetime) -> str:
        """Return what there is to say of a device's certificate; empty for nothing."""
        path = issued_file(self._home, device.id)
        if not path.exists():
            return ""
        try:
            ends = read_certificates(path)[0].not_valid_after_utc
        except CertificateError as error:
            return say(
                "It is not known when the certificate of {device} ends: {why}",
                device=device.name,
                why=str(error),
            )
        if ends - at > SOON:
            return ""
        command, date = f"hems agent enrol-device {device.id} --renew", f"{ends:%Y-%m-%d}"
        if at >= ends:
            return say(
                "The certificate of {device} ended on {date}. Make a new one with "
                "“{command}” and put it into the device.",
                device=device.name,
                date=date,
                command=command,
            )
        return say(
            "The certificate of {device} ends on {date}. Make a new one with “{command}” "
            "and put it into the device.",
            device=device.name,
            date=date,
            command=command,
        )
