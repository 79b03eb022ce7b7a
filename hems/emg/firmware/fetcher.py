"""How the firmware lists' client asks over HTTPS: one connection, bounded in time, no redirects."""

import http.client
import ssl
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface  # type: ignore[attr-defined] # re-exported unsaid

_PIECE: Final = 1 << 14
_STEP_S: Final = 15.0
_OK: Final = 200


class Fetcher(FetcherInterface):
    """Asks one server; the caller bounds the length of what comes.

    Args:
        context: For TLS; it checks whose server that is.
        within_s: For all that is asked together.
    """

    def __init__(self, context: ssl.SSLContext, within_s: float) -> None:
        self._context = context
        self._until = time.monotonic() + within_s
        self._connection: http.client.HTTPSConnection | None = None
        self._response: http.client.HTTPResponse | None = None

    def close(self) -> None:
        """Close the connection; the next question would open another."""
        # The answer has a hold on the connection of its own: without it, an endless one goes on.
        for each in (self._response, self._connection):
            if each is not None:
                each.close()
        self._response = self._connection = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        response = self._asked(url)
        if response.status != _OK:
            status = response.status
            self.close()
            raise DownloadHTTPError(f"the server answers {status} for {urlsplit(url).path}", status)
        return self._pieces(response)

    def _asked(self, url: str) -> http.client.HTTPResponse:
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname is None:
            raise DownloadError(f"{url}: only https is spoken")
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=_STEP_S, context=self._context
            )
        self._check_time()
        try:
            self._connection.request("GET", parts.path, headers={"Accept": "application/*"})
            self._response = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise DownloadError(f"{parts.hostname} cannot be asked: {error}") from error
        return self._response

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        whole = False
        try:
            # `read1` gives what there is: a server that drips is met by the time, not waited for.
            while piece := response.read1(_PIECE):
                self._check_time()
                yield piece
            response.close()  # for the next question: `read1` does not say that it has all
            whole = True
        except (OSError, http.client.HTTPException) as error:
            raise DownloadError(f"the server's answer broke off: {error}") from error
        finally:
            if not whole:
                self.close()

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            self.close()
            raise DownloadError("the server takes too long")
