"""What homes see of the feeds: the bulletin, the firmware lists; and what they give back."""

import asyncio
import hashlib
import re
from pathlib import Path
from typing import Final

from aiohttp import ETag, web
from pydantic import ValidationError

from hems.bulletin import MOST_STATISTICS, Statistics
from hems.headend.bodies import octets_of
from hems.headend.enterprise.book import BulletinBook
from hems.headend.enterprise.statistics import StatisticsBook
from hems.headend.errors import RequestError, UnknownItemError
from hems.headend.exchange import BODY_WITHIN_S, caller

BULLETIN: Final = "/bulletin"
STATISTICS: Final = "/statistics"
FIRMWARE: Final = "/firmware"

_JOSE: Final = "application/jose"
_JSON: Final = "application/json"
_NOT_MODIFIED: Final = 304
_PATH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*(/[A-Za-z0-9][A-Za-z0-9_.+-]*){0,4}")


class _MediaError(RequestError):
    status = 415


class FeedViews:
    """The bulletin and the days in numbers, for registered homes.

    Args:
        book: The bulletin.
        days: The days.
    """

    def __init__(self, book: BulletinBook, days: StatisticsBook) -> None:
        self._book = book
        self._days = days

    def routes(self) -> list[web.RouteDef]:
        """Return where they stand."""
        return [
            web.get(BULLETIN, self.get_bulletin),
            web.post(STATISTICS, self.post_statistics),
        ]

    async def get_bulletin(self, request: web.Request) -> web.Response:
        """Answer the bulletin, or 304 where the home has just this one."""
        caller(request).registered()
        published = self._book.published
        if published is None:
            raise UnknownItemError("there is no bulletin yet")
        body = published.octets
        tag = ETag(hashlib.sha256(body).hexdigest()[:32])
        if tag.value in {known.value for known in request.if_none_match or ()}:
            answered = web.Response(status=_NOT_MODIFIED)
        else:
            answered = web.Response(body=body, content_type=_JOSE)
        answered.etag = tag
        return answered

    async def post_statistics(self, request: web.Request) -> web.Response:
        """Take a home's day in numbers."""
        home = caller(request).registered()
        if request.content_type != _JSON:
            raise _MediaError(f"a day in numbers is {_JSON}, not {request.content_type[:80]}")
        body = await octets_of(request, MOST_STATISTICS, BODY_WITHIN_S)
        try:
            day = Statistics.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RequestError(f"no day in numbers: {where}: {first['msg']}") from error
        await self._days.take(home.lfdi, day)
        return web.Response(status=204)


class FirmwareViews:
    """The files of the firmware lists' repository, as they are, for registered homes.

    Args:
        folder: Of the repository (`hems.headend.firmware`): what is in its `repository`.
    """

    def __init__(self, folder: Path) -> None:
        self._root = (folder / "repository").resolve()

    def routes(self) -> list[web.RouteDef]:
        """Return where they stand."""
        return [web.get(FIRMWARE + "/{path:.+}", self.get_file)]

    async def get_file(self, request: web.Request) -> web.StreamResponse:
        """Answer a file."""
        caller(request).registered()
        path = request.match_info["path"]
        found = await asyncio.to_thread(self._file, path)
        if found is None:
            raise UnknownItemError("there is no such file in the repository")
        return web.FileResponse(found)

    def _file(self, path: str) -> Path | None:
        if _PATH.fullmatch(path) is None:
            return None
        file = (self._root / path).resolve()
        return file if file.is_relative_to(self._root) and file.is_file() else None
