"""Attacks on getting in: guessing, timing, sessions that are over, rights that grow."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

import aiohttp

from hems.access.rights import Role
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.street import Street
from tests.security.visits import Ask, Browser, cookie_of, log_in, send

_POINT: Final = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
_AUTH: Final = "BTBZMqHH6r4Tts7J_aSIgg"
Do = Callable[[Street], Awaitable[str]]
_GUESSES: Final = 12
_SLOW: Final = 100
_TIMED: Final = 9
_APART: Final = 2.0
"""An answer that takes twice as long for a name that there is tells that there is such a name."""


async def _status(
    session: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> int:
    async with session.request(method, path, json=body) as answer:
        return answer.status


async def _owner_gets_in(street: Street) -> str:
    async with Browser(street, "127.0.0.1") as session:
        await log_in(session, street.people[Role.OWNER])
        return f"{await _status(session, 'GET', '/api/home')} "


async def _guess(street: Street, address: str, name: str, times: int) -> list[int]:
    async with Browser(street, address) as session:
        return [
            await _status(session, "POST", "/api/login", {"name": name, "password": f"guess {i}"})
            for i in range(times)
        ]


async def brute_force(street: Street) -> str:
    """Try passwords for the owner, one after another."""
    ended = await _guess(street, street.address(), street.people[Role.OWNER].name, _GUESSES)
    assert set(ended) <= {403, 429}, f"answers: {ended}"
    return f"{ended.count(403)} wrong, then {ended.count(429)} not even tried (429)"


async def brute_force_at_once(street: Street) -> str:
    """The same, all at the same time, so that none is known to be wrong before the others."""
    address, name = street.address(), street.people[Role.OWNER].name
    many = await asyncio.gather(*(_guess(street, address, name, 1) for _ in range(_GUESSES * 2)))
    ended = [status for each in many for status in each]
    assert set(ended) <= {403, 429}, f"answers: {ended}"
    assert 429 in ended, "all were tried"
    return f"{ended.count(403)} wrong, then {ended.count(429)} not even tried (429)"


async def spray(street: Street) -> str:
    """Try one password for many names."""
    async with Browser(street, street.address()) as session:
        ended = [
            await _status(
                session, "POST", "/api/login", {"name": f"user {i}", "password": "Summer2026"}
            )
            for i in range(25)
        ]
    assert set(ended) <= {403, 429}, f"answers: {ended}"
    return f"{ended.count(403)} wrong, then {ended.count(429)} not even tried (429)"


async def tokens(street: Street) -> str:
    """Try tokens."""
    address = street.address()
    ended = []
    for number in range(20):
        bearer = {"Authorization": f"Bearer {number:043d}"}
        async with Browser(street, address, bearer) as session:
            ended.append(await _status(session, "GET", "/api/home"))
    assert set(ended) <= {401, 429}, f"answers: {ended}"
    return f"{len(ended)} tokens, none good (401)"


async def timing(street: Street) -> str:
    """Tell by the time of the answer whether there is an account of a name."""
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    names = {"known": street.people[Role.AUDITOR].name, "unknown": "Somebody who is not there"}
    for _ in range(_TIMED):
        for kind, name in names.items():
            began = time.perf_counter()
            (status,) = await _guess(street, street.address(), name, 1)
            took[kind].append(time.perf_counter() - began)
            assert status == 403, status
    known, unknown = (statistics.median(took[kind]) for kind in ("known", "unknown"))
    assert 1 / _APART < known / unknown < _APART, f"{known:.3f} s known, {unknown:.3f} s unknown"
    return f"same answer 403, in {known * 1000:.0f} ms with an account and {unknown * 1000:.0f} without"


async def after_logout(street: Street) -> str:
    """Use a session's cookie after its owner has logged out."""
    cookie = await cookie_of(street, street.people[Role.HOUSEHOLD])
    headers = (("Cookie", cookie), ("Origin", "http://{host}"))
    first = await send(street, Ask(path="/api/home", headers=headers))
    assert first.startswith("200 "), first[:60]
    await send(street, Ask("POST", "/api/logout", headers))
    return await send(street, Ask(path="/api/home", headers=headers))


async def fixation(street: Street) -> str:
    """Have somebody log in with a cookie that the attacker knows."""
    planted = "hems-session=" + "A" * 43
    async with Browser(street, street.address(), {"Cookie": planted}) as victim:
        given = await log_in(victim, street.people[Role.HOUSEHOLD])
    assert given != planted, "the planted session was taken over"
    return await send(street, Ask(path="/api/home", headers=(("Cookie", planted),)))


async def others_session(street: Street) -> str:
    """As a member of the household, end the owner's sessions by their numbers."""
    async with Browser(street, street.address()) as session:
        await log_in(session, street.people[Role.HOUSEHOLD])
        mine = {each["id"] for each in (await _sessions(session))}
        ended = [
            await _status(session, "DELETE", f"/api/me/sessions/{number}")
            for number in range(1, 30)
            if number not in mine
        ]
    assert set(ended) == {404}, f"answers: {ended}"
    return f"404 for each of {len(ended)}"


async def _sessions(session: aiohttp.ClientSession) -> list[dict[str, int]]:
    async with session.get("/api/me/sessions") as answer:
        found: list[dict[str, int]] = (await answer.json())["sessions"]
        return found


def grows(role: Role) -> Do:
    """Have somebody make themselves the owner."""

    async def attempt(street: Street) -> str:
        async with Browser(street, street.address()) as session:
            await log_in(session, street.people[role])
            ended = [
                await _status(session, "PUT", f"/api/people/{number}", {"role": "owner"})
                for number in range(1, 7)
            ]
            ended += [
                await _status(
                    session, "PUT", "/api/me/language", {"language": "en", "role": "owner"}
                ),
                await _status(session, "POST", "/api/tokens", {"name": "x", "role": "owner"}),
            ]
            async with session.get("/api/me") as answer:
                me = await answer.json()
        assert me["role"] == role.value, me
        assert not {200, 201, 204} & set(ended), f"answers: {ended}"
        return f"answers {sorted(set(ended))}, still {me['role']}"

    return attempt


async def unproved(street: Street) -> str:
    """Find the owner's page open, and wipe the home with a token, which nobody can be asked for."""
    async with Browser(street, "127.0.0.1") as owner:
        await log_in(owner, street.people[Role.OWNER])
        async with owner.post("/api/tokens", json={"name": "All", "role": "owner"}) as answer:
            token = (await answer.json())["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    async with Browser(street, street.address(), bearer) as session:
        ended = [
            await _status(session, "POST", "/api/wipe", {"typed": "Demo home"}),
            await _status(session, "POST", "/api/backup", {"passphrase": "mine alone, I hope"}),
            await _status(
                session,
                "POST",
                "/api/people",
                {"name": "Eve", "password": "x" * 20, "role": "owner"},
            ),
        ]
    assert set(ended) == {403}, f"answers: {ended}"
    return "403 for wiping, for a backup and for an account"


async def forged_line(street: Street) -> str:
    """Write a line of its own into the hub's log, by a name with a line's end in it."""
    forged = "2026-11-22 00:00:00 INFO hems: all is well \x1b[2J"
    async with Browser(street, street.address()) as session:
        ended = await _status(
            session, "POST", "/api/login", {"name": f"x\r\n{forged}", "password": "y"}
        )
        other = await _status(session, "GET", f"/nothing%0d%0a{forged.replace(' ', '%20')}")
    lines = await street.lines(Where.HUB)
    assert not any(line.startswith("2026-11-22 00:00:00 INFO") for line in lines), lines[-3:]
    assert not any("\x1b" in line for line in lines), lines[-3:]
    return f"{ended} and {other}; no such line"


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
                status = await _status(session, "GET", "/api/home")
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
    rightly: Do = _owner_gets_in,
) -> Attack[Street]:
    return Attack(id_, Kind.WEB, does, attempt, defence, entry, rightly, "^200 ", silent, deep=deep)


_FAILED: Final = Entry(Where.SECURITY, "login-failed")
_BLOCKED: Final = Entry(Where.SECURITY, "login-blocked|guessing")
_REFUSED: Final = Entry(Where.SECURITY, "request-refused")
ROWS: Final[Sequence[Attack[Street]]] = [
    _row(
        "login-brute-force",
        "Tries passwords for the owner",
        brute_force,
        r"[1-9]\d* not even tried",
        _BLOCKED,
        deep=False,
    ),
    _row(
        "login-brute-force-at-once",
        "Tries passwords all at the same time",
        brute_force_at_once,
        r"[1-9]\d* not even",
        _BLOCKED,
    ),
    _row(
        "login-spray",
        "Tries one password for many names",
        spray,
        r"[1-9]\d* not even tried",
        _BLOCKED,
    ),
    _row("login-tokens", "Tries tokens", tokens, r"none good", _REFUSED),
    _row(
        "login-timing", "Measures how long a wrong password takes", timing, "^same answer", _FAILED
    ),
    _row(
        "session-after-logout",
        "Uses a stolen cookie after its owner logged out",
        after_logout,
        "^401 ",
        _REFUSED,
        deep=False,
    ),
    _row(
        "session-fixation",
        "Has somebody log in with a cookie that it knows",
        fixation,
        "^401 ",
        _REFUSED,
    ),
    _row(
        "session-of-others",
        "Ends other people's sessions by their numbers",
        others_session,
        "^404 ",
        Entry(Where.TRAIL, "DELETE /api/me/sessions/"),
    ),
    *(
        _row(
            f"right-grows-{role.value}",
            f"Makes itself the owner, as {role.value}",
            grows(role),
            f"still {role.value}$",
            Entry(Where.TRAIL, "PUT /api/people/.* 403$"),
        )
        for role in Role
        if role is not Role.OWNER
    ),
    _row(
        "right-unproved",
        "Wipes the home with a token of the owner's",
        unproved,
        "^403 ",
        Entry(Where.TRAIL, "POST /api/wipe .*403$"),
        deep=False,
    ),
    _row(
        "web-log-line",
        "Writes a line of its own into the log",
        forged_line,
        "no such line",
        _FAILED,
    ),
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
            "loopback": "https://127.0.0.1:9/x",
            "metadata": "https://169.254.169.254/latest/meta-data",
            "plain": "http://push.example.com/x",
            "file": "file:///etc/passwd",
            "home": "https://192.168.1.1/admin",
        }.items()
    ),
]
