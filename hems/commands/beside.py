"""What a hub has beside its home: rights, the renewal of certificates, Home Assistant."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from certs.pem import read_certificates
from der.tls import trusting
from hems.access.access import Access, access
from hems.clock import Clock
from hems.commands.enterprise_line import context_of
from hems.homeassistant.settings import HomeAssistantSettings
from hems.hub_id import hub_id
from hems.security_event import Note
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.setup.device_certificates import DeviceCertificates
from hems.setup.enrolment_renewal import Renewer
from hems.store.errors import StoreError
from hems.store.store import Store
from hems.succession import Succession

_log = logging.getLogger(__name__)


def renewing(path: Path, clock: Clock, succession: Succession) -> asyncio.Task[None]:
    """Have the hub's certificates renewed in time, from now on, and devices' ends told."""

    def tell(name: str, text: str | None) -> None:
        succession.home.alarms.lasting(f"renewal {name}", text)

    renewer = Renewer(lambda: load(path), clock.now, tell)
    devices = DeviceCertificates(lambda: load(path), path.parent.absolute(), clock.now, tell)

    async def renew() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(renewer.run())
            group.create_task(devices.run())

    return asyncio.create_task(renew(), name="certificate renewal")


def proved(config: Config) -> None:
    """Look whether what stands beside the home can be made of a configuration.

    What cannot is to be refused while the home that runs is whole: once its page ends for the
    next one, there is no way back.

    Raises:
        ConfigError: The broker's root certificates cannot be used, or nobody is there who could
            show itself to the service provider.
        CertificateError: Root certificates, a certificate or a key cannot be used.
    """
    trust = config.mqtt.trust if config.mqtt.home_assistant else None
    if trust is not None:
        try:
            trusting(trust)
        except OSError as error:
            raise ConfigError(f"mqtt.trust: {trust}: cannot be used: {error}") from error
    if config.push.enabled and config.push.trust is not None:
        read_certificates(config.push.trust)
    if config.feeds.url is not None:
        context_of(config, config.feeds.utility)


async def rights_of(
    store: Store, code: Path, clock: Clock, note: Note, alarm: Callable[[str], None]
) -> Access:
    """Return who may do what; where accounts cannot be read, whoever asks tries again."""
    rights = access(store.people, store.trail, code, clock, note=note, alarm=alarm)
    try:
        await rights.ready()
    except StoreError as error:
        _log.warning("accounts cannot be read yet: %s", error)
    return rights


async def home_assistant(config: Config, store: Store) -> HomeAssistantSettings:
    """Return where and how the home is published to Home Assistant."""
    mqtt = config.mqtt
    return HomeAssistantSettings(
        await hub_id(store.settings),
        config.home.name,
        mqtt.host,
        mqtt.port,
        mqtt.username,
        mqtt.password,
        mqtt.trust,
        mqtt.prefix,
    )
