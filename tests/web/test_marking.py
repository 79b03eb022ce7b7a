"""Each request has an id of its own, in the log and in its answer."""

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hems.correlation import current
from web.marking import ID_HEADER, marked


async def test_what_a_request_brings_about_goes_by_its_id() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=current())

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(current().encode())
        return response

    app = web.Application(middlewares=[marked])
    app.add_routes([web.get("/", answer), web.get("/stream", stream)])
    async with TestClient(TestServer(app)) as client:
        seen = []
        for _ in range(2):
            async with client.get("/", headers={ID_HEADER: "mine"}) as response:
                assert await response.text() == response.headers[ID_HEADER]
                seen.append(response.headers[ID_HEADER])
        async with client.get("/stream") as response:
            seen.append(await response.text())
    assert len(set(seen)) == 3
    assert "mine" not in seen
    assert current() == ""
