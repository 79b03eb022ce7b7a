"""Sends what the rules found to an address that the owner named: JSON by POST, signed.

What waits is kept over a restart, oldest first, and bounded. Failures are tried again, later each
time. The body is signed by HMAC-SHA256 in the header `X-Hems-Signature` ("sha256=" and hex); the
time is in the body, so that who receives it can tell what is old.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from hems.clock import Clock
from hems.emg.threats.telling import Told
from hems.outward import Ring, RingResolver, ring_of_host
from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 100
GIVE_UP_S: Final = 7 * 86_400.0
FIRST_WAIT_S: Final = 5.0
LONGEST_WAIT_S: Final = 3600.0
SIGNATURE: Final = "X-Hems-Signature"
_ANSWER_S: Final = 20.0
_NAME: Final = "webhook"
_LETTERS: Final = TypeAdapter(tuple[str, ...])
_LONGEST_SECRET: Final = 4096
_SHORTEST_SECRET: Final = 16


class WebhookError(Exception):
    """The webhook cannot be used as it is configured."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where it is sent.

    Attributes:
        url: The address.
        secret: By which it is signed.
        private: Whether it may be an address of this machine or the home's network.
        trust: Whom the server's certificate must come from; None for the system's roots.
    """

    url: str
    secret: bytes
    private: bool = False
    trust: ssl.SSLContext | None = None


def read_secret(path: Path) -> bytes:
    """Return the secret of a file.

    Raises:
        WebhookError: It cannot be read, or is too short to be one.
    """
    try:
        with path.open("rb") as file:
            secret = file.read(_LONGEST_SECRET).strip()
    except OSError as error:
        raise WebhookError(f"threats.webhook_secret: {path}: {error.strerror}") from error
    if len(secret) < _SHORTEST_SECRET:
        raise WebhookError(
            f"threats.webhook_secret: {path}: has fewer than {_SHORTEST_SECRET} characters"
        )
    return secret


def check_address(url: str, *, private: bool) -> None:
    """Look whether an address may be the webhook's; what a name leads to is seen at each use.

    Args:
        url: The address.
        private: Whether it may be one of this machine or of the home's network.

    Raises:
        WebhookError: It may not.
    """
    host = URL(url).host or ""
    if not private and ring_of_host(host) is not Ring.INTERNET:
        raise WebhookError(
            f"threats.webhook: {host!r} is not on the internet; webhook_private allows it"
        )


def signature(secret: bytes, body: bytes) -> str:
    """Return what the header says of a body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def letter(told: Told, hub: str) -> Mapping[str, object]:
    """Return what is sent of a finding.

    Args:
        told: What was found.
        hub: By which the hub is known.
    """
    finding = told.finding
    return {
        "hub": hub,
        "at": finding.at,
        "threat": finding.threat.value,
        "severity": finding.severity.value,
        "text": str(finding.text),
        "advice": str(finding.advice),
        "done": str(told.done),
        "about": finding.about,
        "source": finding.source,
        "row": told.row,
        "evidence": list(finding.evidence),
        "link": told.link.hex(),
    }


class Webhook:
    """The queue, and who sends it.

    Args:
        hook: Where to.
        settings: Where what waits is kept.
        clock: Where the time comes from.
        hub: By which the hub is known.
        first_wait_s: Pause after a first failure, doubled after each further one.
    """

    def __init__(
        self,
        hook: Hook,
        settings: Settings,
        clock: Clock,
        hub: str,
        *,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._hook = hook
        self._settings = settings
        self._clock = clock
        self._hub = hub
        self._first_wait_s = first_wait_s
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._kept = ""

    @property
    def waiting(self) -> int:
        """How many findings wait to be sent."""
        return len(self._waiting)

    def take(self, told: Told) -> None:
        """Take a finding; of more than can wait the oldest is lost."""
        if len(self._waiting) == MOST_WAITING:
            _log.warning("too much waits for the webhook: the oldest is lost")
        self._waiting.append(json.dumps(letter(told, self._hub), ensure_ascii=False))
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled."""
        await self._recall()
        wait_s = self._first_wait_s
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=1,
                resolver=None if self._hook.private else RingResolver(Ring.INTERNET),
                ssl=True if self._hook.trust is None else self._hook.trust,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        ) as session:
            while True:
                self._news.clear()
                await self._keep()
                if not self._waiting:
                    await self._news.wait()
                    continue
                first = self._waiting[0]
                if self._old(first) or await self._send(session, first):
                    if self._waiting and self._waiting[0] is first:
                        self._waiting.popleft()
                    wait_s = self._first_wait_s
                else:
                    await asyncio.sleep(wait_s)
                    wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _send(self, session: aiohttp.ClientSession, text: str) -> bool:
        """Send one; returns whether that is done with: taken, or never going to be."""
        body = text.encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(self._hook.secret, body),
        }
        try:
            async with (
                asyncio.timeout(_ANSWER_S),
                session.post(
                    self._hook.url, data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("the webhook does not answer: %s", error)
            return False
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return True
        _log.warning("the webhook does not take it: status %d", status)
        return False

    def _old(self, text: str) -> bool:
        found: Mapping[str, object] = json.loads(text)
        at = found.get("at")
        return isinstance(at, float | int) and self._clock.now() - at > GIVE_UP_S

    async def _recall(self) -> None:
        try:
            kept = (await self._settings.all()).get(_NAME)
            before = () if kept is None else _LETTERS.validate_json(kept)
        except (StoreError, ValidationError) as error:
            _log.warning("what waited for the webhook is not known: %s", error)
            return
        since = list(self._waiting)
        self._waiting.clear()
        self._waiting.extend([*before, *since])

    async def _keep(self) -> None:
        text = _LETTERS.dump_json(tuple(self._waiting)).decode()
        if text == self._kept:
            return
        try:
            await self._settings.put(_NAME, text)
        except StoreError as error:
            _log.warning("what waits for the webhook is not kept: %s", error)
        else:
            self._kept = text
