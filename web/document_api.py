"""The document that describes the API, under /api."""

import json
from collections.abc import Iterable, Sequence

from aiohttp import web

from hems.access.rights import Right
from web.answers import compressed
from web.openapi import document
from web.operation import Operation, Part


class DocumentApi:
    """Tells what the API can do.

    Args:
        parts: The parts that are served.
    """

    def __init__(self, parts: Iterable[Part | type[Part]]) -> None:
        self._operations = [each for part in parts for each in part.operations()]
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
            self._text = json.dumps(document(self._operations))
        return compressed(web.json_response(text=self._text))
