"""Somebody guesses at the running hub's door: it is written down, shown, told, and stays told."""

import asyncio
import hashlib
import hmac
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import text

from certs.keys.opening import key_store
from hems.clock import SystemClock
from hems.emg.threats.telling import Code
from hems.security.webhook import SIGNATURE
from hems.sep2 import resources as res
from hems.sep2.enddevice.logevents import SECURITY
from hems.sep2.xml import parse
from hems.settings.config import load
from hems.store.store import open_store
from tests.e2e.conftest import Opener
from tests.e2e.rig import Part, Rig
from tests.waiting import until

pytestmark = [
    pytest.mark.requirement("L2-ALARM"),
    pytest.mark.requirement("L2-EVENTS"),
    pytest.mark.requirement("LC-AUDIT"),
]

SECRET = "the webhook's own secret"
GUESSER = "127.0.0.9"


class Row(Part):
    """A row of the log."""

    seq: int
    kind: str
    source: str
    text: str
    times: int
    threat: str
    evidence: list[int]


class Rows(Part):
    """The log."""

    rows: list[Row]


class Check(Part):
    """Whether it is whole."""

    broken_at: int | None


@asynccontextmanager
async def receiver(taken: list[tuple[bytes, str]]) -> AsyncIterator[str]:
    """Take what the webhook is sent; yields its address."""

    async def take(request: web.Request) -> web.Response:
        taken.append((await request.read(), request.headers.get(SIGNATURE, "")))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


async def guess(rig: Rig, times: int) -> list[int]:
    """Try passwords from another address; returns how each try ended."""
    connector = aiohttp.TCPConnector(local_addr=(GUESSER, 0))
    ended = []
    async with aiohttp.ClientSession(connector=connector) as session:
        for number in range(times):
            order = {"name": "ada", "password": f"guess number {number}"}
            async with session.post(f"{rig.stage.page}/api/login", json=order) as answer:
                ended.append(answer.status)
    return ended


def told_to_utility(rig: Rig) -> list[res.LogEvent]:
    """Return the log events that the head-end has taken."""
    (file,) = (rig.stage.folder / "headend").glob("*.db")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT body FROM log_event").fetchall()
    return [parse(body, res.LogEvent) for (body,) in rows]


async def rows_of(rig: Rig) -> list[Row]:
    return Rows.model_validate_json(await rig.get_page("/api/security/log?most=200")).rows


async def test_guessing_leaves_rows_an_alarm_a_log_event_and_a_signed_letter(
    opened: Opener, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    taken: list[tuple[bytes, str]] = []
    async with receiver(taken) as url:
        threats = (
            "[threats]",
            f'webhook = "{url}"',
            f'webhook_secret = "{secret}"',
            "webhook_private = true",
        )
        async with opened(economy=threats) as rig:
            ended = await guess(rig, 12)
            assert set(ended) <= {401, 403, 429}
            home = await until(
                rig.home, lambda h: any("tries passwords" in a for a in h.alarms), 20, "alarm"
            )
            assert any(f"Somebody at {GUESSER} tries passwords" in a for a in home.alarms)
            rows = await rows_of(rig)
            (threat,) = [row for row in rows if row.threat == "guessing"]
            assert threat.source == GUESSER
            shown = {row.seq: row.kind for row in rows}
            assert {shown[seq] for seq in threat.evidence} <= {"login-failed", "login-blocked"}

            async def logged() -> list[res.LogEvent]:
                return await asyncio.to_thread(told_to_utility, rig)

            events = await until(
                logged, lambda es: any(e.function_set == SECURITY for e in es), 60, "LogEvent"
            )
            (event,) = [e for e in events if e.function_set == SECURITY]
            assert event.log_event_code == Code.GUESSING
            assert GUESSER not in (event.details or "")

            async def letters() -> list[tuple[bytes, str]]:
                return taken

            await until(letters, bool, 20, "webhook")
            body, signed = taken[0]
            assert signed == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            assert json.loads(body)["threat"] == "guessing"
            assert json.loads(body)["row"] == threat.seq

            lines = (await rig.get_page("/api/security/log/export")).splitlines(keepends=True)
            end = json.loads(lines[-1])
            assert end["rows"] == len(lines) - 1
            assert end["sha256"] == hashlib.sha256(b"".join(lines[:-1])).hexdigest()

            await tampered_with(rig, threat.seq)


async def tampered_with(rig: Rig, row: int) -> None:
    """Take the row out of the store of the stopped hub; the next start names it."""
    await rig.stage.hub.stop()
    config = load(rig.stage.folder / "hub" / "hems.toml")
    keys = key_store(config.keys.settings)
    store = await open_store(config.store.path, SystemClock(), keys)
    try:
        async with store.security_log._database.ledger() as connection:
            await connection.execute(text("DROP TRIGGER security_log_whole"))
            await connection.execute(text(f"DELETE FROM security_log WHERE seq = {row}"))  # noqa: S608
    finally:
        await store.close()
    await rig.stage.start_hub()
    home = await until(
        rig.home, lambda h: any("security log" in a for a in h.alarms), 20, "alarm of the log"
    )
    assert any(f"Row {row} of the security log is not as it was" in a for a in home.alarms)
    check = Check.model_validate_json(await rig.get_page("/api/security/log/check"))
    assert check.broken_at == row
    asked = [sys.executable, "-m", "hems", "security", "verify", "--url", rig.stage.page]
    done = await asyncio.to_thread(subprocess.run, asked, capture_output=True, check=False)
    assert done.returncode == 1
    assert f"row {row} is not as it was written" in done.stderr.decode()
