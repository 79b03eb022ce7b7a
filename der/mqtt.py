"""What every user of the MQTT library has to do around its client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt


@asynccontextmanager
async def connected(client: aiomqtt.Client) -> AsyncIterator[aiomqtt.Client]:
    """Run the body with a connected client.

    The library keeps the reason of a connection's end in a future. Nobody asks for it where the
    body was left by another error first, and asyncio then logs, at some later time, that it was
    never retrieved: it is taken note of here.

    Raises:
        aiomqtt.MqttError: The broker cannot be reached, does not let us in, or is lost.
    """
    async with client:
        try:
            yield client
        finally:
            client._disconnected.add_done_callback(  # noqa: SLF001 - it has no public name
                lambda end: None if end.cancelled() else end.exception()
            )
