"""Attacks on the page by many requests and slow ones, and through the owner's browser."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from hems.access.rights import Role
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.logins import owner_gets_in, status_of
from tests.security.street import Street
from tests.security.visits import Ask, Browser, cookie_of, log_in, send

Do = Callable[[Street], Awaitable[str]]
_SLOW: Final = 100
_POINT: Final = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
_AUTH: Final = "BTBZMqHH6r4Tts7J_aSIgg"


async def slow_headers(street: Street) -> str:
    """Open many connections and send a header's octet at a time (slowloris)."""
    page, address = street.page, street.address()
    async with AsyncExitStack() as held:
        writers = []
        for _ in range(_SLOW):
            _, writer = await asyncio.open_connection(page.host, page.port, local_addr=(address, 0))
            held.callback(writer.close)
            writer.write(b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            writers.append(writer)
        for _ in range(20):
            for writer in writers:
                writer.write(b"X")
            await asyncio.sleep(0.1)
        return await send(street, Ask())


async def slow_body(street: Street) -> str:
    """Begin a body and never end it."""
    ask = Ask(
        "POST",
        "/api/login",
        (("Content-Length", "4000"), ("Origin", "http://{host}")),
        b"{",
        sized=False,
    )
    return await send(street, ask)


async def flood(street: Street) -> str:
    """Ask 2,000 times as fast as it goes."""
    address = street.address()
    ended: dict[int, int] = {}
    async with Browser(street, address) as session:

        async def ask() -> None:
            for _ in range(100):
                status = await status_of(session, "GET", "/api/home")
                ended[status] = ended.get(status, 0) + 1

        await asyncio.gather(*(ask() for _ in range(20)))
    assert set(ended) <= {401, 429}, ended
    return f"answers {ended}"


async def streams(street: Street) -> str:
    """As somebody of the house, open more streams than there may be, and read none."""
    cookie = await cookie_of(street, street.people[Role.HOUSEHOLD])
    page, address = street.page, street.address()
    host = f"{page.host}:{page.port}"
    ask = Ask(path="/api/stream", headers=(("Cookie", cookie),)).octets(host)
    refused = 0
    async with AsyncExitStack() as held:
        for _ in range(60):
            reader, writer = await asyncio.open_connection(
                page.host, page.port, local_addr=(address, 0)
            )
            held.callback(writer.close)
            writer.write(ask)
            async with asyncio.timeout(10):
                refused += b" 503 " in await reader.readline()
    assert refused, "all 60 were opened"
    return f"{60 - refused} streams, then 503"


async def cached(street: Street) -> str:
    """Read the owner's answers out of a cache that others share."""
    cookie = await cookie_of(street, street.people[Role.OWNER])
    bad = []
    for path in ("/api/home", "/api/me", "/api/people", "/api/trail", "/api/devices"):
        answer = await send(street, Ask(path=path, headers=(("Cookie", cookie),)), "127.0.0.1")
        head = answer.partition("\r\n\r\n")[0].lower()
        if "cache-control: no-store" not in head:
            bad.append(path)
    assert not bad, f"may be kept: {bad}"
    return "no-store on each"


async def framed(street: Street) -> str:
    """Lay the page, transparent, over a page of one's own (clickjacking)."""
    answer = await send(street, Ask(path="/"), "127.0.0.1")
    head = answer.partition("\r\n\r\n")[0].lower()
    assert "x-frame-options: deny" in head
    assert "frame-ancestors 'none'" in head
    return "no frame may hold it: frame-ancestors 'none', X-Frame-Options DENY"


async def _subscribe(street: Street, endpoint: str, address: str) -> str:
    order = {
        "endpoint": endpoint,
        "keys": {"p256dh": _POINT, "auth": _AUTH},
        "called": "Phone",
        "subjects": ["alarms"],
        "language": "en",
        "quiet": None,
    }
    async with Browser(street, address) as session:
        await log_in(session, street.people[Role.HOUSEHOLD])
        async with session.put("/api/push/subscriptions", json=order) as answer:
            return f"{answer.status} {await answer.text()}"


def push_to(endpoint: str) -> Do:
    """Have the hub send its messages to somewhere within the home (SSRF)."""

    async def attempt(street: Street) -> str:
        return await _subscribe(street, endpoint, street.address())

    return attempt


async def _push_rightly(street: Street) -> str:
    return await _subscribe(street, "https://push.example.com/x", "127.0.0.1")


def _row(
    id_: str,
    does: str,
    attempt: Do,
    defence: str,
    entry: Entry | None,
    *,
    silent: str = "",
    deep: bool = True,
    rightly: Do = owner_gets_in,
) -> Attack[Street]:
    return Attack(id_, Kind.WEB, does, attempt, defence, entry, rightly, "^200 ", silent, deep=deep)


_REFUSED: Final = Entry(Where.SECURITY, "request-refused")
ROWS: Final[Sequence[Attack[Street]]] = [
    _row(
        "web-slow-headers",
        f"Sends the headers of {_SLOW} requests octet by octet",
        slow_headers,
        "^200 ",
        None,
        silent="nothing has been asked yet that could be refused",
    ),
    _row(
        "web-slow-body",
        "Begins a body and never ends it",
        slow_body,
        "^408 ",
        Entry(Where.SECURITY, "request-malformed"),
    ),
    _row("web-flood", "Asks 2,000 times as fast as it goes", flood, "^answers", _REFUSED),
    _row(
        "web-streams",
        "Opens more streams than there may be",
        streams,
        "then 503",
        None,
        silent="who may see the home may open a stream; that there are no more is said to them",
    ),
    _row(
        "web-cache",
        "Reads the owner's answers out of a shared cache",
        cached,
        "^no-store",
        None,
        silent="it asks the cache, not the hub",
    ),
    _row(
        "web-frame",
        "Lays the page over one of its own",
        framed,
        "^no frame",
        None,
        silent="the browser refuses it",
    ),
    *(
        _row(
            f"ssrf-push-{name}",
            f"Has messages to phones sent to {endpoint}",
            push_to(endpoint),
            "^400 .*(address|network|https)",
            Entry(Where.SECURITY, "request-malformed"),
            rightly=_push_rightly,
        )
        for name, endpoint in {
            "loopback": "https://127.0.0.1/x",
            "metadata": "https://169.254.169.254/latest/meta-data",
            "plain": "http://push.example.com/x",
            "file": "file:///etc/passwd",
            "home": "https://192.168.1.1/admin",
        }.items()
    ),
]
