"""Attacks on getting in: guessing, timing, sessions that are over, rights that grow."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import aiohttp

from hems.access.rights import Role
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.street import Street
from tests.security.visits import Ask, Browser, cookie_of, log_in, send

Do = Callable[[Street], Awaitable[str]]
_GUESSES: Final = 12
_TIMED: Final = 9
_APART: Final = 2.0
"""An answer that takes twice as long for a name that there is tells that there is such a name."""


async def status_of(
    session: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> int:
    """Ask; returns the answer's status."""
    async with session.request(method, path, json=body) as answer:
        return answer.status


async def owner_gets_in(street: Street) -> str:
    """Have the owner log in and look at the home."""
    async with Browser(street, "127.0.0.1") as session:
        await log_in(session, street.people[Role.OWNER])
        return f"{await status_of(session, 'GET', '/api/home')} "


async def _guess(street: Street, address: str, name: str, times: int) -> list[int]:
    async with Browser(street, address) as session:
        return [
            await status_of(session, "POST", "/api/login", {"name": name, "password": f"guess {i}"})
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
            await status_of(
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
            ended.append(await status_of(session, "GET", "/api/home"))
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
    return f"same answer 403, {known * 1000:.0f} ms with an account, {unknown * 1000:.0f} without"


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
            await status_of(session, "DELETE", f"/api/me/sessions/{number}")
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
                await status_of(session, "PUT", f"/api/people/{number}", {"role": "owner"})
                for number in range(1, 7)
            ]
            ended += [
                await status_of(
                    session, "PUT", "/api/me/language", {"language": "en", "role": "owner"}
                ),
                await status_of(session, "POST", "/api/tokens", {"name": "x", "role": "owner"}),
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
            await status_of(session, "POST", "/api/wipe", {"typed": "Demo home"}),
            await status_of(session, "POST", "/api/backup", {"passphrase": "mine alone, I hope"}),
            await status_of(
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
        ended = await status_of(
            session, "POST", "/api/login", {"name": f"x\r\n{forged}", "password": "y"}
        )
        other = await status_of(session, "GET", f"/nothing%0d%0a{forged.replace(' ', '%20')}")
    lines = await street.lines(Where.HUB)
    assert not any(line.startswith("2026-11-22 00:00:00 INFO") for line in lines), lines[-3:]
    assert not any("\x1b" in line for line in lines), lines[-3:]
    return f"{ended} and {other}; no such line"


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
]
