"""The log of a running head-end: each line says which request it was, and none says too much."""

import asyncio
import base64
import json
import logging
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from certs.est.code import read_code
from certs.pki import Pki
from hems.correlation import correlated
from hems.headend.monitor.logs import JsonFormatter, TextFormatter, guarded
from hems.sep2.resources import EndDeviceList, Subscription
from tests.hems.headend.conftest import Home, Listen
from tests.hems.headend.test_headend_process import toml

pytestmark = pytest.mark.requirement("L3-MONITOR")
WAIT_S = 30.0
PIN = "482916"
LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"


@dataclass
class Program:
    """`hems headend run`, and what it logs."""

    process: asyncio.subprocess.Process
    dcap: str
    operator: str
    token: str
    folder: Path

    async def ask(
        self, method: str, path: str, body: object = None, token: str = "", **headers: str
    ) -> tuple[int, Any, str]:
        headers = {"Authorization": f"Bearer {token or self.token}"} | headers
        data = None if body is None else json.dumps(body)
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.operator + path, data=data) as answer,
        ):
            return answer.status, await answer.json(), answer.headers["X-Request-Id"]

    async def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(self.process.communicate(), WAIT_S)
        return errors.decode()


async def start(pki: Pki, folder: Path, extra: str) -> Program:
    config = folder / "headend.toml"
    config.write_text(toml(pki, extra))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hems", "headend", "run", "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), WAIT_S)
    assert line, (await process.communicate())[1].decode()
    ready = json.loads(line)
    token = (folder / "token").read_text().strip()
    return Program(process, ready["dcap"], ready["operator"], token, folder)


LOG = '[log]\nformat = "json"\nlevel = "debug"\n'


@pytest.fixture
async def program(pki: Pki, tmp_path: Path) -> AsyncIterator[Program]:
    est = f'[est]\npki = "{pki.folder}"\n'
    started = await start(pki, tmp_path, LOG + est)
    yield started
    if started.process.returncode is None:
        await started.end()


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_notifications_carry_the_id_of_the_order_that_caused_them(
    program: Program, pki: Pki, listen: Listen
) -> None:
    home = Home(pki.identity("home-a"), pki, program.dcap.removesuffix("/dcap"))
    asked = asyncio.Event()

    def hook(_body: bytes) -> int:
        asked.set()
        return 500

    try:
        entry = {"lfdi": home.lfdi, "pin": "123455"}
        assert (await program.ask("POST", "/homes", entry))[0] == 201
        link = (await home.get("/edev", EndDeviceList)).end_device[0].subscription_list_link
        assert link is not None
        wish = Subscription(
            subscribed_resource="/derp/1/derc",
            encoding=0,
            level="+S1",
            limit=10,
            notification_uri=await listen(home.server_tls, hook),
        )
        assert (await home.ask("POST", link.href, wish)).status == 201
        order = {"limit_import_w": 1000, "minutes": 10}
        brought = {"X-Request-Id": "storm-7"}
        status, _, mark = await program.ask("POST", "/events", order, **brought)
        assert (status, mark) == (201, "storm-7")
        async with asyncio.timeout(WAIT_S):
            await asked.wait()
        assert (await home.ask("GET", "/nothing")).status == 404
        assert (await home.ask("GET", "/edev/999")).status == 403
        _, _, own = await program.ask("GET", "/homes", **{"X-Request-Id": "no\ttabs"})
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", own)
    finally:
        await home.aclose()
    lines = lines_of(await program.end())
    told = [each for each in lines if "notification" in each["message"]]
    assert told
    assert {each["id"] for each in told} == {"storm-7"}
    requests = [each for each in lines if each["part"] == "hems.headend.monitor.requests"]
    marks = [each["id"] for each in requests]
    assert len(set(marks)) == len(marks)
    (refused,) = [e for e in lines if e["level"] == "warning" and "/edev/999" in e["message"]]
    assert refused["peer"] == "127.0.0.1"
    assert refused["id"] in marks
    assert home.lfdi not in json.dumps(lines)
    assert f"{home.lfdi[:8]}.." in refused["message"]
    assert all(line.keys() >= {"at", "level", "part", "message", "worker"} for line in lines)


@pytest.mark.requirement("PRV-CRYPT")
async def test_no_secret_gets_into_the_log(program: Program, pki: Pki) -> None:
    """All that is secret goes through it once, well and badly, at the level that says most."""
    ask = program.ask
    wrong = "wrong-token-that-somebody-mistyped"
    assert (await ask("POST", "/homes", {"lfdi": LFDI, "pin": "482911"}, wrong))[0] == 401
    await ask("POST", "/homes", {"lfdi": LFDI, "pin": PIN})
    await ask("POST", "/homes", {"lfdi": LFDI, "pin": PIN})
    await ask("POST", "/homes", {"lfdi": LFDI, "pin": PIN, "more": PIN})
    _, made, _ = await ask("POST", "/enrolment-codes", {"pin": PIN})
    assert "text" in made, made
    code = read_code(made["text"])
    assert code.password
    url = f"https://{code.host}:{code.port}/.well-known/est/simpleenroll"
    async with aiohttp.ClientSession() as session:
        for secret in (code.password, "x" * 20):
            shown = {"Authorization": f"Basic {encoded(secret)}"}
            async with session.post(url, data=b"?", headers=shown, ssl=False) as answer:
                assert answer.status >= 400
    home = Home(pki.identity("home-a"), pki, program.dcap.removesuffix("/dcap"))
    try:
        await ask("POST", "/homes", {"lfdi": home.lfdi, "pin": PIN})
        await home.ask("GET", "/tm", Authorization=f"Bearer {program.token}")
        await home.ask("GET", f"/edev/1/rg?token={program.token}")
    finally:
        await home.aclose()
    log = await program.end()
    assert lines_of(log)
    codes = (made["text"], code.password, encoded(code.password))
    for secret in (program.token, wrong, PIN, "482911", LFDI, *codes):
        assert secret not in log


def encoded(secret: str) -> str:
    return base64.b64encode(f"code:{secret}".encode()).decode()


async def test_a_password_of_the_database_stays_in_its_file(pki: Pki, tmp_path: Path) -> None:
    config = tmp_path / "headend.toml"
    place = "postgresql://hems:Geheim77@127.0.0.1:1/hems"
    config.write_text(toml(pki, LOG).replace('"data.sqlite"', f'"{place}"', 1))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hems", "headend", "run", "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert process.returncode == 1
    assert b"127.0.0.1" in errors
    assert b"Geheim77" not in errors


def record(message: str, *args: object, exc: BaseException | None = None) -> logging.LogRecord:
    info = None if exc is None else (type(exc), exc, exc.__traceback__)
    return logging.LogRecord("hems.x", logging.WARNING, "x.py", 1, message, args, info)


def test_a_line_of_json_stays_one_line() -> None:
    secret = "abcd" * 5
    item = record("device %s said %r", LFDI, "a\nb", exc=ValueError(f"of {LFDI}\nBearer {secret}"))
    with correlated("m-1"):
        text = JsonFormatter().format(item)
    assert "\n" not in text
    line = json.loads(text)
    assert line["message"] == f"device {LFDI[:8]}.. said 'a\\nb'"
    assert line["id"] == "m-1"
    assert LFDI not in line["trace"]
    assert secret not in line["trace"]


def test_a_line_for_people() -> None:
    form = TextFormatter("%(levelname)s %(name)s %(message)s")
    assert form.format(record("all is well")) == "WARNING hems.x all is well"
    with correlated("m-1"):
        assert form.format(record("a\nb")) == "WARNING hems.x a\\nb [m-1]"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"device {LFDI} asks", "device 3E4F45AB.. asks"),
        (LFDI.lower(), "3e4f45ab.."),
        (f"{LFDI}{LFDI}", f"{LFDI}{LFDI}"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("postgresql://u:pa$s@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("https://h:8443/notify", "https://h:8443/notify"),
        ("GET '/x?token=abc&s=1'", "GET '/x?token=***&s=1'"),
    ],
)
def test_what_is_written_over(text: str, wanted: str) -> None:
    assert guarded(text) == wanted
