"""Hub and head-end as services: ready, fed, asked to read anew, hung, crashed. Real processes."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from certs.pki import Pki
from hems.commands.stage import HubReady
from hems.crashes.files import FOLDER, keep
from tests.e2e.rig import Home
from tests.faults.manager import FED, Started, started
from tests.hems.headend.test_headend_process import toml
from tests.waiting import until

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.timeout(600)]

CHARGER = """
[[device]]
id = "ev"
kind = "evse"
name = "Car"
driver = "ocpp16"
station = "garage"
max = "11 kW"
"""
FAULTY = """
import sys
from pathlib import Path
import asyncio
from hems import __main__
from hems.cem.cycle import Cycle

tick = Cycle._tick

async def faulty(cycle, *rest):
    if Path(sys.argv[0]).joinpath("hang").exists():
        await asyncio.Event().wait()
    if Path(sys.argv[0]).joinpath("fail").exists():
        raise ValueError(Path(sys.argv[0]).joinpath("fail").read_text())
    await tick(cycle, *rest)

Cycle._tick = faulty
sys.argv[0] = sys.argv.pop(1)
sys.exit(__main__.main())
"""
"""A hub whose cycle hangs, or fails, once a file is there."""


@asynccontextmanager
async def hub(
    folder: Path, *more: str, program: Sequence[str] = ("-m", "hems")
) -> AsyncIterator[Started]:
    """Run a hub in a folder of its own, as a service."""
    ready = str(folder / "ready.json")
    place = ("--home", str(folder / "home"), "--port", "0", "--ready", ready)
    async with started(folder, "run", *place, *more, program=program) as running:
        yield running


async def page(folder: Path, within_s: float = 120.0) -> str:
    """Return where the page is, once the hub has said so."""

    async def look() -> str:
        try:
            return HubReady.model_validate_json((folder / "ready.json").read_bytes()).page
        except OSError:
            return ""

    return await until(look, bool, within_s, "the ready file")


async def alarms(url: str) -> Sequence[str]:
    """Return what the page's alarms are."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/home") as answer:
        return Home.model_validate_json(await answer.read()).alarms


async def silent(running: Started, for_s: float) -> None:
    """Wait for so long, in which the watchdog is not fed."""
    await asyncio.sleep(0.5)  # what was under way
    await running.manager.forget()
    await asyncio.sleep(for_s)
    assert FED not in await running.manager.heard()


@pytest.mark.deep
async def test_a_hub_is_ready_once_it_controls_and_fed_while_it_does(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    async with hub(tmp_path, program=("-c", FAULTY, str(marks))) as running:
        manager = running.manager
        at = await manager.hears("READY=1\nSTATUS=waits to be set up on its page")
        assert FED not in manager.messages[:at]
        url = await page(tmp_path)
        await alarms(url)
        await manager.forget()
        await manager.hears(FED)
        await manager.forget()
        await manager.hears(FED)

        running.send(signal.SIGSTOP)
        await silent(running, 3.0)
        running.send(signal.SIGCONT)
        await manager.hears(FED)

        (marks / "hang").touch()
        await silent(running, 3.0)
        await alarms(url)  # its loop lives, and that is not enough
        running.send(signal.SIGABRT)  # as systemd ends who does not feed it
        assert await running.ended() == -signal.SIGABRT

    (marks / "hang").unlink()
    (tmp_path / "ready.json").unlink()
    async with hub(tmp_path) as running:
        await running.manager.hears("READY=1")
        (said,) = [each for each in await alarms(await page(tmp_path)) if "unexpectedly" in each]
        assert await running.end() == 0
        assert "STOPPING=1" in "".join(await running.manager.heard())
    (report,) = (tmp_path / "home" / "crashes").iterdir()
    assert str(report) in said
    text = report.read_text()
    assert "what: the process, by a signal" in text
    assert "hems/commands/run.py:" in text, "where it was is told"
    assert str(tmp_path) not in text


async def test_a_fault_ends_the_hub_with_a_report_that_holds_nothing_of_the_home(
    tmp_path: Path,
) -> None:
    marks, secret = tmp_path / "marks", "the bath of Ada at 10.0.0.7"
    marks.mkdir()
    async with hub(tmp_path, program=("-c", FAULTY, str(marks))) as running:
        await running.manager.hears("READY=1")
        (marks / "draft").write_text(secret)
        (marks / "draft").rename(marks / "fail")
        assert await running.ended() == 1
        assert running.logged(secret), "the log on the machine says all of it"
        assert running.logged("ended unexpectedly; what is known of it is in")
    (report,) = (tmp_path / "home" / "crashes").glob("crash-*.txt")
    text = report.read_text()
    assert "ValueError (its message is withheld)" in text
    assert "hems.cem.cycle:" in text
    assert "controls the home" in text
    assert not [word for word in (secret, "Ada", "10.0.0.7", str(tmp_path)) if word in text]
    async with started(tmp_path, "wipe", "--home", str(tmp_path / "home"), "--yes") as running:
        assert await running.ended() == 0
    assert not report.exists()


async def test_a_hub_reads_its_configuration_anew_when_asked(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    report = keep(tmp_path / "home" / FOLDER, time.time(), "of a run before").path
    async with hub(tmp_path, "--log", "hems.store=error") as running:
        manager, config = running.manager, tmp_path / "home" / "hems.toml"
        await manager.hears("READY=1")
        url = await page(tmp_path)
        (said,) = await alarms(url)
        assert str(report) in said
        report.unlink()
        await until(lambda: alarms(url), lambda now: not now, 60.0, "the alarm to end by itself")

        async def ask(text: str | None) -> None:
            if text is not None:
                draft = config.with_name("draft")
                draft.write_text(text)
                draft.rename(config)
            await manager.forget()
            running.send(signal.SIGHUP)
            reads = await manager.hears("RELOADING=1\nMONOTONIC_USEC=")
            assert await manager.hears("READY=1") > reads

        async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
            assert "\nhems_hub_watchdog_seconds 2.0\n" in await answer.text()

        await ask(None)
        await running.logs("the configuration is as it was")

        await ask('[home]\nphases = 2\nname = ""\n')
        (said,) = await alarms(url)
        assert "home.name: must not be empty" in said, "the first mistake"
        assert running.logged("home.phases: must be 1 or 3"), "all of them are in the log"
        await running.logs("the home goes on as it was")

        await ask(
            '[home]\nname = "Rosenweg"\n[store]\npath = "other.db"\n[logging]\nlevel = "debug"\n'
        )
        await running.logs("a change of store.path holds from the next start")
        await running.logs("the home is made anew")
        await running.logs("every decision is logged from now on")
        (said,) = await alarms(url)
        assert "holds from the next start" in said

        await ask('[home]\nname = "Rosenweg"\n[mqtt]\nhome_assistant = true\ntrust = "gone.pem"\n')
        await running.logs("the home goes on as it was: mqtt.trust: ")
        assert [each for each in await alarms(url) if "gone.pem" in each]

        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            await ask(f'[home]\nname = "Rosenweg"\n[ocpp]\nport = {port}\n{CHARGER}')
            await running.logs("it goes on as before")
            assert [each for each in await alarms(url) if str(port) in each]
        await ask(f'[home]\nname = "Rosenweg"\n[ocpp]\nport = {port}\n{CHARGER}')
        assert not [each for each in await alarms(url) if str(port) in each]
        for _ in range(200):  # more than can be answered one by one
            running.send(signal.SIGHUP)
        await manager.forget()
        await manager.hears(FED)
        assert await running.end() == 0
    assert not running.logged("Traceback")


async def test_a_head_end_is_fed_and_reads_anew(pki: Pki, tmp_path: Path) -> None:
    config = tmp_path / "headend.toml"
    config.write_text(toml(pki))
    async with started(tmp_path, "headend", "run", "--config", str(config)) as running:
        manager = running.manager
        at = await manager.hears("READY=1\nSTATUS=serves homes at https://127.0.0.1:")
        assert FED not in manager.messages[:at]
        await manager.hears(FED)

        running.send(signal.SIGSTOP)
        await silent(running, 3.0)
        running.send(signal.SIGCONT)
        await manager.hears(FED)

        config.write_text(toml(pki, "dcap_poll_s = 0\ncolour = 1"))
        await manager.forget()
        running.send(signal.SIGHUP)
        await manager.hears("READY=1")
        assert running.logged("ERROR hems.headend.serving")
        assert running.logged("colour: Extra inputs are not permitted")
        assert running.logged("dcap_poll_s: ")

        config.write_text(toml(pki, 'dcap_poll_s = 30\n[log]\nlevel = "debug"\nformat = "json"'))
        await manager.forget()
        running.send(signal.SIGHUP)
        await manager.hears("READY=1")
        for name in ("dcap_poll_s", "log.format"):
            assert running.logged(f"a change of {name} holds from the next start")
        where = json.loads((tmp_path / "ready.json").read_text())["operator"]
        async with aiohttp.ClientSession() as session, session.get(f"{where}/nothing"):
            pass
        await running.logs(" DEBUG hems.headend.monitor.requests")
        assert await running.end() == 0
        assert "STOPPING=1" in "".join(await manager.heard())
    assert not running.logged("Traceback")
    assert os.listdir(tmp_path / "crashes") == []  # noqa: PTH208 - names alone
