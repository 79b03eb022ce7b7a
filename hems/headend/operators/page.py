"""The console, a page that was built beforehand, at the operator's door."""

from pathlib import Path
from typing import Final

from aiohttp import web

from hems.page_files import PageFiles, is_place

CONSOLE: Final = "/console/"
_NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Console</title></head>
<body>
<h1>The console is not built yet</h1>
<p>Run <code>make web/static/index.html</code> in the project's folder, then load this address
again. What it would show can be asked for by <code>hems event</code> and
<code>hems headend</code>, and is described at <a href="/openapi.json">/openapi.json</a>.</p>
</body>
</html>
"""


class ConsolePage:
    """The page's files.

    Args:
        folder: Where they lie; they may appear while the server runs.
    """

    def __init__(self, folder: Path) -> None:
        self._files = PageFiles(folder)

    def routes(self) -> list[web.RouteDef]:
        """Return where they stand."""
        return [
            web.get("/", self.get_root),
            web.get("/console", self.get_console),
            web.get(CONSOLE, self.get_index),
            web.get(CONSOLE + "{path:.+}", self.get_file),
        ]

    async def get_root(self, _request: web.Request) -> web.StreamResponse:
        """Send a browser to the console."""
        raise web.HTTPFound(CONSOLE)

    async def get_console(self, _request: web.Request) -> web.StreamResponse:
        """Send a browser to the console's own folder."""
        raise web.HTTPFound(CONSOLE)

    async def get_index(self, _request: web.Request) -> web.StreamResponse:
        """Answer the console's page."""
        return self._index()

    async def get_file(self, request: web.Request) -> web.StreamResponse:
        """Answer a file of the console, or its page where the path is a place on it."""
        asked = request.match_info["path"]
        found = self._files.find(asked)
        if found is not None:
            return found
        if is_place(asked, request.headers.get("Accept", "")):
            return self._index()
        raise web.HTTPNotFound

    def _index(self) -> web.StreamResponse:
        return self._files.find("index.html") or web.Response(
            status=503, text=_NOT_BUILT, content_type="text/html"
        )
