"""Has what bears on security watched while the hub runs, and tells whoever is to know."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from certs.keys.opening import key_store
from hems.clock import Clock
from hems.commands.following import Following
from hems.commands.reign import ended
from hems.commands.store_start import Opened
from hems.commands.upheaval import Begun
from hems.emg.threats.assembly import Manner, Watch, head_file, watch_of
from hems.emg.threats.rules.finding import Finding
from hems.emg.threats.telling import Told
from hems.emg.threats.watchman import Tell, Watchman
from hems.home import Home
from hems.homeassistant.settings import Found
from hems.hub_id import hub_id
from hems.lan.addresses import own_addresses
from hems.security.spared import Spared
from hems.security.webhook import Hook, Webhook, WebhookError, check_address, read_secret
from hems.security_event import Note, SecurityEvent
from hems.settings.config import Config
from hems.settings.threats_section import ThreatsSection
from hems.settings.toml_file import ConfigError

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - all of the hub's own addresses are asked for


@dataclass(slots=True)
class Guardroom:
    """The watch, with the home that it watches once there is one.

    Attributes:
        watch: Who watches.
        hook: What is told each finding by the web; None for nobody.
        spared: Whose addresses are never kept out.
    """

    watch: Watch
    hook: Webhook | None
    spared: Spared

    @property
    def watchman(self) -> Watchman:
        """Who takes note."""
        return self.watch.watchman

    def found_last(self) -> Found | None:
        """Return what was found last, for home automation; None for nothing since the start."""
        told, standing = self.watchman.last, self.watchman.standing
        if told is None:
            return None
        finding = (standing[-1] if standing else told).finding
        return Found(finding.threat.value, str(finding.text), finding.at, holds=bool(standing))

    def told_of(self, first: SecurityEvent | None) -> Note:
        """Return who takes note, once he knows what happened before; None for nothing."""
        if first is not None:
            self.watchman.note(first)
        return self.watchman.note

    @asynccontextmanager
    async def manned(self) -> AsyncIterator[None]:
        """Watch meanwhile."""
        tasks = [
            asyncio.create_task(self.watchman.run(), name="watchman"),
            asyncio.create_task(self.spared.run(), name="utilities' addresses"),
        ]
        if self.hook is not None:
            tasks.append(asyncio.create_task(self.hook.run(), name="webhook"))
        try:
            yield
        finally:
            await ended(*tasks)


async def guardroom(
    config: Config,
    opened: Opened,
    clock: Clock,
    home: Callable[[], Home],
    begun: Begun,
    *,
    following: Callable[[], Following],
) -> Guardroom:
    """Return the watch over a hub.

    Args:
        config: Its settings.
        opened: What it remembers.
        clock: Where the time comes from.
        home: Returns the present home, once the watch is manned.
        begun: What was done before this run.
        following: Returns who follows the enterprise's word, once the watch is manned.

    Raises:
        KeyStoreError: The key store that is configured cannot be made.
        ConfigError: The webhook cannot be used as it is configured.
    """
    section, zone, store = config.threats, config.home.zone, opened.store
    hook = _hook(section)
    webhook = None
    if hook is not None:
        webhook = Webhook(hook, store.settings, clock, await hub_id(store.settings))

    def found(told: Told) -> None:
        following().found(told)
        if webhook is not None:
            webhook.take(told)

    def answer(finding: Finding) -> str:
        return home().trusting.answer(finding)

    spared = Spared(config, lambda: [each.server for each in home().grid.utilities])
    manner = Manner(
        thresholds=section.thresholds(config.home.cycle),
        hour=(lambda at: datetime.fromtimestamp(at, zone).hour) if section.odd_hours else None,
        block_s=section.block,
        own=lambda: (
            *(a for host in _EVERYWHERE for a in own_addresses(host)),
            *spared.addresses,
        ),
        answers=(answer,) if section.quarantine else (),
        said=lambda: following().severities,
    )
    tell = Tell(
        alarm=lambda source, text: home().alarms.lasting(source, text),  # noqa: PLW0108 - another home may follow
        utilities=lambda happening: home().grid.log(happening),  # noqa: PLW0108
        found=found,
    )
    # What takes the store's place for a while has a log of its own, and ends with it.
    own = opened.back is None
    head = head_file(config.store.path, key_store(config.keys.settings)) if own else None
    watch = watch_of(store, head, clock, manner, tell, restored=begun.restored)
    return Guardroom(watch, webhook, spared)


def _hook(section: ThreatsSection) -> Hook | None:
    if section.webhook is None or section.webhook_secret is None:
        return None
    try:
        check_address(section.webhook, private=section.webhook_private)
        secret = read_secret(section.webhook_secret)
        roots = section.webhook_trust
        trust = None if roots is None else ssl.create_default_context(cafile=str(roots))
    except WebhookError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        raise ConfigError(f"threats.webhook_trust: cannot be used: {error}") from error
    return Hook(section.webhook, secret, section.webhook_private, trust)
