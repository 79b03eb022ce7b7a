"""The document that describes the API, under /api."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from hems.access.rights import Right
from hems.on_demand import on_demand
from web.answers import compressed
from web.later import Later
from web.operation import Operation, Part

if TYPE_CHECKING:
    from web import openapi
else:
    openapi = on_demand("web.openapi")


class DocumentApi:
    """Tells what the API can do.

    Args:
        parts: The parts that are served.
    """

    def __init__(self, parts: Iterable[Part | type[Part] | Later]) -> None:
        self._parts = tuple(parts)
        self._text = ""

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [
            Operation(
                "GET",
                "/api/openapi.json",
                cls.openapi,
                Right.ANYBODY,
                media_type="application/json",
            )
        ]

    async def openapi(self) -> web.Response:
        """Return the description of this API, OpenAPI 3.1."""
        if not self._text:  # few ask: made for the first of them
            whole = [await p.part() if isinstance(p, Later) else p for p in self._parts]
            operations = [each for part in whole for each in part.operations()]
            self._text = json.dumps(openapi.document(operations))
        return compressed(web.json_response(text=self._text))
