"""Parts of the API that are loaded when they are first asked."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import import_module
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from hems.access.rights import Right
from web import later
from web.later import UNDER, Later
from web.operation import Operation, Part, limits, routes
from web.parts import PARTS

ROOT = Path(__file__).parents[2]


def parts_of(module: str) -> list[type[Part]]:
    """Return the parts that a module of the page has."""
    import_module(f"web.{module}")
    return [part for part in PARTS if part.__module__ == f"web.{module}"]


@pytest.mark.parametrize("module", UNDER)
def test_a_part_answers_under_its_own_paths_alone(module: str) -> None:
    (part,) = parts_of(module)
    paths = {operation.path for operation in part.operations()}
    under = UNDER[module]
    assert all(any(f"{path}/".startswith(f"{each}/") for each in under) for path in paths)
    assert all(any(f"{path}/".startswith(f"{each}/") for path in paths) for each in under)


class Rare:
    """A part that few ask."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [Operation("GET", "/api/rare/{one}", cls.one, Right.SEE, max_body_bytes=5)]

    async def one(self, one: str) -> web.Response:
        """Return which one was asked for."""
        return web.Response(text=one)


class Often(Rare):
    """One that is there from the start, under the same path."""

    made = 0

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [Operation("GET", "/api/rare", cls.all, Right.SEE)]

    async def all(self) -> web.Response:
        """Return all."""
        return web.Response(text="all")


async def straight(operation: Operation, part: Part, request: web.Request) -> web.Response:
    """Answer by an operation, without asking who asks."""
    answer = await operation.handle(part, **request.match_info)
    assert isinstance(answer, web.Response)
    return answer


@pytest.fixture
def rare(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Return a part that is made when it is first asked."""
    monkeypatch.setattr(later, "UNDER", {"rare_api": ("/api/rare",)})
    monkeypatch.setattr(Rare, "made", 0)

    def route(operation: Operation, part: Part) -> web.RouteDef:
        async def serve(request: web.Request) -> web.Response:
            return await straight(operation, part, request)

        return web.RouteDef(operation.method, operation.path, serve, {})

    monkeypatch.setattr(Operation, "route", route)
    return Later("rare_api", Rare)


@asynccontextmanager
async def served(part: Later) -> AsyncIterator[tuple[str, dict[tuple[str, str], int]]]:
    """Serve a part beside another; yields where, and the limits of bodies."""
    app = web.Application()
    largest = limits([Often()])
    part.join(app.router, largest)
    app.add_routes(routes(Often()))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", largest
    finally:
        await runner.cleanup()


async def test_it_is_made_once_for_all_who_ask_first(rare: Later) -> None:
    async with served(rare) as (url, largest), aiohttp.ClientSession() as session:
        assert not largest
        assert Rare.made == 0

        async def ask(name: str) -> str:
            async with session.get(f"{url}/api/rare/{name}") as response:
                return await response.text()

        names = [f"n{number}" for number in range(5)]
        assert await asyncio.gather(*map(ask, names)) == names
        assert Rare.made == 1
        assert largest == {("GET", "/api/rare/{one}"): 5}


async def test_what_it_does_not_answer_another_may(rare: Later) -> None:
    async with served(rare) as (url, _), aiohttp.ClientSession() as session:
        async with session.get(f"{url}/api/rare") as response:
            assert await response.text() == "all"
        async with session.get(f"{url}/api/rare/one/two") as response:
            assert response.status == HTTPStatus.NOT_FOUND
        async with session.delete(f"{url}/api/rare/one") as response:
            assert response.status == HTTPStatus.METHOD_NOT_ALLOWED
            assert "GET" in response.headers["Allow"]


async def test_a_path_of_none_of_its_own_loads_nothing(rare: Later) -> None:
    async with served(rare) as (url, _), aiohttp.ClientSession() as session:
        async with session.get(f"{url}/api/rarely") as response:
            assert response.status == HTTPStatus.NOT_FOUND
        assert Rare.made == 0


def test_a_hub_starts_without_them() -> None:
    """In a process of its own: here they are loaded."""
    said = subprocess.run(
        [sys.executable, "-c", "import hems.commands.run, sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "web.later" in said
    assert not {f"web.{module}" for module in UNDER} & set(said)
