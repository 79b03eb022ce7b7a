"""The built front end, served from one folder and nothing outside it."""

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
        index = self.folder / "index.html"
        if not index.is_file():
            return web.Response(
                status=HTTPStatus.SERVICE_UNAVAILABLE, text=_NOT_BUILT, content_type="text/html"
            )
        return web.FileResponse(index, headers={"Cache-Control": "no-cache"})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Answer GET of any other path: a file of the front end, or 404."""
        try:
            path = (self.folder / request.match_info["path"]).resolve()
            if not (path.is_relative_to(self.folder) and path.is_file()):
                raise web.HTTPNotFound
        except (ValueError, OSError) as error:  # a NUL byte, a name too long, a link loop
            raise web.HTTPNotFound from error
        # Vite puts a hash of the content into the names under assets/.
        lasting = path.parent.name == "assets"
        cache = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return web.FileResponse(path, headers={"Cache-Control": cache})
