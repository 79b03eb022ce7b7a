"""The door's description: valid, of all that is served, and kept to whatever is asked."""

import asyncio
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from hems.headend.cim.http_door import TrailDoor as CimTrail
from hems.headend.enterprise.door import FeedDoor
from hems.headend.est.door import EstDoor
from hems.headend.est.expected_door import ExpectedDoor
from hems.headend.operator_api import Door
from hems.headend.operators.openapi import canonical
from hems.headend.operators.roles import OperatorRole
from hems.headend.operators.table import table
from hems.headend.server import HeadEnd
from hems.headend.upstream.door import UpstreamDoor
from tests.fuzz.api_target import Asking, Found, ask
from tests.hems.headend.operators.conftest import Staff

pytestmark = pytest.mark.requirement("PRV-RBAC")
_READS = re.compile(r"read_model\(request, (\w+)\)")
LEFT_OUT = {
    "DELETE /operators/{name}": "it may end the account that asks",
    "PUT /operators/{name}": "it may take the role from who asks",
    "GET /console/{path}": "a page, no part of the API",
    "GET /console/": "the same",
    "GET /console": "the same",
    "GET /": "the same",
}


def routes(app: web.Application) -> Iterator[tuple[str, str, Any]]:
    for route in app.router.routes():
        resource = route.resource
        if resource is not None and route.method != "HEAD":
            yield route.method, resource.canonical, route.handler


async def test_every_route_has_a_row_that_says_what_its_handler_reads(head_end: HeadEnd) -> None:
    rules, seen = table(), 0
    for method, path, handler in routes(head_end.door):
        assert rules.knows(method, path), f"{method} {path} has no row in operators/table.py"
        rule = rules.find(method, path)
        read = set(_READS.findall(inspect.getsource(handler)))
        named = set() if rule.body is None else {rule.body.__name__}
        assert read == named, f"{method} {path}"
        seen += 1
    assert seen > 80


@pytest.mark.parametrize("door", [EstDoor, ExpectedDoor, FeedDoor, CimTrail, UpstreamDoor])
def test_so_has_every_route_of_what_is_not_configured_here(door: type[Door]) -> None:
    rules = table()
    for route in object.__new__(door).routes():
        path = canonical(route.path)
        assert rules.knows(route.method, path), f"{route.method} {path} has no row"
        rule = rules.find(route.method, path)
        read = set(_READS.findall(inspect.getsource(route.handler)))
        assert read == (set() if rule.body is None else {rule.body.__name__}), path


async def test_what_is_served_is_described(head_end: HeadEnd, staff: Staff) -> None:
    eve = await staff.logged_in("Eve", "auditor")
    told = await eve.good("GET", "/openapi.json")
    OpenAPIV31SpecValidator(told).validate()
    served = {(method, path) for method, path, _ in routes(head_end.door)}
    described = {(method.upper(), path) for path, of in told["paths"].items() for method in of}
    assert described == served
    for path, methods in told["paths"].items():
        for method, each in methods.items():
            assert each["summary"], (method, path)
            rule = table().find(method.upper(), path)
            roles = set() if rule.who is None else {role.value for role in rule.who}
            whoever = len(roles) == len(OperatorRole)
            assert set(each["x-roles"]) == ({"any"} if whoever else roles), (method, path)


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/a/{b}", "/a/{b}"),
        ("/a/{b:x|y}/c", "/a/{b}/c"),
        ("/a/{b:[0-9]{2}}", "/a/{b}"),
        ("/console/{path:.+}", "/console/{path}"),
    ],
)
def test_paths_are_told_without_patterns(path: str, plain: str) -> None:
    assert canonical(path) == plain


@pytest.mark.timeout(240)
@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.deep), 4])
async def test_whatever_is_asked_the_description_holds(
    head_end: HeadEnd, staff: Staff, every: int
) -> None:
    sessions = []
    for role in OperatorRole:
        person = await staff.with_token(f"Kim {role}", role)
        sessions.append(requests.Session())
        sessions[-1].headers["Authorization"] = f"Bearer {person.token}"
    sessions.append(requests.Session())
    url, place = head_end.addresses.operator_url, "/openapi.json"
    asking = Asking(url, sessions, 2, 1, place, LEFT_OUT, every)
    found = Found()
    await asyncio.to_thread(ask, asking, found, 120.0)
    assert not found.wrong, "\n\n".join(f"{k}\n{v}" for k, v in found.wrong.items())
    assert found.asked.total() > 100
    eve = await staff.logged_in("Eve", "auditor")
    assert (await eve.good("GET", "/trail/check"))["whole"]
