"""Where a server has permanently moved its resources, so that each is asked for once."""

from typing import Final

from yarl import URL

MOST: Final = 256
"""So many moves are remembered; a server that moves more is asked at the old place again."""


class Moves:
    """The permanent redirects (301, 308) that one server gave to GET requests."""

    def __init__(self) -> None:
        self._moved: dict[URL, URL] = {}

    def where(self, url: URL) -> URL:
        """Return where to ask for what was at `url`."""
        return self._moved.get(url, url)

    def learn(self, url: URL, target: URL) -> None:
        """Note where something went; a place that moves again is followed from its first one."""
        self._moved.pop(url, None)
        if target != url:
            self._moved[url] = target
            if len(self._moved) > MOST:
                del self._moved[next(iter(self._moved))]

    def forget(self, url: URL) -> None:
        """Ask at the old place again."""
        self._moved.pop(url, None)
