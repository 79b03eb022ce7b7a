"""A page that was built beforehand: its files, and what browsers may do with them.

Beside each file its build puts the same compressed (`.br`, `.gz`); who takes that gets it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

SAFE_HEADERS: Final[Mapping[str, str]] = {
    # Each kind is named: nothing inline, nothing from elsewhere, no frame around it.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Server": "hems",
}
"""On every answer to a browser, errors too."""


class PageFiles:
    """The files of one folder, and nothing outside it.

    Args:
        folder: Where the built page lies; it may appear or change while it is served.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def find(self, asked: str) -> web.FileResponse | None:
        """Return a file; None where there is none.

        Args:
            asked: Its path in the folder, as somebody asked for it.

        Raises:
            HTTPNotFound: It can be no file's.
        """
        try:
            path = (self.folder / asked).resolve()
            if path.is_relative_to(self.folder) and path.is_file():
                return _file(path)
        except (ValueError, OSError) as error:  # a NUL byte, a name too long, a link loop
            raise web.HTTPNotFound from error
        return None


def is_place(asked: str, accepted: str) -> bool:
    """Whether a path that is no file names a place that the page itself shows ("/devices/ev").

    A person who opens such an address takes HTML; a script or a picture that is missing does not,
    and what has a dot in its name was meant as a file.

    Args:
        asked: The path.
        accepted: The header Accept.
    """
    return "." not in asked.rpartition("/")[2] and "text/html" in accepted


def _file(path: Path) -> web.FileResponse:
    # Vite puts a hash of the content into the names under assets/.
    lasting = path.parent.name == "assets"
    cache = "public, max-age=31536000, immutable" if lasting else "no-cache"
    return web.FileResponse(path, headers={"Cache-Control": cache, "Vary": "Accept-Encoding"})
