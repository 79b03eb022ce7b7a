"""The built front end, served from one folder and nothing outside it."""

from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from hems.page_files import PageFiles, is_place

_NOT_BUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Home energy</title></head>
<body>
<h1>The page is not built yet</h1>
<p>The hub runs, but its page has not been built on this machine.
Run <code>make web/static/index.html</code> in the project's folder, then load this
address again.</p>
<p>What the page would show can be read at <a href="/api/home">/api/home</a>.</p>
</body>
</html>
"""


class Pages:
    """Serves the front end's files.

    Args:
        folder: Where the built front end lies; it may appear or change while the hub runs.
    """

    def __init__(self, folder: Path) -> None:
        self._files = PageFiles(folder)

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /: the page, or in words why there is none."""
        return self._index()

    async def trust(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /trust: how a browser comes to trust the hub's certificate."""
        page = self._files.find("trust.html")
        if page is None:
            raise web.HTTPNotFound
        return page

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Answer GET of any other path: a file of the front end, a place on the page, or 404."""
        asked = request.match_info["path"]
        found = self._files.find(asked)
        if found is not None:
            return found
        api = asked.partition("/")[0] == "api"
        if not api and is_place(asked, request.headers.get("Accept", "")):
            return self._index()
        raise web.HTTPNotFound

    def _index(self) -> web.StreamResponse:
        return self._files.find("index.html") or web.Response(
            status=HTTPStatus.SERVICE_UNAVAILABLE, text=_NOT_BUILT, content_type="text/html"
        )
