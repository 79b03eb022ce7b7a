"""Finding what has announced itself at the home's MQTT broker."""

from collections.abc import AsyncGenerator

import aiomqtt

from der.addresses import BrokerSettings
from der.discovery.found import Found
from der.discovery.payloads import ASK, ASK_TOPIC, TOPICS, of
from der.errors import TransientError
from der.tls import trusting


async def announced(broker: BrokerSettings) -> AsyncGenerator[Found, None]:
    """Yield what is announced, until the caller has enough.

    Raises:
        TransientError: The broker does not answer, or does not let us in.
    """
    where = f"MQTT broker {broker.host}:{broker.port}"
    try:
        context = None
        if broker.tls is not None:
            context = trusting(broker.tls.trust)
        async with aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username or None,
            password=broker.password or None,
            tls_context=context,
            timeout=5.0,
        ) as client:
            for topic in TOPICS:
                await client.subscribe(topic)
            await client.publish(ASK_TOPIC, ASK)
            async for message in client.messages:
                if isinstance(message.payload, bytes):
                    for found in of(message.topic.value, message.payload):
                        yield found
    except (aiomqtt.MqttError, OSError) as error:
        raise TransientError(f"{where}: {error}") from error
