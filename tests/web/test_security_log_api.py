"""The security log under /api: who may read it, what it says, and whether all of it is there."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text

from hems.access.rights import Role
from hems.emg.threats.log import SecurityLog
from hems.store.chain import KEPT_S
from hems.store.store import Store, open_store
from tests.hems.emg.threats.conftest import HeldClock
from tests.web import guarded
from tests.web.script import ZONE
from tests.web.visitor import Visitor
from web import security_log_api
from web.access_models import CheckAnswer
from web.answers import errors_in_words
from web.operation import DOOR, routes
from web.security_log_api import LogAnswer, SecurityLogApi
from web.words import use_language

pytestmark = pytest.mark.requirement("LC-AUDIT", "L1-EVENTS", "PRV-RBAC")

LOG = "/api/security/log"


@dataclass(frozen=True, slots=True)
class Asked:
    """The log over its API."""

    client: "TestClient[web.Request, web.Application]"
    log: SecurityLog
    store: Store
    clock: HeldClock

    async def rows(self, query: str = "", language: str = "en") -> LogAnswer:
        """Return a page of it."""
        answer = await self.client.get(LOG + query, headers={"Accept-Language": language})
        assert answer.status == 200, await answer.text()
        return LogAnswer.model_validate_json(await answer.read())

    async def check(self, query: str = "") -> CheckAnswer:
        """Return whether it is whole."""
        answer = await self.client.get(f"{LOG}/check{query}")
        assert answer.status == 200
        return CheckAnswer.model_validate_json(await answer.read())

    async def tamper(self, *statements: str) -> None:
        """Do what somebody does who has the disk and the key."""
        async with self.store.security_log._database.ledger() as connection:
            for statement in statements:
                await connection.execute(text(statement))


@asynccontextmanager
async def asked(folder: Path, role: Role = Role.OWNER) -> AsyncIterator[Asked]:
    clock = HeldClock()
    store = await open_store(folder / "hub.db", clock)
    log = SecurityLog(store.security_log, None, clock)
    app = web.Application(middlewares=[use_language, errors_in_words])
    app[DOOR] = Visitor(role)
    app.add_routes(routes(SecurityLogApi(lambda: log, ZONE)))
    try:
        async with TestClient(TestServer(app)) as client:
            yield Asked(client, log, store, clock)
    finally:
        await store.close()


async def guessed(api: Asked) -> None:
    """Have somebody come in, and somebody else try passwords until that is found."""
    at = api.clock.now()
    await api.log.write(
        [
            guarded.logged_in(at - 90.0),
            guarded.failed_login(at - 60.0),
            guarded.failed_login(at - 30.0),
            guarded.guessing(at, [2, 3]),
        ]
    )


@pytest.mark.parametrize("role", Role)
async def test_only_who_audits_reads_it(tmp_path: Path, role: Role) -> None:
    expected = 200 if role in {Role.OWNER, Role.AUDITOR} else 403
    async with asked(tmp_path, role) as api:
        for path in (LOG, f"{LOG}/check", f"{LOG}/export"):
            assert (await api.client.get(path)).status == expected, path


async def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        assert await api.rows() == LogAnswer(rows=[], before=None, time_zone=ZONE)
        verdict = await api.check()
        assert (verdict.rows, verdict.broken_at, verdict.link) == (0, None, "00" * 32)


async def test_a_finding_says_what_shows_it_what_was_done_and_what_to_do(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        await guessed(api)
        finding, wrong, *_ = (await api.rows()).rows
        assert (finding.seq, finding.kind, finding.threat) == (4, "threat", "guessing")
        assert (finding.severity, list(finding.evidence)) == ("alarm", [2, 3])
        assert finding.text == (
            "Somebody at 192.168.1.66 tries passwords: 12 were wrong within 10 minutes."
        )
        assert finding.done.startswith("Nothing is answered to it for 15 min")
        assert finding.advice.startswith("If that is none of you")
        assert (wrong.source, wrong.times, wrong.since) == (
            "192.168.1.66",
            3,
            api.clock.now() - 90.0,
        )


@pytest.mark.parametrize("language", ["de", "fr", "es"])
async def test_what_was_kept_is_told_in_the_language_of_who_reads(
    tmp_path: Path, language: str
) -> None:
    async with asked(tmp_path) as api:
        await guessed(api)
        finding = (await api.rows(language=language)).rows[0]
        english = (await api.rows()).rows[0]
        for told, said in (
            (finding.text, english.text),
            (finding.advice, english.advice),
            (finding.done, english.done),
        ):
            assert told not in {"", said}
        assert "192.168.1.66" in finding.text


@pytest.mark.parametrize(
    ("least", "numbers"),
    [("info", [4, 3, 2, 1]), ("notice", [4, 3, 2]), ("warning", [4]), ("alarm", [4])],
)
async def test_only_rows_that_are_grave_enough_are_told(
    tmp_path: Path, least: str, numbers: list[int]
) -> None:
    async with asked(tmp_path) as api:
        await guessed(api)
        assert [row.seq for row in (await api.rows(f"?least={least}")).rows] == numbers


async def test_page_by_page_every_row_comes_once(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        at = api.clock.now()
        await api.log.write([guarded.failed_login(at + n) for n in range(45)])
        numbers, before = list[int](), ""
        while True:
            page = await api.rows(f"?most=20{before}")
            assert len(page.rows) <= 20
            numbers += [row.seq for row in page.rows]
            if page.before is None:
                break
            before = f"&before={page.before}"
        assert numbers == list(range(45, 0, -1))


@pytest.mark.requirement("L1-TAMPER")
async def test_a_row_that_was_changed_is_named(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        await guessed(api)
        noted = (await api.check()).link
        assert (await api.check(f"?link={noted}")).known is True
        assert (await api.check(f"?link={'ab' * 32}")).known is False
        await api.tamper(
            "DROP TRIGGER security_log_stays",
            "DROP TRIGGER security_log_whole",
            "UPDATE security_log SET body = '{}' WHERE seq = 3",
        )
        verdict = await api.check()
        assert (verdict.rows, verdict.broken_at) == (2, 3)


async def test_a_row_beyond_its_time_says_nothing_and_stays_in_the_chain(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        await guessed(api)
        api.clock.at += KEPT_S + 1.0
        await api.log.write([guarded.failed_login(api.clock.now())])
        await api.log.fade()
        new, *old = (await api.rows()).rows
        assert new.text == "A wrong password was tried."
        assert [(row.seq, row.text, row.kind, row.severity) for row in old] == [
            (seq, "", "", "") for seq in (4, 3, 2, 1)
        ]
        assert (await api.check()).broken_at is None


async def test_the_whole_log_is_saved_with_its_checksum(tmp_path: Path) -> None:
    async with asked(tmp_path) as api:
        await guessed(api)
        answer = await api.client.get(f"{LOG}/export")
        assert answer.status == 200
        assert answer.content_type == "application/x-ndjson"
        assert "security-log.jsonl" in answer.headers["Content-Disposition"]
        *lines, last = (await answer.read()).splitlines(keepends=True)
        assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4]
        assert json.loads(last) == {
            "rows": 4,
            "sha256": hashlib.sha256(b"".join(lines)).hexdigest(),
            "link": (await api.check()).link,
        }


async def test_a_log_that_is_too_long_to_be_given_at_once_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security_log_api, "MOST_EXPORTED", 3)
    async with asked(tmp_path) as api:
        await guessed(api)
        answer = await api.client.get(f"{LOG}/export")
        assert answer.status == 409, "asking again does not make it shorter"
        assert "too long" in (await answer.json())["error"]


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    "path",
    [
        "?least=worst",
        "?most=0",
        "?most=501",
        "?before=0",
        "?before=x",
        "?more=1",
        "/check?link=ab",
        f"/check?link={'AB' * 32}",
    ],
)
async def test_what_is_no_question(tmp_path: Path, path: str) -> None:
    async with asked(tmp_path) as api:
        assert (await api.client.get(LOG + path)).status == 400
