"""The hub's time under /api: asked of a real timekeeper over a real socket, in two languages."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import TypeAdapter

from hems.access.rights import Role
from hems.timekeeping.reading import Upstream
from tests.hems.timekeeping.test_hub_clock import T0, Machine
from tests.hems.timekeeping.test_timekeeper import KEPT, Bench
from tests.web.visitor import Visitor
from web.operation import DOOR, routes
from web.time_api import TimeAnswer, TimeApi
from web.words import use_language

pytestmark = pytest.mark.requirement("TIME-SOURCES")

JSON = TypeAdapter(TimeAnswer)


async def asked(bench: Bench, language: str) -> TimeAnswer:
    """Return what is told of the time in a language."""
    app = web.Application(middlewares=[use_language])
    app[DOOR] = Visitor(Role.OWNER)
    app.add_routes(routes(TimeApi(bench.keeper)))
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/api/time", params={"lang": language})
        assert answer.status == 200
        return JSON.validate_json(await answer.read())


async def test_who_keeps_it_and_how_well(tmp_path: Path) -> None:
    bench = Bench(tmp_path, kernel=KEPT)
    bench.says("utility", T0 + 1.0)
    await bench.keeper.look()
    found = await asked(bench, "en")
    assert (found.known, found.source, found.quality, found.error_s) == (True, "kernel", 3, 0.01)
    assert found.words == "Kept by a program of this machine, right to 10.0 ms."
    (server,) = found.servers
    assert (server.name, server.apart_s, server.quality) == ("utility", 1.0, 3)
    (keeper,) = found.keepers
    assert (keeper.synchronised, keeper.stratum) == (True, None)


async def test_what_should_be_seen_to_is_said_in_the_language_of_who_asks(tmp_path: Path) -> None:
    often = Upstream("192.0.2.8", reference_clock=False, stratum=2, poll_s=1.0, state="used")
    bench = Bench(tmp_path, machine=Machine(T0))
    bench.kernel = type(KEPT)(KEPT.source, synchronised=True, error_s=0.01, upstreams=(often,))
    await bench.keeper.look()
    (note,) = (await asked(bench, "de")).notes
    assert note.startswith("chrony fragt 192.0.2.8 alle 1 s")
    assert (await asked(bench, "fr")).said.startswith("Heure de la centrale :")
