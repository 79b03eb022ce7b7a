"""Operations: who is let through, what is read from a request, what is answered."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus

import aiohttp
import pytest
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from der.sentence import say
from hems.access.rights import RIGHTS, Right, Role, Who
from tests.web.surface import ScriptedClock, ScriptedHome
from web.api import HomeApi
from web.document_api import DocumentApi
from web.models import Answer
from web.operation import Download, Handle, OpenDoor, Operation, Refusals
from web.parts import all_operations
from web.server import serving
from web.settings import WebSettings
from web.stream import Streams

pytestmark = [pytest.mark.requirement("ROLE-UI"), pytest.mark.requirement("PRV-RBAC")]


class OddError(Exception):
    """What the echo refuses."""


class Heard(Answer):
    """What the echo has heard."""

    name: str
    loud: bool = False
    words: str = ""
    who: str = ""


class Loudness(BaseModel):
    """How it is asked."""

    model_config = ConfigDict(extra="forbid")

    loud: bool = False


class Said(BaseModel):
    """What is said to it."""

    words: str = "nothing"


SILENCE = Said()


class Echo:
    """A part that says what it was asked."""

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        refusals: Refusals = {OddError: HTTPStatus.CONFLICT}
        return [
            Operation(
                "POST",
                "/api/echo/{name}",
                cls.echo,
                Right.STEER,
                HTTPStatus.ACCEPTED,
                refusals,
            ),
            Operation("GET", "/api/echo/nothing", cls.nothing, Right.SEE),
            Operation("GET", "/api/echo/file", cls.file, Right.SEE),
            Operation("GET", "/api/echo/door", cls.at_the_door, Right.ANYBODY),
            Operation("POST", "/api/echo/raw", cls.raw, Right.OWN, max_body_bytes=100_000),
        ]

    async def echo(
        self, name: str, who: Who, query: Loudness, body: Said = SILENCE
    ) -> Heard | None:
        """Say it again."""
        if name == "odd":
            raise OddError(say("{name} is odd.", name=name))
        return Heard(name=name, loud=query.loud, words=body.words, who=who.name)

    async def nothing(self) -> Heard | None:
        """Say nothing."""
        return None

    async def file(self) -> Download:
        """Give a file."""
        return Download(b"a,b", "text/csv", "echo.csv")

    async def at_the_door(self, who: Who | None, request: web.Request) -> Heard:
        """Tell who asks, and from where."""
        return Heard(name=request.remote or "", who="" if who is None else who.name)

    async def raw(self, content: bytes) -> Heard:
        """Tell how long it was."""
        return Heard(name=str(len(content)))


class Named(OpenDoor):
    """A doorkeeper who believes a header."""

    async def who(self, request: web.Request) -> Who | None:
        role = request.headers.get("X-Role")
        return None if role is None else Who("somebody", Role(role))


@asynccontextmanager
async def echoing(settings: WebSettings) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serving(ScriptedHome(), settings, ScriptedClock(), [Echo()], Named()) as url,
        aiohttp.ClientSession(url) as client,
    ):
        yield client


async def _ask(
    client: aiohttp.ClientSession,
    method: str,
    path: str,
    role: Role | None = Role.OWNER,
    data: bytes | None = None,
) -> tuple[int, str]:
    headers = {} if role is None else {"X-Role": role.value}
    async with client.request(method, path, headers=headers, data=data) as answer:
        return answer.status, await answer.text()


async def test_a_handler_gets_what_its_signature_names(settings: WebSettings) -> None:
    async with echoing(settings) as client:
        status, text = await _ask(
            client, "POST", "/api/echo/you?loud=1&lang=de", data=b'{"words": "hey"}'
        )
        assert (status, Heard.model_validate_json(text)) == (
            202,
            Heard(name="you", loud=True, words="hey", who="somebody"),
        )
        _, text = await _ask(client, "POST", "/api/echo/you")
        assert Heard.model_validate_json(text).words == "nothing"
        assert await _ask(client, "GET", "/api/echo/nothing") == (204, "")
        assert await _ask(client, "GET", "/api/echo/file") == (200, "a,b")
        _, text = await _ask(client, "GET", "/api/echo/door", None)
        assert Heard.model_validate_json(text) == Heard(name="127.0.0.1")


async def test_what_goes_wrong_is_said(settings: WebSettings) -> None:
    async with echoing(settings) as client:
        assert await _ask(client, "POST", "/api/echo/odd") == (409, '{"error":"odd is odd."}')
        status, text = await _ask(client, "POST", "/api/echo/you?volume=3")
        assert status == 400
        assert "volume" in text
        status, text = await _ask(client, "POST", "/api/echo/you", data=b"{")
        assert status == 400


async def test_only_an_operation_that_says_so_takes_a_large_body(settings: WebSettings) -> None:
    async with echoing(settings) as client:
        status, text = await _ask(client, "POST", "/api/echo/raw", data=b"x" * 100_000)
        assert (status, Heard.model_validate_json(text).name) == (200, "100000")
        status, _ = await _ask(client, "POST", "/api/echo/raw", data=b"x" * 100_001)
        assert status == 413
        status, _ = await _ask(client, "POST", "/api/echo/you", data=b"x" * 10_000)
        assert status == 413


class Everything:
    """All that the API does beside what any server of a home serves, done by doing nothing."""

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        own = [each.path for part in (HomeApi, Streams, DocumentApi) for each in part.operations()]
        return [
            replace(each, handle=cls.nothing) for each in all_operations() if each.path not in own
        ]

    async def nothing(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("role", [None, *Role])
async def test_each_operation_lets_through_who_may(
    settings: WebSettings, role: Role | None
) -> None:
    rights = frozenset({Right.ANYBODY}) if role is None else RIGHTS[role]
    headers = {} if role is None else {"X-Role": role.value}
    refused = 401 if role is None else 403
    async with (
        serving(ScriptedHome(), settings, ScriptedClock(), [Everything()], Named()) as url,
        aiohttp.ClientSession(url) as client,
    ):
        for operation in all_operations():
            path = operation.path.replace("{", "").replace("}", "")
            async with client.request(operation.method, path, headers=headers) as answer:
                let_through = answer.status != refused
            assert let_through == (operation.right in rights), f"{operation.method} {path}"


@pytest.mark.parametrize("handle", [Everything.operations, SILENCE.model_dump])
def test_a_handler_that_cannot_be_served_is_named(handle: Handle) -> None:
    with pytest.raises(TypeError, match="/api/odd"):
        _ = Operation("GET", "/api/odd", handle, Right.SEE).signature
