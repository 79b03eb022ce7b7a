"""The hub's certificate renewed in good time, and its revocation lists kept new.

Beside the files in use:
    next.key, next.pem   what comes next; the key outlives a lost answer and a power cut
    former.key           what was in use, until it is erased
    rolling              stands while the next takes the place of the present: `finish` goes on

What is in use is replaced only by what the server has taken in a handshake. Connections that are
open go on; new ones show the new certificate (`certs.renewal`).
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from certs.est import client, lists, timing
from certs.est.answer import Issued
from certs.est.client import Holder
from certs.est.errors import EstError, WaitError
from certs.identity import IdentityFiles, Trust, lfdi
from certs.keys.opening import key_store
from certs.keys.store import KeyStore
from certs.pem import (
    der,
    read_certificates,
    write_certificates,
    write_file,
)
from certs.tls import client_context
from certs.verify import hardware_name
from der.sentence import say
from hems.settings.config import Config
from hems.settings.toml_file import ConfigError
from hems.settings.utility_section import UtilitySection

LOOK_EVERY_S: Final = 3600.0
LISTS_EVERY_S: Final = 86400.0
_SOON: Final = 0.15
"""Share of a life that is left when the owner is told that renewing fails."""
_CHANCES: Final = 16**8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rolling:
    """The files of one utility, and what comes next.

    Attributes:
        present: The certificate and key in use.
        trust: The roots and lists in use.
        keys: What keeps the keys.
    """

    present: IdentityFiles
    trust: Trust
    keys: KeyStore

    @property
    def next(self) -> IdentityFiles:
        """The certificate and key that come next."""
        folder = self.present.certificate.parent
        return IdentityFiles(folder / "next.pem", folder / "next.key", self.keys)

    @property
    def _former(self) -> Path:
        return self.present.key.with_name("former.key")

    @property
    def _mark(self) -> Path:
        return self.present.certificate.with_name("rolling")

    def roll(self) -> None:
        """Put the next in the place of the present.

        Raises:
            CertificateError: A file cannot be moved; `finish` goes on where this stopped.
        """
        write_file(self._mark, b"", mode=0o600)
        self.finish()

    def finish(self) -> None:
        """Go on with what a power cut has interrupted; else do nothing.

        Raises:
            CertificateError: A file cannot be moved.
        """
        if not self._mark.exists():
            return
        try:
            if self.next.key.exists():
                if self.present.key.exists():
                    self.present.key.replace(self._former)
                self.next.key.replace(self.present.key)
            if self.next.certificate.exists():
                self.next.certificate.replace(self.present.certificate)
            if self._former.exists():
                self.keys.erase(self._former)
            self._mark.unlink()
        except OSError as error:
            raise CertificateError(f"{self._mark}: cannot be ended: {error.strerror}") from error


def finish(config: Config) -> None:
    """Go on with every renewal that a power cut has interrupted; before the files are used.

    Raises:
        CertificateError: A file cannot be moved.
    """
    for each in _renewed(config):
        _rolling(config, each).finish()


class Renewer:
    """Renews the certificates of a home that were got by EST.

    Args:
        config: Returns what the home's files say now.
        now: UTC epoch seconds.
        alarm: Told, of a utility by its name, in one sentence what the owner should know; None
            when it is well again.
        chance: Spreads the tries of many homes.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        now: Callable[[], float],
        alarm: Callable[[str, str | None], None],
        chance: random.Random | None = None,
    ) -> None:
        self._config = config
        self._now = now
        self._alarm = alarm
        self._chance = chance or random.SystemRandom()
        self._failures: dict[str, int] = {}
        self._lists_at: dict[str, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            wait_s = await self.look()
            await asyncio.sleep(wait_s)

    async def look(self) -> float:
        """Renew what is due; returns after how many seconds to look again."""
        try:
            config = await asyncio.to_thread(self._config)
        except ConfigError:
            return LOOK_EVERY_S  # said by who follows the files
        waits = [await self._look_at(config, each) for each in _renewed(config)]
        return min(waits, default=LOOK_EVERY_S)

    async def _look_at(self, config: Config, section: UtilitySection) -> float:
        """Renew one certificate if it is due, else its lists if they are."""
        ends, left_s = 0.0, 0.0
        try:
            chain = await asyncio.to_thread(read_certificates, section.certificate)
            begins, ends = (
                at.timestamp()
                for at in (chain[0].not_valid_before_utc, chain[0].not_valid_after_utc)
            )
            now = self._now()
            left_s = ends - now
            due = timing.renew_at(begins, ends, int(lfdi(der(chain[0]))[:8], 16) / _CHANCES)
            rolling = _rolling(config, section)
            if await asyncio.to_thread(lists.forget, rolling.present, rolling.trust, now):
                _log.info("%s: a root whose time is over is forgotten", section.trust)
            if due is None or now < due:
                await self._refresh_lists(section, rolling)
                self._alarm(section.name, None)
                return min(LOOK_EVERY_S, LOOK_EVERY_S if due is None else max(1.0, due - now))
            await _renew(section, rolling, self._now)
        except (CertificateError, EstError) as error:
            return self._failed(section, error, ends, left_s)
        _log.info("%s: the certificate was renewed", section.certificate)
        self._failures.pop(section.name, None)
        self._alarm(section.name, None)
        return LOOK_EVERY_S

    def _failed(
        self, section: UtilitySection, error: CertificateError, ends: float, left_s: float
    ) -> float:
        failures = self._failures[section.name] = self._failures.get(section.name, 0) + 1
        _log.warning("%s: not renewed, attempt %d: %s", section.certificate, failures, error)
        life_s = _life_s(section)
        if life_s is not None and left_s < life_s * _SOON:
            self._alarm(
                section.name,
                say(
                    "The certificate for the utility ends on {date} and could not be renewed: "
                    "{why}",
                    date=f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%d}",
                    why=str(error),
                ),
            )
        asked_s = error.again_s if isinstance(error, WaitError) else 0.0
        return timing.wait_s(failures, self._chance.random(), left_s, asked_s)

    async def _refresh_lists(self, section: UtilitySection, rolling: Rolling) -> None:
        """Get the revocation lists of today, once a day."""
        now = self._now()
        if section.est is None or now < self._lists_at.get(section.name, 0.0) + LISTS_EVERY_S:
            return
        await lists.refresh(section.est, rolling.present, rolling.trust, self._now)
        self._lists_at[section.name] = now
        self._failures.pop(section.name, None)


async def renew_now(config: Config, now: Callable[[], float]) -> Sequence[UtilitySection]:
    """Renew every certificate that was got by EST, due or not; a hub that runs takes them up.

    Args:
        config: The home's settings.
        now: UTC epoch seconds.

    Returns:
        Those of which it was renewed.

    Raises:
        EstError: A utility gives none; what was in use goes on.
        CertificateError: A file or key cannot be used.
    """
    done = []
    for section in _renewed(config):
        rolling = _rolling(config, section)
        await asyncio.to_thread(rolling.finish)
        await _renew(section, rolling, now)
        done.append(section)
    return done


async def _renew(section: UtilitySection, rolling: Rolling, now: Callable[[], float]) -> None:
    """Get the next certificate, prove it, and put it in the place of the present one."""
    if section.est is None:
        return
    coming, keys = rolling.next, rolling.keys
    if not coming.key.exists():
        await asyncio.to_thread(keys.make, coming.key)
    trusted = await asyncio.to_thread(lists.trusted, rolling.present, rolling.trust)
    own = (await asyncio.to_thread(read_certificates, rolling.present.certificate))[0]
    issued = await client.renew(
        section.est,
        trusted,
        Holder(rolling.present, hardware_name(own)),
        keys.signer(coming.key),
        now,
    )
    await asyncio.to_thread(_keep, rolling, issued)
    await client.prove(section.est, issued, coming)
    await asyncio.to_thread(rolling.roll)


def _keep(rolling: Rolling, issued: Issued) -> None:
    write_certificates(rolling.next.certificate, issued.chain)
    lists.keep(rolling.trust, issued)
    client_context(rolling.next, rolling.trust)  # says now what is wrong with them


def _life_s(section: UtilitySection) -> float | None:
    try:
        own = read_certificates(section.certificate)[0]
    except CertificateError:
        return None
    return (own.not_valid_after_utc - own.not_valid_before_utc).total_seconds()


def _renewed(config: Config) -> Iterable[UtilitySection]:
    return (each for each in config.utility if each.est is not None)


def _rolling(config: Config, section: UtilitySection) -> Rolling:
    keys = key_store(config.keys.settings)
    present = IdentityFiles(section.certificate, section.key, keys)
    return Rolling(present, Trust(section.trust, section.crls), keys)
