"""The one connection to the home's MQTT broker, for all devices behind it.

It is made anew, with growing pauses, whenever it is lost; everything is then subscribed again.
While it is away each device's calls end in one TransientError that says so.
"""

import asyncio
import logging
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from der.addresses import BrokerSettings, Shared
from der.description import Now
from der.drivers.mqtt.points import Message
from der.drivers.mqtt.twin import Twin
from der.errors import PermanentError, TransientError
from der.lifeline import Lifeline
from der.mqtt import connected
from der.oddity import Oddity, Tell, What, untold
from der.sentence import say
from der.tls import trusting

_log = logging.getLogger(__name__)

_KEEPALIVE_S: Final = 10
_CALL_S: Final = 3.0
"""Longest wait for the broker's answer to any one call."""
_CANCEL_AGAIN_S: Final = 0.1
_FIRST_PAUSE_S: Final = 0.2
_ECHO: Final = "hems/echo"
_REFUSED: Final = 0x80
"""From this code on a subscription is not granted (MQTT 3.1.1, 3.9.3)."""
_NAMED: Final = 3
_BROKER: Final = "broker"
_NOT_LET_IN: Final = frozenset({4, 5, 134, 135})
"""Bad user name or password, not authorized (MQTT 3.1.1, 3.2.2.3; of version 5, 3.2.2.2)."""
_LAST_PAUSE_S: Final = 10.0
_MOST_WAITING: Final = 10_000
"""Messages that may wait to be read; what comes beyond is dropped by the library."""
_library: Final = logging.getLogger(f"{__name__}.library")
_library.setLevel(logging.CRITICAL)  # what it complains of comes to us as errors, and is said once


class Broker:
    """The connection; one instance serves all devices.

    Args:
        settings: Where the broker is, and who we are there.
        now: UTC epoch seconds.
    """

    def __init__(self, settings: BrokerSettings, now: Now) -> None:
        self._settings = settings
        self.now = now
        self._twins: defaultdict[str, list[Twin]] = defaultdict(list)
        self._client: aiomqtt.Client | None = None
        self._life = Lifeline()
        self._why = "not connected yet"
        self._said: str | None = None
        self._running: asyncio.Task[None] | None = None
        self._connecting = False
        self._sending: set[asyncio.Task[None]] = set()
        self._up = asyncio.Event()
        self._tell: Tell = untold

    def tell_by(self, tell: Tell) -> None:
        """Have somebody told who refuses us, and who meddles (`der.oddity.Telling`)."""
        self._tell = tell
        for twins in self._twins.values():
            for twin in twins:
                twin.tell = tell

    def __str__(self) -> str:
        return f"MQTT broker at {self._settings.host}:{self._settings.port}"

    def add(self, twin: Twin) -> None:
        """Route what is told on a device's topics to it; before `start`."""
        twin.tell = self._tell
        for topic in twin.topics:
            self._twins[topic].append(twin)

    @property
    def connected(self) -> bool:
        """Whether the connection stands and everything is subscribed."""
        return self._up.is_set()

    async def start(self) -> None:
        """Begin to connect, and go on for ever.

        Raises:
            PermanentError: The files for TLS cannot be used.
        """
        tls = self._tls()
        if self._running is None:
            self._running = asyncio.create_task(self._run(tls), name="mqtt broker")
            self._running.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End the connection; calling it again does nothing."""
        running, self._running = self._running, None
        if running is None:
            return
        while self._connecting and not running.done():
            # Cancelled now, the library's thread would leave a socket behind.
            await asyncio.wait({running}, timeout=0.05)
        pending = {running, *self._sending}
        while pending:
            # More than once: `asyncio.wait_for`, which the library uses, loses a cancellation
            # that comes together with the answer it waits for (until Python 3.12).
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)

    def check(self, device: str) -> None:
        """Raise TransientError while the broker is away."""
        if not self._up.is_set():
            raise TransientError(f"{device}: {self} is away: {self._why}")

    async def until_up(self, device: str, within_s: float) -> None:
        """Return once the connection stands.

        Raises:
            TransientError: It does not, so long.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._up.wait()
        self.check(device)

    @asynccontextmanager
    async def standing(self, device: str, what: str, within_s: float) -> AsyncIterator[None]:
        """Run the body while the connection stands, for at most `within_s`.

        Raises:
            TransientError: The connection went, or the time was over.
        """
        self.check(device)
        life = self._life
        try:
            async with life.bounded(within_s):
                yield
        except TimeoutError as error:
            self.check(device)
            raise TransientError(f"{device}: {what} within {within_s:g} s") from error

    async def publish(self, device: str, messages: Iterable[Message]) -> None:
        """Publish messages in order, each confirmed by the broker (QoS 1).

        Raises:
            TransientError: The broker is away, or did not confirm in time.
        """
        for message in messages:
            self.check(device)
            client = self._client
            if client is None:
                continue
            for twin in self._twins.get(message.topic, ()):
                twin.sends(message)
            async with self.standing(device, f"{message.topic}: not confirmed", _CALL_S):
                try:
                    await client.publish(
                        message.topic, message.payload, qos=1, retain=message.retain
                    )
                except aiomqtt.MqttError as error:
                    raise TransientError(
                        f"{device}: {message.topic}: not taken by the {self}: {error}"
                    ) from error

    async def _run(self, tls: ssl.SSLContext | None) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            self._life = Lifeline()
            try:
                async with AsyncExitStack() as stack:
                    client = await self._connect(stack, tls)
                    pause_s = _FIRST_PAUSE_S
                    await self._converse(client)
            except (aiomqtt.MqttError, ssl.SSLError) as error:
                self._lost(_in_words(error), _odd(error))
            finally:
                self._client = None
                self._up.clear()
                self._life.cut(self._why)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LAST_PAUSE_S)

    async def _connect(self, stack: AsyncExitStack, tls: ssl.SSLContext | None) -> aiomqtt.Client:
        settings = self._settings
        client = aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.username or None,
            password=settings.password or None,
            tls_context=tls,
            tls_insecure=False if tls is not None else None,
            keepalive=_KEEPALIVE_S,
            timeout=_CALL_S,
            logger=_library,
            max_queued_incoming_messages=_MOST_WAITING,
        )
        self._connecting = True
        try:
            return await stack.enter_async_context(connected(client))
        finally:
            self._connecting = False

    async def _converse(self, client: aiomqtt.Client) -> None:
        # What comes back to us comes after all that the broker has retained: only then is it known
        # what devices' owners had set, and only then may a device be given back.
        echo = f"{_ECHO}/{client.identifier}"
        topics = [*self._twins, echo]
        granted = await client.subscribe([(topic, 1) for topic in topics])
        codes = [code.value if isinstance(code, ReasonCode) else code for code in granted]
        refused = [t for t, code in zip(topics, codes, strict=False) if code >= _REFUSED]
        if refused:
            named = ", ".join(refused[:_NAMED])
            _log.warning("%s does not let us hear %s", self, named)
            why = say("the broker does not let the hub hear {topics}", topics=named)
            self._tell(Oddity(What.REFUSED, why, _BROKER, self._settings.host))
        self._client = client
        late = asyncio.get_running_loop().call_later(_CALL_S, self._rise)
        try:
            await client.publish(echo, "", qos=1)
            async for message in client.messages:
                if message.topic.value == echo:
                    late.cancel()
                    self._rise()
                else:
                    self._route(client, message)
        finally:
            late.cancel()

    def _rise(self) -> None:
        """Note that the connection stands."""
        if self._said is not None:
            _log.info("%s is back", self)
        self._said, self._why = None, "the connection was lost"
        self._up.set()

    def _route(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        topic = message.topic.value
        payload = message.payload if isinstance(message.payload, bytes) else b""
        for twin in self._twins.get(topic, ()):
            for answer in twin.take(topic, payload, retained=bool(message.retain)):
                twin.sends(answer)
                sending = asyncio.create_task(self._send_on(client, answer))
                self._sending.add(sending)
                sending.add_done_callback(self._sending.discard)

    async def _send_on(self, client: aiomqtt.Client, message: Message) -> None:
        """Tell a device that is awake just now; what it tells next says whether it heard."""
        with suppress(aiomqtt.MqttError):
            await client.publish(message.topic, message.payload, qos=1, retain=message.retain)

    def _lost(self, why: str, odd: What | None) -> None:
        self._why = why
        if odd is not None:
            said = say("the broker: {why}", why=why)
            self._tell(Oddity(odd, said, _BROKER, self._settings.host))
        if self._said != why:
            self._said = why
            _log.warning("%s is away: %s; trying again", self, why)

    def _ended(self, running: asyncio.Task[None]) -> None:
        """Say it if the work itself has failed: a fault in the program."""
        if not running.cancelled() and (fault := running.exception()) is not None:
            self._why = f"a fault in the program: {fault!r}"
            _log.error("%s is left", self, exc_info=fault)

    def _tls(self) -> ssl.SSLContext | None:
        files = self._settings.tls
        if files is None:
            return None
        try:
            context = trusting(files.trust)
            if files.certificate is not None:
                context.load_cert_chain(files.certificate, files.key)
        except OSError as error:  # ssl.SSLError is one
            raise PermanentError(f"{self}: its TLS files cannot be used: {error}") from error
        return context


def service(shared: Shared, now: Now) -> Broker:
    """Return the connection to the home's broker, not started."""
    return Broker(shared.broker, now)


def _odd(error: aiomqtt.MqttError | ssl.SSLError) -> What | None:
    """Return what it is where the broker refuses us, or is another; None for any other trouble."""
    if isinstance(error, aiomqtt.MqttCodeError):
        code = error.rc.value if isinstance(error.rc, ReasonCode) else error.rc
        return What.REFUSED if code in _NOT_LET_IN else None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return What.FALSE_SERVER
        seen = seen.__cause__ or seen.__context__
    return None


def _in_words(error: Exception) -> str:
    words = str(error).strip()
    return words or type(error).__name__
