"""Who is kept out under /api: told with the reason, and let in by who may, with a proof."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hems.access.rights import Right
from hems.emg.threats.barrier import Barrier
from tests.hems.emg.threats.conftest import HeldClock
from tests.web.visitor import Visitor
from web.answers import errors_in_words
from web.barred_api import BarredAnswer, BarredApi
from web.operation import DOOR, routes
from web.words import use_language

pytestmark = pytest.mark.requirement("L2-EVENTS", "L2-BLOCK")

BARRED = "/api/security/barred"
SOURCE = "192.0.2.7"


@asynccontextmanager
async def asked(
    barrier: Barrier, clock: HeldClock
) -> AsyncIterator["TestClient[web.Request, web.Application]"]:
    app = web.Application(middlewares=[use_language, errors_in_words])
    app[DOOR] = Visitor()
    app.add_routes(routes(BarredApi(barrier, clock)))
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_who_is_kept_out_is_told_and_let_in_again() -> None:
    barrier, clock = Barrier(), HeldClock()
    barrier.close(SOURCE, clock.monotonic() + 900.0, "Somebody tries passwords.")
    clock.at += 300.0
    async with asked(barrier, clock) as client:
        found = BarredAnswer.model_validate_json(await (await client.get(BARRED)).read())
        (one,) = found.barred
        assert (one.source, one.left_s, one.why) == (SOURCE, 600.0, "Somebody tries passwords.")
        answer = await client.post(f"{BARRED}/let-in", json={"source": SOURCE})
        assert answer.status in {200, 204}, await answer.text()
        assert barrier.wait_s(SOURCE, clock.monotonic()) == 0.0
        again = await client.post(f"{BARRED}/let-in", json={"source": SOURCE})
        assert again.status == 404
        assert SOURCE in await again.text()


def test_who_may() -> None:
    looking, letting_in = BarredApi.operations()
    assert looking.right is Right.AUDIT
    assert (letting_in.right, letting_in.proof) == (Right.SET_UP, True)
