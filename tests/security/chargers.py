"""Attacks on the door at which chargers call (OCPP): who gets in, and what is said inside."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import quote, urlsplit

import aiohttp

from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.porch import Porch, anybody
from tests.waiting import until

Do = Callable[[Porch], Awaitable[str]]
IDENTITY: Final = "ev"
_WITHIN_S: Final = 20.0
_FLOOD: Final = 3_000
_OVERSIZED: Final = 1 << 20
_CALLS: Final = 3
_BOOT: Final = {"chargePointVendor": "Maker", "chargePointModel": "Model E"}


class EndedError(AssertionError):
    """The hub has ended the connection instead of answering."""


@asynccontextmanager
async def calling(
    porch: Porch,
    identity: str = IDENTITY,
    password: str | None = None,
    context: ssl.SSLContext | None = None,
    address: str = "",
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Call in as a charger; the right password is used if none is said, and none if it is ""."""
    given = porch.password if password is None else password
    auth = {"Authorization": aiohttp.encode_basic_auth(identity, given)} if given else {}
    connector = aiohttp.TCPConnector(
        local_addr=(address or porch.address(), 0), ssl=context or anybody()
    )
    url = porch.charger + quote(identity, safe="")
    async with (
        asyncio.timeout(_WITHIN_S),
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect(url, protocols=("ocpp1.6",), headers=auth) as socket,
    ):
        yield socket


async def asks(
    socket: aiohttp.ClientWebSocketResponse, action: str, payload: object, key: str = "1"
) -> list[object]:
    """Make a call; returns the frame that answers it. What the hub asks meanwhile is refused.

    Raises:
        EndedError: The hub ended the connection.
    """
    await socket.send_str(json.dumps([2, key, action, payload]))
    while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
        frame = json.loads(message.data)
        if frame[0] == 2:
            await socket.send_str(json.dumps([4, frame[1], "NotSupported", "", {}]))
        elif frame[1] == key:
            return list(frame)
    raise EndedError(f"the hub ended the connection before it answered {action}")


async def boots(porch: Porch) -> str:
    """Call in rightly, and again as a charger does whose line the hub has just made anew."""
    for _ in range(_CALLS - 1):
        with suppress(ConnectionError, EndedError):
            return await _booted(porch)
    return await _booted(porch)


async def _booted(porch: Porch) -> str:
    async with calling(porch) as socket:
        return json.dumps(await asks(socket, "BootNotification", _BOOT))


def refused(identity: str, password: str | None) -> Do:
    """Call in with what is not right."""

    async def attempt(porch: Porch) -> str:
        try:
            async with calling(porch, identity, password):
                return "let in"
        except aiohttp.WSServerHandshakeError as error:
            return f"{error.status} {error.message}"

    return attempt


def raw(path: str) -> Do:
    """Ask for a path as it stands, octet by octet."""

    async def attempt(porch: Porch) -> str:
        return await _spoken(porch, _upgrade(path, porch), anybody())

    return attempt


def _upgrade(path: str, porch: Porch) -> bytes:
    auth = aiohttp.encode_basic_auth(IDENTITY, porch.password)
    return (
        f"GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: {auth}\r\n\r\n"
    ).encode()


async def _spoken(porch: Porch, sent: bytes, context: ssl.SSLContext | None) -> str:
    url = urlsplit(porch.charger)
    try:
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection(
                url.hostname, url.port, ssl=context, local_addr=(porch.address(), 0)
            )
            try:
                writer.write(sent)
                got = await reader.readline()
            finally:
                writer.close()
    except OSError as error:  # of TLS as well
        return f"refused: {type(error).__name__}"
    line = got.decode("latin-1").removeprefix("HTTP/1.1 ").strip()
    return line or "refused: closed without an answer"


async def plain(porch: Porch) -> str:
    """Call without TLS, so that the password can be read on the line."""
    return await _spoken(porch, _upgrade(f"/ocpp/{IDENTITY}", porch), None)


async def old_tls(porch: Porch) -> str:
    """Call with TLS 1.1 at best."""
    context = anybody()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return await _spoken(porch, _upgrade(f"/ocpp/{IDENTITY}", porch), context)


async def oversized(porch: Porch) -> str:
    """Send a frame of 1 MB."""
    async with calling(porch) as socket:
        await socket.send_str("[" + "1," * (_OVERSIZED // 2) + "1]")
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        return f"closed with code {message.data}"


async def garbage(porch: Porch) -> str:
    """Send what is no OCPP: the connection goes on."""
    async with calling(porch) as socket:
        await socket.send_bytes(b"\0\xff" * 100)
        for text in (
            "nonsense",
            "{",
            "[" * 30_000,
            "{}",
            "[2]",
            "[9, 1, 1]",
            '[2, "a", "Heartbeat", []]',
            '[2, "b", "MeterValues", {"connectorId": NaN}]',
            '[2, "c", "MeterValues", {"connectorId": 1e999}]',
            '[2, "d", "../../etc/passwd", {}]',
            '[2, "e", "__class__", {"x": 1}]',
            '[3, "never asked", {"status": "Accepted"}]',
            '[4, "never asked", "InternalError", "", {}]',
        ):
            await socket.send_str(text)
        answer = await asks(socket, "Heartbeat", {}, "last")
        assert "currentTime" in json.dumps(answer), answer
        return "the next good call is answered"


async def unknown_action(porch: Porch) -> str:
    """Call what there is not."""
    async with calling(porch) as socket:
        return json.dumps(await asks(socket, "UnlockTheHouse", {}))


async def twice(porch: Porch) -> str:
    """Answer each of the hub's calls twice, at first well and then otherwise."""
    async with calling(porch) as socket:
        await socket.send_str(json.dumps([2, "boot", "BootNotification", _BOOT]))
        answered = 0
        while answered < 2:
            frame = json.loads(await socket.receive_str())
            if frame[0] == 2:
                for status in ("Accepted", "Rejected", "Accepted"):
                    await socket.send_str(json.dumps([3, frame[1], {"status": status}]))
                answered += 1
        answer = await asks(socket, "Heartbeat", {}, "last")
        assert "currentTime" in json.dumps(answer), answer
        return f"{answered} calls answered three times over, and the next good call is answered"


async def flood(porch: Porch) -> str:
    """Call as fast as it goes."""
    async with calling(porch) as socket:
        for number in range(_FLOOD):
            await socket.send_str(json.dumps([2, f"f{number}", "Heartbeat", {}]))
        answered = 0
        while answered < _FLOOD:
            frame = json.loads(await socket.receive_str())
            answered += frame[0] == 3
    return f"{answered} of {_FLOOD} answered"


async def displaced(porch: Porch) -> str:
    """Call under the identity of a charger that is there, without its password."""
    async with calling(porch) as right:
        await asks(right, "BootNotification", _BOOT)
        answer = await refused(IDENTITY, "a guess")(porch)
        still = await asks(right, "Heartbeat", {}, "still")
        assert "currentTime" in json.dumps(still), still
        return f"{answer}, and the right one is still there"


async def crowd(porch: Porch) -> str:
    """Call under ever new identities, so that the list of callers grows."""
    answers = [
        await refused(f"stranger {porch.number()} {number}", None)(porch) for number in range(100)
    ]
    assert set(answers) == {answers[0]}, set(answers)

    async def remembered() -> int:
        return sum("unknown identity 'stranger" in line for line in await porch.lines(Where.HUB))

    said = await until(remembered, lambda _: True, 1.0, "the log is read")
    assert said <= 40, f"{said} lines for 100 strangers"
    return answers[0]


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
        f"charger-{id_}",
        Kind.DEVICES,
        does,
        attempt,
        defence,
        None if silent else Entry(where, says),
        boots,
        '"Accepted"',
        silent,
        deep=not quick,
    )


_IGNORED: Final = "ignored a frame from the charger"
ROWS: Final[Sequence[Attack[Porch]]] = [
    _row(
        "wrong-password",
        "Calls as the charger with a wrong password",
        refused(IDENTITY, "a guess"),
        "^401 ",
        r"WARNING .*refused a charger: a wrong password \(from 127\.67",
        quick=True,
    ),
    _row(
        "no-password",
        "Calls as the charger without a password",
        refused(IDENTITY, ""),
        "^401 ",
        r"WARNING .*refused a charger: no password \(from 127\.67",
    ),
    _row(
        "other-identity",
        "Calls as another charger with this one's password",
        refused("ev2", None),
        "^404 ",
        "WARNING .*refused a charger: unknown identity 'ev2'",
        quick=True,
    ),
    _row(
        "traversal",
        "Has the way out of a folder for its identity",
        refused("../../../etc/passwd", None),
        "^404 ",
        r"WARNING .*unknown identity '\.\./\.\./\.\./etc/passwd'",
    ),
    _row(
        "traversal-raw",
        "Asks for /ocpp/ev/../../etc/passwd",
        raw("/ocpp/ev/../../etc/passwd"),
        "^404 ",
        "",
        silent="there is no such resource, and nothing that is looked for in a folder",
    ),
    _row(
        "script",
        "Has a script with a line's end for its identity",
        refused("<script>\r\nWARNING x</script>", None),
        "^404 ",
        "",
        silent="an identity that cannot be printed is not written down",
    ),
    _row(
        "plain",
        "Calls without TLS",
        plain,
        "^refused|^400 ",
        "refused a charger: its TLS handshake failed: http request",
        where=Where.HUB_RUN,
        quick=True,
    ),
    _row(
        "old-tls",
        "Calls with TLS 1.1",
        old_tls,
        "^refused",
        "refused a charger: its TLS handshake failed",
        where=Where.HUB_RUN,
    ),
    _row(
        "displaced",
        "Calls as a charger that is there, to push it out",
        displaced,
        "^401 .*still there",
        "WARNING .*a wrong password",
        quick=True,
    ),
    _row(
        "crowd",
        "Calls under a hundred identities",
        crowd,
        "^404 ",
        "unknown identity 'stranger",
        where=Where.HUB_RUN,
    ),
    _row(
        "garbage",
        "As the charger, sends what is no OCPP",
        garbage,
        "^the next good call",
        _IGNORED,
        where=Where.HUB_RUN,
        quick=True,
    ),
    _row(
        "unknown-action",
        "As the charger, calls what there is not",
        unknown_action,
        "NotImplemented|NotSupported",
        _IGNORED,
        where=Where.HUB_RUN,
    ),
    _row(
        "oversized",
        "As the charger, sends a frame of 1 MB",
        oversized,
        "^closed with code 1009",
        "WARNING .*ev: ended the charger's connection: .*over 65536 bytes",
    ),
    _row(
        "answers-twice",
        "As the charger, answers each call three times over",
        twice,
        "^2 calls answered three times",
        "",
        silent="an answer that comes late and again is usual on a poor line",
    ),
    _row(
        "flood",
        f"As the charger, makes {_FLOOD} calls as fast as it goes",
        flood,
        "answered$",
        "",
        silent="each call is good, and it costs the control cycle nothing",
    ),
]
