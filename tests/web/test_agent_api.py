"""The software agent under /api: who may see it, have it measure, and accept a start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from certs.agent.boot import REGISTERS
from hems.access.rights import Role
from hems.agent.inventory import inventory
from hems.agent.surface import InventoryView
from tests.certs.agent.installed import Provider, small
from tests.certs.keys.hardware import SoftTpm, needs_swtpm
from tests.hems.agent.rig import Guardhouse
from tests.web.visitor import Visitor
from web.agent_api import AgentAnswer, AgentApi, InventoryAnswer
from web.answers import errors_in_words
from web.operation import DOOR, routes

pytestmark = pytest.mark.requirement("L1-AGENT", "L1-INVENTORY", "PRV-RBAC")


class Hub:
    """The watch over an agent as it is, with the inventory of a hub."""

    def __init__(self, house: Guardhouse) -> None:
        watch = house.watch
        self.agent, self.measure, self.accept_boot = watch.agent, watch.measure, watch.accept_boot

    async def inventory(self) -> InventoryView:
        return inventory()


@asynccontextmanager
async def asked(
    house: Guardhouse, role: Role
) -> "AsyncIterator[TestClient[web.Request, web.Application]]":
    app = web.Application(middlewares=[errors_in_words])
    app[DOOR] = Visitor(role)
    app.add_routes(routes(AgentApi(Hub(house))))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def house(tmp_path: Path) -> Guardhouse:
    provider = Provider.made(tmp_path / "provider")
    return Guardhouse(provider, small(tmp_path / "software"), tmp_path / "hub")


@pytest.mark.parametrize(
    ("role", "seen", "accepted"),
    [
        (Role.OWNER, 200, 409),
        (Role.INSTALLER, 200, 403),
        (Role.PROVIDER, 200, 403),
        (Role.HOUSEHOLD, 403, 403),
        (Role.AGGREGATOR, 403, 403),
        (Role.AUDITOR, 403, 403),
    ],
)
async def test_who_may_what(house: Guardhouse, role: Role, seen: int, accepted: int) -> None:
    async with house, asked(house, role) as client:
        await house.checked()
        answer = await client.get("/api/agent")
        assert answer.status == seen
        if seen == 200:
            found = AgentAnswer.model_validate_json(await answer.read())
            assert (found.publisher, found.troubles) == ("Example Energy", [])
        answer = await client.get("/api/agent/inventory")
        assert answer.status == seen
        if seen == 200:
            assert InventoryAnswer.model_validate_json(await answer.read()).software
        assert (await client.post("/api/agent/measure")).status == (204 if seen == 200 else 403)
        assert (await client.post("/api/agent/boot")).status == accepted, "no TPM is asked here"


@needs_swtpm
async def test_the_owner_accepts_a_start(house: Guardhouse, tmp_path: Path) -> None:
    tpm = SoftTpm(tmp_path / "tpm")
    tpm.start()
    house.tcti = tpm.tcti
    try:
        async with house, asked(house, Role.OWNER) as client:
            await house.seen(lambda: bool(house.watch.agent().registers), "registers")
            answer = await (await client.get("/api/agent")).read()
            found = AgentAnswer.model_validate_json(answer)
            assert found.registers.keys() == {str(number) for number in REGISTERS}
            assert (await client.post("/api/agent/boot")).status == 204
    finally:
        tpm.stop()
