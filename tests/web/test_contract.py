"""The API's description is valid, tells all that is served, and the page's types follow from it."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hems.access.rights import Right
from tests.web.conftest import Served
from tests.web.schema import SCHEMA, generate
from web.models import Answer, HomeAnswer
from web.openapi import document
from web.operation import Operation
from web.parts import PARTS, all_operations

pytestmark = pytest.mark.requirement("ROLE-UI")


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(all_operations())


def test_the_description_is_valid(described: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(described).validate()


def test_each_operation_is_described_once(described: dict[str, Any]) -> None:
    told = [of for methods in described["paths"].values() for of in methods.values()]
    assert len(told) == sum(len(part.operations()) for part in PARTS)
    for each in told:
        assert each["summary"], each["operationId"]
        assert each["x-right"]


@pytest.mark.parametrize("operation", all_operations(), ids=lambda o: f"{o.method} {o.path}")
def test_an_operation_takes_from_its_path_all_that_the_path_names(operation: Operation) -> None:
    named = {part[1:-1] for part in operation.path.split("/") if part.startswith("{")}
    assert operation.path.startswith(("/api/", "/health/", "/metrics"))
    assert set(operation.signature.path) == named


def test_what_may_be_unbounded_is_said_to_be_null(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert {"type": "null"} in schemas["EventAnswer"]["properties"]["ends_at"]["anyOf"]
    assert set(schemas["HomeAnswer"]["required"]) == set(HomeAnswer.model_fields)


async def test_what_is_served_is_described(served: Served, described: dict[str, Any]) -> None:
    async with served.client.get("/api/openapi.json") as answer:
        assert answer.status == 200
        told = await answer.json()
    assert set(told["paths"]) < set(described["paths"])
    for path, methods in told["paths"].items():
        assert methods == described["paths"][path]


@pytest.mark.skipif(
    not (SCHEMA.parents[2] / "node_modules").is_dir(), reason="the page's packages are not there"
)
def test_the_page_knows_the_api_as_it_is() -> None:
    assert SCHEMA.read_text() == generate(), "make page-types"


def test_two_models_of_one_name_are_named() -> None:
    class HomeAnswer(Answer):
        """Not the one."""

    async def other() -> HomeAnswer:
        """Return another."""
        return HomeAnswer()

    with pytest.raises(ValueError, match="HomeAnswer: another model has that name"):
        document([*all_operations(), Operation("GET", "/api/other", other, Right.SEE)])


def test_an_address_served_twice_is_named() -> None:
    twice = [*all_operations(), all_operations()[0]]
    with pytest.raises(ValueError, match="/api/home is there twice"):
        document(twice)
