"""A repository passed on in a folder: what one has fetched, another verifies and asks nobody.

The hub has the line, and may not change its software; the helper may, and has no line. So the hub
leaves each answer as it came, and the helper verifies all of it itself, by the same rules, with
its own root of trust and its own memory of what it has seen.
"""

import os
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface  # type: ignore[attr-defined] # re-exported unsaid

_PIECE: Final = 1 << 16
_NOT_FOUND: Final = 404


class Passed(FetcherInterface):
    """Leaves what another one fetches in a folder, or takes it from there.

    Args:
        folder: Where it is left.
        base: The repository's address.
        line: Who fetches; None where all is in the folder already.
    """

    def __init__(self, folder: Path, base: str, line: FetcherInterface | None) -> None:
        self._folder = folder
        self._base = base.rstrip("/") + "/"
        self._line = line

    def _fetch(self, url: str) -> Iterator[bytes]:
        parts = unquote(url.removeprefix(self._base)).split("/")
        if not url.startswith(self._base) or any(part in {"", ".", ".."} for part in parts):
            raise DownloadError(f"{url}: not in the repository")
        path = self._folder.joinpath(*parts)
        return self._read(path) if self._line is None else self._leave(self._line, url, path)

    @staticmethod
    def _read(path: Path) -> Iterator[bytes]:
        try:
            # Whose the folder is may put anything there: nothing is waited for.
            number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(number, "rb") as file:
                if not stat.S_ISREG(os.fstat(number).st_mode):
                    raise DownloadError(f"{path.name}: no file")
                while piece := file.read(_PIECE):
                    yield piece
        except FileNotFoundError as error:
            raise DownloadHTTPError(f"{path.name} was not passed on", _NOT_FOUND) from error
        except OSError as error:
            raise DownloadError(f"{path.name}: cannot be read: {error.strerror}") from error

    @staticmethod
    def _leave(line: FetcherInterface, url: str, path: Path) -> Iterator[bytes]:
        pieces = line.fetch(url)
        first = next(pieces, b"")  # what is not there is not left as an empty file
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("wb") as file:
            for piece in chain((first,), pieces):
                file.write(piece)
                yield piece
