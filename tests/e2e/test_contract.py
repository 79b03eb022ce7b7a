"""The running hub describes its API itself, and serves all that the page is built against."""

import json

import pytest

from tests.e2e.conftest import Opener
from web.openapi import document
from web.parts import all_operations


@pytest.mark.requirement("ROLE-UI")
async def test_the_hub_serves_what_is_described(opened: Opener) -> None:
    async with opened() as rig:
        told = json.loads(await rig.get_page("/api/openapi.json"))
    described = document(all_operations())
    assert sorted(told["paths"]) == sorted(described["paths"])
    assert told == described
