"""`hems event` at a head-end whose answers get lost: asked again, ordered once."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from certs.pki import init_pki
from hems.cli import main
from hems.commands import order
from hems.commands.operator import Operator
from hems.headend.orders.repeats import KEY, LONGEST
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings

pytestmark = pytest.mark.requirement("LC-TEST")
WISH = ("--limit-import", "1500W", "--minutes", "10", "--start", "+5m")


@dataclass
class Line:
    """A way to the head-end on which what is said next meets what `faults` has next.

    "lost": the answer does not come back; "never": the request does not arrive; "busy": somebody
    on the way has no time. Without a fault it comes through.
    """

    url: str
    token: str
    file: Path
    capsys: pytest.CaptureFixture[str]
    faults: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.pop(0) if self.faults else ""
        self.keys += request.headers.getall(KEY, [])
        if fault == "busy":
            return web.json_response({"error": "no time"}, status=503, headers={"Retry-After": "0"})
        async with aiohttp.ClientSession() as session:
            if fault != "never":
                async with session.request(
                    request.method,
                    self.url + request.path_qs,
                    data=await request.read(),
                    headers=request.headers,
                ) as answer:
                    status, body = answer.status, await answer.read()
            if fault:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return web.Response(status=status, body=body, content_type="application/json")

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run `hems event ...`; returns exit code, stdout, stderr."""
        command = ["event", *arguments, "--operator", str(self.file)]
        code = await asyncio.to_thread(main, command)
        said = self.capsys.readouterr()
        return code, said.out, said.err

    async def events(self) -> list[tuple[str, str]]:
        """Return ids and states of all events there are."""
        shown = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession(self.url, headers=shown) as session,
            session.get("/events") as answer,
        ):
            return [(each["id"], each["state"]) for each in (await answer.json())["events"]]


@pytest.fixture
async def line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Line]:
    monkeypatch.setattr(order, "WAITS_S", (0.0,) * len(order.WAITS_S))
    pki = await asyncio.to_thread(init_pki, tmp_path / "pki")
    identity, trust = pki.identity("utility"), pki.trust
    settings = HeadEndSettings(
        database=tmp_path / "headend.db",
        certificate=identity.certificate,
        key=identity.key,
        roots=trust.roots,
        crls=trust.crls,
        token_file=tmp_path / "token",
    )
    async with HeadEnd(settings) as head_end:
        file = tmp_path / "operator.json"
        made = Line(head_end.addresses.operator_url, head_end.token, file, capsys)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", made.pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door = Operator(url=f"http://127.0.0.1:{runner.addresses[0][1]}", token=head_end.token)
        await asyncio.to_thread(file.write_text, door.model_dump_json())
        yield made
        await runner.cleanup()


@pytest.mark.parametrize(
    "faults", [[], ["lost"], ["never"], ["busy"], ["lost", "busy", "lost", "never"]]
)
async def test_what_is_not_answered_is_asked_again_and_ordered_once(
    line: Line, faults: list[str]
) -> None:
    line.faults[:] = faults
    code, sent, said = await line.run(*WISH)
    assert code == 0, said
    assert said.count("; asking again\n") == said.count("\n") == len(faults)
    ((event, state),) = await line.events()
    assert sent.startswith(f"{event}  {state}")
    assert (len(line.keys), len(set(line.keys))) == (len(faults) + 1, 1)
    line.faults[:] = faults
    code, cancelled, said = await line.run("cancel", event)
    assert (code, cancelled.split()[:2]) == (0, [event, "cancelled"]), said
    assert len(set(line.keys)) == 2
    assert await line.events() == [(event, "cancelled")]


@pytest.mark.parametrize("fault", ["lost", "never", "busy"])
async def test_what_is_never_answered_can_be_ordered_again_by_its_name(
    line: Line, fault: str
) -> None:
    line.faults[:] = [fault] * (len(order.WAITS_S) + 1)
    code, out, said = await line.run(*WISH)
    assert (code, out) == (1, "")
    named = re.search(r"--key (\S+), and it is done once\n$", said)
    assert named, said
    assert line.keys == [named[1]] * (len(order.WAITS_S) + 1)
    there = await line.events()
    assert len(there) == (fault == "lost")
    code, sent, said = await line.run(*WISH, "--key", named[1])
    assert (code, said) == (0, "")
    now = await line.events()
    assert (sent.split()[0], len(now)) == (now[0][0], 1)
    assert now == there or not there
    code, _, said = await line.run(*WISH, "--shed", "1kW", "--key", named[1])
    assert (code, said) == (1, f"hems: something else was ordered with the {KEY} '{named[1]}'\n")


async def test_what_is_refused_is_not_asked_again(line: Line) -> None:
    code, _, said = await line.run("--limit-import=-1kW", "--minutes", "10")
    assert (code, said.count("\n"), len(line.keys)) == (1, 1, 1)


@pytest.mark.parametrize("key", ["clé", "\u2028", "a\nb", "k" * (LONGEST + 1)])
async def test_a_bad_name_is_refused_here(line: Line, key: str) -> None:
    code, out, said = await line.run(*WISH, "--key", key)
    assert (code, out) == (1, "")
    assert said == f"hems: --key takes up to {LONGEST} printable ASCII characters\n"
    assert (line.keys, await line.events()) == ([], [])


async def test_what_only_looks_has_no_name(line: Line) -> None:
    code, listed, _ = await line.run("list")
    assert (code, listed, line.keys) == (0, "no events yet\n", [])
