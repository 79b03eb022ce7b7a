"""The built front end, served from one folder and nothing outside it.

Beside each file its build puts the same compressed (`.br`, `.gz`); who takes that gets it.
"""

from http import HTTPStatus
from pathlib import Path

from aiohttp import web

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

    Attributes:
        folder: Where the built front end lies; it may appear or change while the hub runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /: the page, or in words why there is none."""
        return self._index()

    async def trust(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /trust: how a browser comes to trust the hub's certificate."""
        page = self.folder / "trust.html"
        if not page.is_file():
            raise web.HTTPNotFound
        return _file(page)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Answer GET of any other path: a file of the front end, a place on the page, or 404."""
        asked = request.match_info["path"]
        try:
            path = (self.folder / asked).resolve()
            if path.is_relative_to(self.folder) and path.is_file():
                return _file(path)
        except (ValueError, OSError) as error:  # a NUL byte, a name too long, a link loop
            raise web.HTTPNotFound from error
        if _is_place(asked, request.headers.get("Accept", "")):
            return self._index()
        raise web.HTTPNotFound

    def _index(self) -> web.StreamResponse:
        index = self.folder / "index.html"
        if not index.is_file():
            return web.Response(
                status=HTTPStatus.SERVICE_UNAVAILABLE, text=_NOT_BUILT, content_type="text/html"
            )
        return _file(index)


def _file(path: Path) -> web.FileResponse:
    # Vite puts a hash of the content into the names under assets/.
    lasting = path.parent.name == "assets"
    cache = "public, max-age=31536000, immutable" if lasting else "no-cache"
    return web.FileResponse(path, headers={"Cache-Control": cache, "Vary": "Accept-Encoding"})


def _is_place(asked: str, accepted: str) -> bool:
    """Whether a path that is no file names a place that the page itself shows ("/devices/ev").

    A person who opens such an address takes HTML; a script or a picture that is missing does not,
    and what has a dot in its name was meant as a file.
    """
    first, last = asked.partition("/")[0], asked.rpartition("/")[2]
    return first != "api" and "." not in last and "text/html" in accepted
