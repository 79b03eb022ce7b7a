"""Messages over NATS: requests with their replies, and, with JetStream, what must not be lost.

Who sends a message is told by its subject (`PREFIX.request.PEER`, `PREFIX.send.PEER`); that nobody
else publishes there is for the NATS server's permissions to see to.
"""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Any, Final

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StreamConfig
from nats.js.errors import APIError, NotFoundError

from hems.headend.cim.peers import Peers
from hems.headend.cim.postman import NotBroughtError
from hems.headend.cim.service import Outcome, Sent, Service
from hems.headend.cim.settings import NATS, NatsSettings
from hems.headend.errors import BusyError, SettingsError

QUEUE: Final = "headend"
_WITHIN_S: Final = 10.0
_FETCH_S: Final = 5.0
_AGAIN_S: Final = 2.0
_KEPT_S: Final = 7 * 86_400.0
"""How long JetStream keeps what was published."""
_TWICE_S: Final = 120.0
"""In which time a message that is published twice is told by its id."""
_AT_ONCE: Final = 10
_FAILURES: Final = (NatsError, TimeoutError, OSError)

_log = logging.getLogger(__name__)


class NatsCarrier:
    """Takes messages from NATS, and brings them there.

    Args:
        settings: Where the server is.
        service: Takes messages.
        peers: Who may send any.

    Attributes:
        ready: Set while it listens.
        streams: Whether the server has JetStream.
    """

    def __init__(self, settings: NatsSettings, service: Service, peers: Peers) -> None:
        self._settings = settings
        self._service = service
        self._peers = peers
        self._client: Client | None = None
        self._js: JetStreamContext | None = None
        self.ready = asyncio.Event()

    @property
    def streams(self) -> bool:
        """Whether the server has JetStream."""
        return self._js is not None

    async def run(self) -> None:
        """Listen until cancelled; a server that is away is asked again.

        Raises:
            SettingsError: The password or the roots cannot be read.
        """
        options, task = _options(self._settings), asyncio.current_task()
        try:
            # The client swallows a cancellation that meets it while it closes.
            while task is None or not task.cancelling():
                try:
                    await self._listen(options)
                except _FAILURES as error:
                    _log.warning("NATS is away: %s", error or type(error).__name__)
                await self._leave()
                await asyncio.sleep(_AGAIN_S)
        finally:
            await self._leave()
        raise asyncio.CancelledError

    async def bring(self, address: str, message_id: str, body: bytes) -> None:
        """Publish a message; where a stream keeps its subject, it is kept when this returns.

        Raises:
            NotBroughtError: It could not be published.
        """
        subject = address.removeprefix(NATS)
        if self._client is None or not self._client.is_connected:
            raise NotBroughtError("NATS is away")
        headers = {"Nats-Msg-Id": message_id}
        try:
            if self._js is not None and await self._kept(self._js, subject):
                await self._js.publish(subject, body, timeout=_WITHIN_S, headers=headers)
            else:
                await self._client.publish(subject, body, headers=headers)
                await self._client.flush(round(_WITHIN_S))
        except _FAILURES as error:
            raise NotBroughtError(str(error) or type(error).__name__) from error

    async def _listen(self, options: dict[str, Any]) -> None:
        prefix = self._settings.prefix
        closed = asyncio.Event()

        async def on_closed() -> None:
            closed.set()

        self._client = client = await nats.connect(
            list(self._settings.servers), closed_cb=on_closed, **options
        )
        self._js = await self._streams(client)
        await client.subscribe(f"{prefix}.request.*", queue=QUEUE, cb=self._on_request)
        if self._js is None:
            await client.subscribe(f"{prefix}.send.*", queue=QUEUE, cb=self._on_send)
        await client.flush(round(_WITHIN_S))
        self.ready.set()
        if self._js is None:
            await closed.wait()
            return
        fetching = asyncio.create_task(self._fetch(self._js), name="cim fetch")
        waiting = asyncio.create_task(closed.wait(), name="cim closed")
        try:
            await asyncio.wait({fetching, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            fetching.cancel()
            ended = await asyncio.gather(fetching, waiting, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def _streams(self, client: Client) -> JetStreamContext | None:
        """Make the streams; return None where the server has no JetStream."""
        js, prefix = client.jetstream(timeout=_WITHIN_S), self._settings.prefix
        name = prefix.replace(".", "_").upper()
        try:
            await js.account_info()
        except _FAILURES as error:
            _log.warning("the NATS server has no JetStream: what is sent is not kept: %s", error)
            return None
        for config in (
            StreamConfig(
                name=f"{name}_SEND",
                subjects=[f"{prefix}.send.*"],
                retention=RetentionPolicy.WORK_QUEUE,
                max_age=_KEPT_S,
                duplicate_window=_TWICE_S,
            ),
            StreamConfig(
                name=f"{name}_EVENT",
                subjects=[f"{prefix}.event.*"],
                max_age=_KEPT_S,
                duplicate_window=_TWICE_S,
            ),
        ):
            try:
                await js.stream_info(config.name or "")
            except NotFoundError:
                await js.add_stream(config)
        return js

    async def _kept(self, js: JetStreamContext, subject: str) -> bool:
        if subject.startswith(f"{self._settings.prefix}.event."):
            return True
        try:
            await js.find_stream_name_by_subject(subject)
        except APIError:
            return False
        return True

    async def _fetch(self, js: JetStreamContext) -> None:
        subject = f"{self._settings.prefix}.send.*"
        pulling = await js.pull_subscribe(subject, durable=QUEUE)
        while True:
            try:
                messages = await pulling.fetch(_AT_ONCE, timeout=_FETCH_S)
            except TimeoutError:
                continue
            for message in messages:
                outcome = await self._take(message, answers=False)
                if outcome is None or outcome.final:
                    await message.ack()
                else:
                    await message.nak(delay=_AGAIN_S)

    async def _on_request(self, message: Msg) -> None:
        outcome = await self._take(message, answers=bool(message.reply))
        if outcome is not None and message.reply:
            try:
                await message.respond(outcome.body)
            except _FAILURES as error:
                _log.warning("an answer over NATS is lost: %s", error)

    async def _on_send(self, message: Msg) -> None:
        await self._take(message, answers=False)

    async def _take(self, message: Msg, *, answers: bool) -> Outcome | None:
        name = message.subject.rpartition(".")[2]
        peer = self._peers.by_name(name)
        if peer is None:
            _log.warning("a message of %r over NATS: nobody of this name is known", name[:64])
            return None
        try:
            return await self._service.take(Sent(message.data, peer, "nats", answers))
        except BusyError as error:
            _log.warning("a message of %s over NATS cannot be taken now: %s", name, error)
            return Outcome(503, b"", final=False)

    async def _leave(self) -> None:
        self.ready.clear()
        client, self._client, self._js = self._client, None, None
        if client is not None and not client.is_closed:
            try:
                await asyncio.wait_for(client.close(), _WITHIN_S)
            except _FAILURES as error:
                _log.info("leaving NATS: %s", error)


def _options(settings: NatsSettings) -> dict[str, Any]:
    """Return how the server is connected to."""
    options: dict[str, Any] = {
        "name": "hems-headend",
        "max_reconnect_attempts": 5,
        "reconnect_time_wait": _AGAIN_S,
        "connect_timeout": round(_WITHIN_S),
        "error_cb": _on_error,
    }
    if settings.password_file is not None:
        secret = _secret(settings.password_file)
        options |= (
            {"token": secret}
            if settings.user is None
            else {"user": settings.user, "password": secret}
        )
    if settings.ca is not None or any(each.startswith("tls:") for each in settings.servers):
        try:
            options["tls"] = ssl.create_default_context(cafile=settings.ca)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"cim.nats.ca {settings.ca}: {error}") from error
    return options


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cim.nats.password_file {path}: cannot be read: {error}") from error


async def _on_error(error: Exception) -> None:
    _log.warning("NATS: %s", error or type(error).__name__)
