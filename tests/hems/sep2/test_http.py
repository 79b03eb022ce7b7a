"""The transport against a real server on loopback."""

import asyncio
import ssl
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from hems.sep2 import resources as res
from hems.sep2.errors import (
    BusyError,
    DeadlineError,
    ForbiddenError,
    HarmfulError,
    MalformedError,
    NotFoundError,
    OversizedError,
    PermanentError,
    RedirectError,
    RejectedError,
    Sep2Error,
    TransientError,
    UnreachableError,
)
from hems.sep2.transport.http import Limits, Transport
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE, serialize
from tests.hems.sep2.serving import TIME, Handler, Reader, Writer, raw_server, sep, talking_to

pytestmark = pytest.mark.requirement("PRO-2030.5")


def answering(status: int, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, headers=named)

    return handler


async def test_get_asks_for_sep_xml_and_reads_it() -> None:
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request)
        return sep(TIME)

    async with talking_to(handler) as transport:
        assert await transport.get("/tm?x=1", res.Time) == TIME
    assert asked[0].headers["Accept"] == MEDIA_TYPE
    assert asked[0].path_qs == "/tm?x=1"


async def test_one_connection_serves_many_requests() -> None:
    peers: set[object] = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return sep(TIME)

    async with talking_to(handler) as transport:
        for _ in range(5):
            await transport.get("/tm", res.Time)
    assert len(peers) == 1


async def test_an_absolute_link_on_the_same_server_is_followed() -> None:
    async def handler(request: web.Request) -> web.Response:
        return sep(TIME, href=str(request.url))

    async with talking_to(handler) as transport:
        assert await transport.get(f"http://{transport.host}/tm", res.Time) == TIME


@pytest.mark.parametrize(
    "href",
    ["http://192.0.2.1/tm", "https://127.0.0.1/tm", "//192.0.2.1/tm", "http://127.0.0.1:1/tm"],
)
@pytest.mark.requirement("LC-TEST")
async def test_a_link_to_another_server_is_not_followed(href: str) -> None:
    async with talking_to(answering(500)) as transport:
        with pytest.raises(RedirectError, match=r"leads away from http://127\.0\.0\.1"):
            await transport.get(href, res.Time)


@pytest.mark.parametrize("href", ["http://[", "http://127.0.0.1:port/"])
async def test_a_link_that_is_none(href: str) -> None:
    async with talking_to(answering(500)) as transport:
        with pytest.raises(PermanentError, match="not a usable address"):
            await transport.get(href, res.Time)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_keeps_method_and_body(status: int) -> None:
    seen: list[tuple[str, str, bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.path, await request.read()))
        if request.path == "/old":
            return web.Response(status=status, headers={"Location": "/new"})
        return web.Response(status=201, headers={"Location": "/new/1"})

    async with talking_to(handler) as transport:
        assert await transport.post("/old", TIME) == "/new/1"
    body = serialize(TIME)
    assert seen == [("POST", "/old", body), ("POST", "/new", body)]


async def test_five_redirects_are_followed_and_not_six() -> None:
    async def handler(request: web.Request) -> web.Response:
        left = int(request.path.strip("/"))
        return (
            sep(TIME)
            if not left
            else web.Response(status=301, headers={"Location": f"/{left - 1}"})
        )

    async with talking_to(handler) as transport:
        assert await transport.get("/5", res.Time) == TIME
        with pytest.raises(RedirectError, match="/6: more than 5 redirects"):
            await transport.get("/6", res.Time)


@pytest.mark.requirement("LC-TEST")
async def test_a_redirect_to_another_host_is_refused() -> None:
    async with talking_to(answering(307, Location="http://192.0.2.1/tm")) as transport:
        with pytest.raises(RedirectError, match=r"http://192\.0\.2\.1/tm leads away"):
            await transport.get("/tm", res.Time)


async def test_a_redirect_to_nowhere() -> None:
    async with talking_to(answering(301)) as transport:
        with pytest.raises(RedirectError, match="without a Location"):
            await transport.get("/tm", res.Time)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (304, PermanentError),
        (400, RejectedError),
        (401, ForbiddenError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (405, RejectedError),
        (406, RejectedError),
        (408, BusyError),
        (410, NotFoundError),
        (415, RejectedError),
        (429, BusyError),
        (500, BusyError),
        (501, PermanentError),
        (503, BusyError),
        (599, BusyError),
    ],
)
async def test_each_status_has_its_error(status: int, kind: type[Sep2Error]) -> None:
    async with talking_to(answering(status)) as transport:
        with pytest.raises(kind, match=rf"GET 127\.0\.0\.1:[0-9]+/x: {status} ") as caught:
            await transport.get("/x", res.Time)
    assert type(caught.value) is kind
    if isinstance(caught.value, RejectedError):
        assert caught.value.status == status


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry_After": "120"}, 120.0),
        ({"Retry_After": "999999999"}, 86_400.0),
        (
            {
                "Date": "Tue, 14 Nov 2023 22:13:20 GMT",
                "Retry_After": "Tue, 14 Nov 2023 22:14:20 GMT",
            },
            60.0,
        ),
        ({"Retry_After": "Tue, 14 Nov 2023 22:14:20 GMT"}, 0.0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_says_when(
    status: int, headers: dict[str, str], wait_s: float | None
) -> None:
    async with talking_to(answering(status, **headers)) as transport:
        with pytest.raises(TransientError) as caught:
            await transport.get("/x", res.Time)
    assert caught.value.retry_after_s == wait_s


async def test_the_servers_own_reason_is_told() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=400, body=serialize(res.Error(reason_code=2)))

    async with talking_to(handler) as transport:
        with pytest.raises(RejectedError, match="400 Bad Request, reason code 2"):
            await transport.put("/x", TIME)


async def test_put_and_delete() -> None:
    seen: list[tuple[str, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.headers.get("Content-Type")))
        return web.Response(status=204)

    async with talking_to(handler) as transport:
        await transport.put("/x", TIME)
        await transport.delete("/x")
        assert await transport.post("/x", TIME) is None
    assert seen == [("PUT", MEDIA_TYPE), ("DELETE", None), ("POST", MEDIA_TYPE)]


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize("announced", [True, False])
async def test_an_oversized_body_is_not_read_to_its_end(announced: bool) -> None:
    sent = 0
    ended = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE})
        if announced:
            response.content_length = 1 << 30
        await response.prepare(request)
        try:
            for _ in range(1 << 14):
                await response.write(b" " * (1 << 16))
                sent += 1 << 16
        except OSError:
            pass  # the client hung up, as it should
        finally:
            ended.set()
        return response

    async with talking_to(handler) as transport:
        with pytest.raises(OversizedError, match="longer than 1048576 octets"):
            await transport.get("/x", res.Time)
        async with asyncio.timeout(10):
            await ended.wait()
    assert sent < 16 * MAX_BODY


async def test_a_body_at_the_limit_is_read() -> None:
    body = serialize(TIME)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body.ljust(MAX_BODY), content_type=MEDIA_TYPE)

    async with talking_to(handler) as transport:
        assert await transport.get("/tm", res.Time) == TIME


@pytest.mark.parametrize(
    ("status", "content_type", "body", "message"),
    [
        (204, MEDIA_TYPE, b"", "/x: the answer has no content"),
        (200, MEDIA_TYPE, b"", "/x: the answer has no content"),
        (200, "text/html", b"<html/>", "/x: it is of type 'text/html', not application/sep"),
        (200, "application/sep-exi", b"\x80", "it is of type 'application/sep-exi'"),
        (200, MEDIA_TYPE, b"<html/>", "html: the root element must be Time"),
        (200, MEDIA_TYPE, b"<Time", "document: not well-formed XML"),
    ],
)
@pytest.mark.requirement("LC-TEST")
async def test_an_answer_of_another_kind(
    status: int, content_type: str, body: bytes, message: str
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type=content_type)

    async with talking_to(handler) as transport:
        with pytest.raises(MalformedError, match=message):
            await transport.get("/x", res.Time)


async def test_what_is_made_to_harm_is_told_as_such_with_its_place() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"<!DOCTYPE x><x/>", content_type="application/sep+xml")

    async with talking_to(handler) as transport:
        with pytest.raises(HarmfulError, match=r"/tm: document: a DOCTYPE is not allowed"):
            await transport.get("/tm", res.Time)


async def test_a_silent_server_meets_the_deadline() -> None:
    gone = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        await gone.wait()
        return sep(TIME)

    async with talking_to(handler, limits=Limits(total_s=0.1)) as transport:
        with pytest.raises(DeadlineError, match=r"/tm: no answer within 0\.1 s"):
            await transport.get("/tm", res.Time)
        gone.set()


async def test_a_handshake_that_never_comes_to_an_end() -> None:
    async def listen_only(reader: Reader, _: Writer) -> None:
        await reader.read()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with raw_server(listen_only) as port:
        base = f"https://127.0.0.1:{port}"
        async with Transport(base, context, limits=Limits(connect_s=0.1)) as transport:
            with pytest.raises(DeadlineError, match=r": no connection within 0\.1 s"):
                await transport.get("/tm", res.Time)


async def test_a_server_that_hangs_up_or_is_not_there() -> None:
    async def hang_up(_: Reader, __: Writer) -> None:
        pass

    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(raw_server(hang_up))
        async with Transport(f"http://127.0.0.1:{port}") as transport:
            with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port}/tm: "):
                await transport.get("/tm", res.Time)
            await stack.aclose()
            with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port}: no connection: "):
                await transport.get("/tm", res.Time)


async def test_an_answer_that_is_no_http() -> None:
    async def babble(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n\r\n")

    async with raw_server(babble) as port, Transport(f"http://127.0.0.1:{port}") as transport:
        with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port}/tm: "):
            await transport.get("/tm", res.Time)


@pytest.mark.parametrize(
    "base", ["utility.example", "ftp://utility.example", "https://u.example", ""]
)
def test_a_base_that_is_no_server(base: str) -> None:
    with pytest.raises(ValueError, match=r"not the address of a server|takes a TLS context"):
        Transport(base)
