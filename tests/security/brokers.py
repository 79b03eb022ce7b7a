"""Attacks by who is on the home's broker, and by who stands in the broker's place."""

import asyncio
import shutil
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.mqtt.certificate import Made, self_signed, signed_by
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.porch import PLUG, PLUG_W, Porch
from tests.security.relay import listening
from tests.waiting import until

Do = Callable[[Porch], Awaitable[str]]
_WITHIN_S: Final = 30.0
_FLOOD: Final = 5_000
_HUGE: Final = 4 << 20
_TLS_HANDSHAKE: Final = 0x16
"""The first octet of a TLS handshake: MQTT would begin otherwise."""
_NONSENSE: Final = (
    b"",
    b"\xff\x00",
    b"nonsense",
    b"[]",
    b'{"state": "ON", "power": NaN}',
    b'{"state": "ON", "power": 1e300}',
    b'{"state": "ON", "power": -1e300}',
    b'{"state": "ON", "power": "0; DROP TABLE readings"}',
    b'{"state": {"__proto__": 1}, "power": {}}',
    b"{" * 100_000,
)


async def _seen(porch: Porch) -> set[float | None]:
    """Return the powers that the hub believes of the plug, in some cycles."""
    seen: set[float | None] = set()
    first = (await porch.cycle()).seq
    while (await porch.cycle()).seq < first + 3:
        tile = (await porch.home()).tile("plug")
        if tile.quality == "good":
            seen.add(tile.power_w)
        await asyncio.sleep(0.05)
    return seen


async def forged(porch: Porch) -> str:
    """Tell of the plug's state what cannot be."""
    for payload in _NONSENSE:
        await porch.broker.say(PLUG, payload)
    seen = await _seen(porch)
    assert seen <= {PLUG_W}, f"the hub believes {seen}"
    return "what cannot be is not believed"


async def beyond(porch: Porch) -> str:
    """Tell that a plug of 800 W draws a megawatt, and go on with it."""
    task = asyncio.create_task(_repeated(porch, b'{"state": "ON", "power": 1000000}'))
    try:
        seen = await _seen(porch)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not any(power is not None and power > 10 * PLUG_W for power in seen), f"it took {seen}"
    return f"of a megawatt it believes {sorted(power for power in seen if power is not None)}"


async def _repeated(porch: Porch, payload: bytes) -> None:
    async with porch.broker.client() as client:
        while True:
            await client.publish(PLUG, payload, qos=0)
            await asyncio.sleep(0.02)


async def huge(porch: Porch) -> str:
    """Tell 4 MB."""
    await porch.broker.say(PLUG, b'{"power": "' + b"9" * _HUGE + b'"}')
    seen = await _seen(porch)
    assert seen <= {PLUG_W}, f"the hub believes {seen}"
    return "it is not believed"


async def flood(porch: Porch) -> str:
    """Tell nonsense as fast as it goes."""
    async with porch.broker.client() as client:
        for number in range(_FLOOD):
            await client.publish(PLUG, f"nonsense {number}", qos=0)
    seen = await _seen(porch)
    assert seen <= {PLUG_W}, f"the hub believes {seen}"
    said = [line for line in await porch.lines(Where.HUB) if PLUG in line]
    assert len(said) < 20, f"{len(said)} lines for it"
    return f"{len(said)} lines for {_FLOOD} messages"


async def retained(porch: Porch) -> str:
    """Leave a state at the broker that is told to whoever comes, and cut the hub's connection."""
    await porch.broker.say(PLUG, b'{"state": "ON", "power": 5}', retain=True)
    await porch.broker.say("zigbee2mqtt/bridge/state", b'{"state": 7}', retain=True)
    await porch.broker.say("zigbee2mqtt/bridge/devices", b"[[[]]]", retain=True)
    try:
        porch.wire.taken_over(None)
        await until(lambda: _calls(porch), bool, _WITHIN_S, "the hub comes back")
        seen = await _seen(porch)
    finally:
        for topic in (PLUG, "zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/devices"):
            await porch.broker.say(topic, b"", retain=True)
    assert 5 not in seen, "what nobody knows the age of is believed"
    return "what was left there is not believed"


async def _calls(porch: Porch) -> int:
    return porch.wire.calls


async def others(porch: Porch) -> str:
    """As a device, ask on the home's own topics for what makes no sense."""
    hub = await _hub(porch)
    before = await _setpoints(porch)
    for topic, payload in (
        (f"{hub}/home/acknowledge/set", b"\xff"),
        (f"{hub}/device-plug/limit/set", b"1e9"),
        (f"{hub}/device-plug/limit/set", b"NaN"),
        (f"{hub}/device-plug/limit/set", b"9" * 100_000),
        (f"{hub}/device-plug/pause/set", b"true"),
        (f"{hub}/device-nobody/pause/set", b"ON"),
        (f"{hub}/../device-plug/pause/set", b"ON"),
        (f"{hub}/event-FFFF/part/set", b"OFF"),
    ):
        await porch.broker.say(topic, payload)
    await _seen(porch)
    after = await _setpoints(porch)
    assert before == after, f"{before} became {after}"
    return "nothing is asked of any device"


async def _setpoints(porch: Porch) -> float | None:
    return (await porch.home()).tile("plug").setpoint_w


async def _hub(porch: Porch) -> str:
    """Return where the home stands on the broker, as everybody there can read."""
    async with porch.broker.client() as client:
        await client.subscribe("hems/#", qos=1)
        async with asyncio.timeout(_WITHIN_S):
            async for message in client.messages:
                parts = message.topic.value.split("/")
                if len(parts) > 2:
                    return "/".join(parts[:2])
    raise AssertionError("the home is not on the broker")


async def loops(porch: Porch) -> str:
    """Send each state that the hub tells, and each order that it gives, back where it came from."""
    hub = await _hub(porch)
    told = 0
    async with porch.broker.client() as client:
        await client.subscribe([(f"{hub}/#", 0), (f"{PLUG}/set", 0), ("homeassistant/#", 0)])
        end = asyncio.get_running_loop().time() + 5.0
        try:
            async with asyncio.timeout_at(end):
                async for message in client.messages:
                    topic = message.topic.value
                    payload = bytes(message.payload or b"")[:100]
                    if not topic.endswith("/set"):
                        await client.publish(f"{topic}/set", payload)
                        continue
                    told += topic == f"{PLUG}/set"
                    await client.publish(PLUG, payload)
        except TimeoutError:
            pass
    assert told <= 10, f"{told} orders to the plug within 5 s"
    return f"{told} orders to the plug"


def stood_in(make: Callable[[Porch], Made | None]) -> Do:
    """Have somebody else answer in the broker's place, and listen to what the hub tells them."""

    async def attempt(porch: Porch) -> str:
        made = await asyncio.to_thread(make, porch)
        context: ssl.SSLContext | None = None
        if made is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(made.certificate, made.key)
        heard: list[bytes] = []

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                heard.append(await reader.read(1000))
            writer.close()

        async with listening(take, context) as port:

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await porch.wire.pass_on(port, reader, writer)

            porch.wire.taken_over(serve)
            try:
                # Its two connections: of the devices, and of what is told to Home Assistant.
                await until(lambda: _calls(porch), lambda n: n > 1, _WITHIN_S, "the hub calls")
            finally:
                porch.wire.taken_over(None)
        told = [each for each in heard if each and each[0] != _TLS_HANDSHAKE]
        assert not told, f"it was told {told[0][:60]!r}"
        return "refused, and told nothing"

    return attempt


def _foreign(porch: Porch) -> Made:
    folder = _fresh(porch)
    return self_signed(folder, "localhost", timedelta(days=1))


def _of_another_name(porch: Porch) -> Made:
    own = porch.broker.folder
    authority = Made(own / "broker.pem", own / "broker.key")
    return signed_by(authority, _fresh(porch), "elsewhere.example", timedelta(days=1))


def _expired(porch: Porch) -> Made:
    own = porch.broker.folder
    authority = Made(own / "broker.pem", own / "broker.key")
    return signed_by(authority, _fresh(porch), "localhost", timedelta(minutes=30))


def _none(_porch: Porch) -> None:
    return None


def _fresh(porch: Porch) -> Path:
    folder = porch.folder / f"certificate{porch.number()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


async def _rightly(porch: Porch) -> str:
    return await porch.plug_is_read()


def _row(
    id_: str,
    does: str,
    attempt: Do,
    defence: str,
    says: str,
    *,
    where: Where = Where.HUB,
    quick: bool = False,
    silent: str = "",
) -> Attack[Porch]:
    return Attack(
        f"broker-{id_}",
        Kind.DEVICES,
        does,
        attempt,
        defence,
        None if silent else Entry(where, says),
        _rightly,
        "^the plug draws",
        silent,
        deep=not quick,
    )


_AWAY: Final = "WARNING .*MQTT broker at localhost:.* is away: .*"
ROWS: Final[Sequence[Attack[Porch]]] = [
    _row(
        "forged",
        "Tells of a plug what cannot be",
        forged,
        "^what cannot be",
        f"WARNING .*plug: {PLUG}: ",
        where=Where.HUB_RUN,
        quick=True,
    ),
    _row(
        "beyond",
        "Tells that a plug of 800 W draws 1 MW",
        beyond,
        "^of a megawatt",
        f"WARNING .*plug: {PLUG}: ",
        where=Where.HUB_RUN,
    ),
    _row("huge", "Tells 4 MB of a plug", huge, "^it is not", f"plug: {PLUG}", where=Where.HUB_RUN),
    _row(
        "flood",
        f"Tells nonsense {_FLOOD} times",
        flood,
        "lines for",
        "device-(hostile|quarantined).*plug",
        where=Where.SECURITY,
    ),
    _row(
        "retained",
        "Leaves junk at the broker for whoever comes",
        retained,
        "^what was left",
        "",
        silent="what is retained is usual, and its age is not known",
    ),
    _row(
        "others-topics",
        "Asks on the home's own topics for nonsense",
        others,
        "^nothing is asked",
        "WARNING .*Home Assistant: ",
        quick=True,
    ),
    _row(
        "loop",
        "Sends all that the hub says back to it",
        loops,
        "orders to the plug$",
        "",
        silent="each message is one that anybody on the broker may send",
    ),
    _row(
        "wrong-ca",
        "Answers in the broker's place with a certificate of nobody's",
        stood_in(_foreign),
        "^refused, and told nothing",
        _AWAY + "(?i:certificate)",
        quick=True,
    ),
    _row(
        "wrong-name",
        "Answers in its place with another host's certificate of the right CA",
        stood_in(_of_another_name),
        "^refused, and told nothing",
        _AWAY + "(?i:certificate|hostname)",
    ),
    _row(
        "expired",
        "Answers in its place with a certificate that has expired",
        stood_in(_expired),
        "^refused, and told nothing",
        _AWAY + "(?i:certificate)",
    ),
    _row(
        "plain",
        "Answers in its place without TLS",
        stood_in(_none),
        "^refused, and told nothing",
        _AWAY,
    ),
]
