"""The API of grants and accesses: what is no grant is not found, whatever it looks like."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hems.clock import SystemClock
from hems.store.store import open_store
from hems.visibility.grants import Data, Purpose
from hems.visibility.visibility import Visibility
from web.operation import DOOR, OpenDoor, routes
from web.visibility_api import VisibilityApi

pytestmark = [pytest.mark.requirement("BUC-13"), pytest.mark.requirement("PRV-RBAC")]


async def test_a_grant_is_withdrawn_by_its_number_and_by_nothing_else(tmp_path: Path) -> None:
    clock = SystemClock()
    store = await open_store(tmp_path / "hub.db", clock)
    visibility = Visibility(store.visibility, clock, lambda _text: None)
    made = await visibility.grant(
        "A" * 40, "Operator", Purpose.OPERATION, [Data.LIVE], clock.now() + 60
    )
    app = web.Application()
    app[DOOR] = OpenDoor()
    app.add_routes(routes(VisibilityApi(lambda: visibility)))
    async with TestClient(TestServer(app)) as client:
        for strange in ("9" * 5000, "-1", "\u00b2", "x", str(made.id + 1)):
            assert (await client.delete(f"/api/grants/{strange}")).status == 404
        assert (await visibility.grants())[0].holds
        assert (await client.delete(f"/api/grants/{made.id}")).status == 204
    assert not (await visibility.grants())[0].holds
    await store.close()
