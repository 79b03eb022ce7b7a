"""Ports that somebody else has: one error that names the port, or a free one instead."""

import asyncio
import re
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certs.pki import Pki
from certs.tls import server_context
from tests.faults.bench import QUICK, START_WITHIN_S, Bench, run_to_end
from tests.faults.scripted import LyingUtility, control
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
]


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


async def refused(config: str, folder: Path) -> list[str]:
    """Run a hub that cannot start; returns the errors it prints, beside its log."""
    path = folder / "hems.toml"
    path.write_text(config, encoding="utf-8")
    code, out, error = await run_to_end("run", "--config", str(path), cwd=folder)
    assert code == 1
    assert out == ""
    assert "Traceback" not in error
    return [line for line in error.splitlines() if line.startswith("hems: ")]


async def test_the_page_s_port(bench: Bench, taken: int, tmp_path: Path) -> None:
    config = bench.config("https://127.0.0.1:9/dcap", page_port=taken)
    (error,) = await refused(config, tmp_path)
    assert f"the page cannot be served on 127.0.0.1 port {taken}: another program is" in error


async def test_the_chargers_port(bench: Bench, taken: int, tmp_path: Path) -> None:
    config = bench.config("https://127.0.0.1:9/dcap")
    config = config.replace(f"port = {bench.ocpp_port}", f"port = {taken}", 1)
    assert await refused(config, tmp_path) == [
        f"hems: OCPP central system: cannot listen on 127.0.0.1:{taken}: Address already in use"
    ]


async def test_the_port_for_notifications(bench: Bench, taken: int) -> None:
    """It is said, and the hub polls: an event comes all the same."""
    utility = LyingUtility(bench.hub_lfdi)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        config = bench.config(f"{utility.base}/dcap", utility=(*QUICK, f"notify_port = {taken}"))
        async with bench.running(config) as hub:
            home = await hub.state("connected")
            said = [alarm for alarm in home.alarms if str(taken) in alarm]
            assert len(said) == 1
            assert said[0].endswith(f"127.0.0.1:{taken} cannot be used: Address already in use")
            utility.list_controls(control("600D"))
            await until(
                hub.home, lambda home: home.limit_import_w == 2000.0, 10.0, "an event by polling"
            )
            assert not utility.posted("/edev/1/sub")  # nobody is asked to call where nobody is
            assert len(hub.logged(f"127.0.0.1:{taken}")) == 1


@pytest.mark.parametrize("key", ["port", "operator_port"])
async def test_the_head_end_s_ports(pki: Pki, taken: int, tmp_path: Path, key: str) -> None:
    path = tmp_path / "headend.toml"
    path.write_text(
        f'database = "headend.db"\n{key} = {taken}\n'
        f'certificate = "{pki.identity("utility").certificate}"\n'
        f'key = "{pki.identity("utility").key}"\n'
        f'roots = "{pki.trust.roots}"\ncrls = "{pki.trust.crls}"\ntoken_file = "token"\n',
        encoding="utf-8",
    )
    code, out, error = await run_to_end("headend", "run", "--config", str(path), cwd=tmp_path)
    assert (code, out) == (1, "")
    assert "Traceback" not in error
    errors = [line for line in error.splitlines() if line.startswith("hems: ")]
    assert errors == [f"hems: cannot listen on 127.0.0.1 port {taken}: Address already in use"]


async def test_the_simulated_house_s_ports(taken: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "der.sim", "--meter-port", str(taken), "--ocpp", ""),
        stderr=asyncio.subprocess.PIPE,
    )
    _, error = await process.communicate()
    assert process.returncode == 2
    assert error.count(b"\n") == 1
    assert f"meter: cannot listen on 127.0.0.1:{taken}".encode() in error


async def test_the_demo_takes_free_ones(taken: int, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hems", "demo", "--port", str(taken)),
        *("--folder", str(tmp_path / "demo")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        page = None
        async with asyncio.timeout(START_WITHIN_S):
            while page is None:
                line = await process.stdout.readline()
                assert line, "it ended before its page was there"
                page = re.search(r"http://127\.0\.0\.1:(\d+)", line.decode())
        assert int(page[1]) != taken
        process.send_signal(signal.SIGINT)
        _, error = await asyncio.wait_for(process.communicate(), START_WITHIN_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0
    assert error == b""
