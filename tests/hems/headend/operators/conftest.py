"""Operators with accounts of their own, at a real head-end."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from hems.headend.server import HeadEnd
from tests.hems.headend.conftest import Operator

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """Somebody at the operator's door, as a browser or a program."""

    session: aiohttp.ClientSession
    name: str = ""
    csrf: str = ""
    token: str = ""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        status, answer, _ = await self.whole(method, path, body)
        return status, answer

    async def whole(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        if self.csrf:
            headers.setdefault("X-CSRF-Token", self.csrf)
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        data = None if body is None else json.dumps(body)
        async with self.session.request(method, path, data=data, headers=headers) as answer:
            read = await answer.read()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(read) if is_json else read, answer

    async def good(self, method: str, path: str, body: object = None) -> Any:
        status, answer = await self.ask(method, path, body)
        assert status in {200, 201, 202, 204}, answer
        return answer

    async def bad(self, status: int, method: str, path: str, body: object = None) -> str:
        got, answer = await self.ask(method, path, body)
        assert got == status, answer
        return str(answer["error"])

    async def log_in(self, name: str, password: str = PASSWORD) -> Any:
        who = await self.good("POST", "/session", {"name": name, "password": password})
        self.name, self.csrf = name, who["csrf"]
        return who


@dataclass
class Staff:
    """All who work there."""

    operator: Operator
    url: str
    made: list[Person]

    def stranger(self, url: str = "", **options: Any) -> Person:
        jar = aiohttp.CookieJar(unsafe=True)  # of addresses, which tests use
        session = aiohttp.ClientSession(url or self.url, cookie_jar=jar, **options)
        self.made.append(Person(session))
        return self.made[-1]

    async def hire(self, name: str, *roles: str) -> None:
        wish = {"name": name, "roles": list(roles), "password": PASSWORD}
        status, answer = await self.operator.ask("POST", "/operators", wish)
        assert status == 201, answer

    async def logged_in(self, name: str, *roles: str, url: str = "") -> Person:
        await self.hire(name, *roles)
        person = self.stranger(url)
        await person.log_in(name)
        return person

    async def with_token(self, name: str, *roles: str) -> Person:
        """Return a program of a new operator."""
        await self.hire(name, *roles)
        place = f"/operators/{name}/tokens"
        status, made = await self.operator.ask("POST", place, {"label": "tests"})
        assert status == 201, made
        person = self.stranger()
        person.name, person.token = name, made["token"]
        return person


@pytest.fixture
async def staff(head_end: HeadEnd, operator: Operator) -> AsyncIterator[Staff]:
    made = Staff(operator, head_end.addresses.operator_url, [])
    yield made
    for person in made.made:
        await person.session.close()


Hire = Callable[..., Awaitable[Person]]
