"""Keeps Home Assistant told, and hears what it asks. The broker being away disturbs nothing."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiomqtt

from der.mqtt import connected
from der.often import Often
from der.tls import trusting
from hems.clock import Clock
from hems.homeassistant.commands import (
    Acknowledge,
    Command,
    CommandError,
    EndWish,
    Lasting,
    TakePart,
    WishPower,
    parse,
)
from hems.homeassistant.entities import entities, groups, security
from hems.homeassistant.entity import OFFLINE, ONLINE, Places
from hems.homeassistant.settings import FoundLast, HomeAssistantSettings, TrustError
from hems.surface import HomeSurface, SurfaceError

_log = logging.getLogger(__name__)

_KEEPALIVE_S: Final = 20
_CALL_S: Final = 5.0
_FIRST_PAUSE_S: Final = 0.5
_LAST_PAUSE_S: Final = 30.0
_AGAIN_S: Final = 0.1
_MOST_WAITING: Final = 100
_FAREWELL_S: Final = 2.0
_LONGEST_TOPIC: Final = 100


@asynccontextmanager
async def publishing(
    surface: HomeSurface,
    settings: HomeAssistantSettings,
    clock: Clock,
    found: FoundLast = lambda: None,
) -> AsyncIterator[None]:
    """Publish the home while the context lasts.

    Raises:
        TrustError: The broker's root certificates cannot be used.
    """
    publisher = Publisher(surface, settings, clock, found)
    task = asyncio.create_task(publisher.run(), name="home assistant")
    task.add_done_callback(_say_why)
    try:
        yield
    finally:
        await _ended(task, again_s=2 * _FAREWELL_S)


class Publisher:
    """One home's publication.

    Args:
        surface: The running home.
        settings: Where and how.
        clock: Where wishes take their end from.
        found: Returns what threatened the home last.

    Raises:
        TrustError: The broker's root certificates cannot be used.
    """

    def __init__(
        self,
        surface: HomeSurface,
        settings: HomeAssistantSettings,
        clock: Clock,
        found: FoundLast = lambda: None,
    ) -> None:
        self._found = found
        self._surface = surface
        self._settings = settings
        self._clock = clock
        self._places = Places(settings.hub, settings.prefix)
        self._tls = _tls(settings)
        self._durations: dict[str, str] = {}
        self._sent: dict[str, str] = {}
        self._retained: set[str] = set()
        self._again = asyncio.Event()
        self._said: str | None = None
        self._nonsense = Often(clock.now)
        self._refused = Often(clock.now)

    async def run(self) -> None:
        """Connect for ever, with growing pauses."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with connected(self._client()) as client:
                    pause_s = _FIRST_PAUSE_S
                    await self._converse(client)
            except (aiomqtt.MqttError, ssl.SSLError) as error:
                self._lost(str(error) or type(error).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LAST_PAUSE_S)

    def _client(self) -> aiomqtt.Client:
        settings = self._settings
        quiet = logging.getLogger(f"{__name__}.library")
        quiet.setLevel(logging.CRITICAL)  # its complaints come to us as errors
        return aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.username or None,
            password=settings.password or None,
            tls_context=self._tls,
            will=aiomqtt.Will(self._places.availability, OFFLINE, 1, retain=True),
            keepalive=_KEEPALIVE_S,
            timeout=_CALL_S,
            logger=quiet,
            max_queued_incoming_messages=_MOST_WAITING,
        )

    async def _converse(self, client: aiomqtt.Client) -> None:
        places = self._places
        self._sent.clear()
        await client.subscribe([(places.commands, 1), (places.birth, 1), (places.announced, 1)])
        await client.publish(places.availability, ONLINE, qos=1, retain=True)
        if self._said is not None:
            _log.info("Home Assistant's broker is back")
            self._said = None
        hearing = asyncio.create_task(self._hear(client))
        telling = asyncio.create_task(self._tell_all(client))
        try:
            done, _ = await asyncio.wait((hearing, telling), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except asyncio.CancelledError:
            await _ended(hearing, telling)
            await self._say_farewell(client)
            raise
        finally:
            await _ended(hearing, telling)

    async def _say_farewell(self, client: aiomqtt.Client) -> None:
        """Say that the home is not there, as the broker would if it were killed."""
        try:
            await client.publish(
                self._places.availability, OFFLINE, qos=1, retain=True, timeout=_FAREWELL_S
            )
        except aiomqtt.MqttError:
            _log.debug("the broker was not told of the end; its last will tells it")

    async def _tell_all(self, client: aiomqtt.Client) -> None:
        async for _ in self._surface.changes():
            await self._tell(client)

    async def _tell(self, client: aiomqtt.Client) -> None:
        """Publish what is new since the last time."""
        home = self._surface.snapshot()
        if self._again.is_set():
            self._again.clear()
            self._sent.clear()
        found = (*entities(home, self._durations), security(self._found()))
        known = groups(home, self._places, self._settings.name)
        configs = {e.topic(self._places): e.config(self._places, known[e.about]) for e in found}
        states = {t: s for entity in found for t, s in entity.states(self._places).items()}
        for topic in self._retained - configs.keys() - states.keys():
            await client.publish(topic, "", qos=1, retain=True)
            self._retained.discard(topic)
            self._sent.pop(topic, None)
        await self._publish(client, configs)
        await self._publish(client, states)

    async def _publish(self, client: aiomqtt.Client, payloads: Mapping[str, str]) -> None:
        for topic, payload in payloads.items():
            if self._sent.get(topic) != payload:
                await client.publish(topic, payload, qos=1, retain=True)
                self._sent[topic] = payload
                self._retained.add(topic)

    async def _hear(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = message.topic.value
            payload = message.payload if isinstance(message.payload, bytes) else b""
            if topic == self._places.birth:
                if payload == ONLINE.encode():
                    self._again.set()  # it has started anew, and may have lost what it knew
            elif topic.endswith("/config"):
                # Announced by a run before this one, of an event or device that is no more.
                if message.retain and payload:
                    self._retained.add(topic)
            elif message.retain:
                _leave_out(
                    self._nonsense, topic, "a retained command is nobody's wish of now; left out"
                )
            else:
                await self._obey(topic, payload)

    async def _obey(self, topic: str, payload: bytes) -> None:
        try:
            command = parse(self._places, topic, payload, self._surface.snapshot(), self._durations)
            await self._do(command)
        except (CommandError, SurfaceError) as error:
            of_sense = isinstance(error, SurfaceError)
            _leave_out(self._refused if of_sense else self._nonsense, topic, str(error))
            self._again.set()  # so that it shows again what holds

    async def _do(self, command: Command) -> None:
        match command:
            case TakePart(event, part):
                await (self._surface.opt_in(event) if part else self._surface.opt_out(event))
            case Acknowledge(messages):
                for message in messages:
                    await self._surface.acknowledge(message)
            case WishPower(device, power_w, seconds):
                await self._surface.wish(device, power_w, self._clock.now() + seconds)
            case EndWish(device):
                await self._surface.end_wish(device)
            case Lasting(device, duration):
                self._durations[device] = duration

    def _lost(self, why: str) -> None:
        if why != self._said:
            self._said = why
            at = f"{self._settings.host}:{self._settings.port}"
            _log.warning("Home Assistant's broker at %s is away: %s; trying again", at, why)


def _tls(settings: HomeAssistantSettings) -> ssl.SSLContext | None:
    if settings.trust is None:
        return None
    try:
        return trusting(settings.trust)
    except OSError as error:
        raise TrustError(f"mqtt.trust: {settings.trust}: cannot be used: {error}") from error


def _leave_out(troubles: Often, topic: str, why: str) -> None:
    """Say what is not done, seldom: anybody at the broker may send ever more of it."""
    words = troubles.say(f"{topic[:_LONGEST_TOPIC]!r}: {why}")
    if words is not None:
        _log.warning("Home Assistant: %s", words)


def _say_why(task: asyncio.Task[None]) -> None:
    """Say it if the publication has ended by itself: a fault in the program."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        _log.error("Home Assistant is not told any more", exc_info=fault)


async def _ended(*tasks: asyncio.Task[None], again_s: float = _AGAIN_S) -> None:
    """Cancel tasks, again after `again_s`, until each has ended.

    More than once, because `asyncio.wait_for`, which the library uses, loses a cancellation that
    comes together with the answer it waits for (until Python 3.12).
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_s)
    await asyncio.gather(*tasks, return_exceptions=True)
