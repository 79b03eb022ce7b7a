"""What every user of the MQTT library has to do around its client."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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


def trusting(roots: Path) -> ssl.SSLContext:
    """Return what a broker is met with: its chain ends in these roots and names its host.

    Not the library's default: from Python 3.13 on that wants extensions that certificates made at
    home often lack, and a broker let in on one Debian would be refused on the next.

    Args:
        roots: PEM.

    Raises:
        OSError: They cannot be read, or there is none among them (`ssl.SSLError`).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=roots)
    return context
