"""The aggregator's signal, as it comes over MQTT: judged, and handed on.

Why MQTT: the signal comes every two to four seconds and is worth nothing a few seconds later. An
event of IEEE 2030.5 is kept, answered and resolved against others, each time; a broker's connection
that the home opens itself carries the signal through any router, encrypted, at the cost of some
hundred bytes. What the home is committed to, from when to when, stays with 2030.5.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import aiomqtt

from der.mqtt import connected
from hems.regulation.message import Refused, Taken, judge
from hems.regulation.settings import Source

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 1.0
_AGAIN_LATER_S: Final = 30.0
_LONG_S: Final = 60.0
"""A connection that stood for so long was well."""
_SAY_EVERY: Final = 100
"""So many refusals are one line of the log, after the first."""


class Feed:
    """Follows one topic.

    Args:
        source: Where it is.
        last: Returns the number of the last message that was taken.
        taken: Called with each message that counts.
        now: Returns UTC as epoch seconds.
    """

    def __init__(
        self,
        source: Source,
        last: Callable[[], int],
        taken: Callable[[Taken], None],
        now: Callable[[], float],
    ) -> None:
        self._source = source
        self._last = last
        self._taken = taken
        self._now = now
        self._refused = 0
        self._counted_at = time.monotonic()
        self.refusal = ""
        """Why the last message was refused; empty after one that counts."""

    async def run(self) -> None:
        """Follow it until cancelled; a broker that is lost is tried again."""
        pause_s = _AGAIN_S
        while True:
            began = time.monotonic()
            try:
                await self._follow()
            except (aiomqtt.MqttError, OSError) as error:
                _log.warning("no regulation signal from %s: %s", self._source.broker.host, error)
            if time.monotonic() - began > _LONG_S:
                pause_s = _AGAIN_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _AGAIN_LATER_S)

    async def _follow(self) -> None:
        async with connected(_client(self._source)) as client:
            await client.subscribe(self._source.topic, qos=0)
            _log.info("the regulation signal is followed on topic %s", self._source.topic)
            async for message in client.messages:
                self._take(message)

    def _take(self, message: aiomqtt.Message) -> None:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        fresh_s, since_s = self._source.fresh_s, time.monotonic() - self._counted_at
        # After so long no copy is fresh any more: a lower number is of one who counts anew.
        last = self._last() if since_s <= 2 * fresh_s else -1
        said = judge(payload, last, self._now(), fresh_s)
        if isinstance(said, Refused):
            if self._refused % _SAY_EVERY == 0:
                _log.warning("a regulation signal is refused: %s", said.why)
            self._refused += 1
            self.refusal = said.why
            return
        self.refusal, self._counted_at = "", time.monotonic()
        self._taken(said)


def _client(source: Source) -> aiomqtt.Client:
    broker, tls = source.broker, None
    if broker.tls is not None:
        tls = aiomqtt.TLSParameters(
            ca_certs=str(broker.tls.trust),
            certfile=None if broker.tls.certificate is None else str(broker.tls.certificate),
            keyfile=None if broker.tls.key is None else str(broker.tls.key),
        )
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username or None,
        password=broker.password or None,
        tls_params=tls,
        keepalive=15,
    )
