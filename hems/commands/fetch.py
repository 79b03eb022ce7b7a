"""One HTTP request of a command, to the page or the head-end; a failure ends in one sentence."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Final

TIMEOUT_S: Final = 10.0
_PIECE: Final = 1 << 16


class NoAnswerError(Exception):
    """Nobody answered, or not in HTTP; `str()` says why."""


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    within_s: float = TIMEOUT_S,
) -> bytes:
    """Return the body of the answer.

    Args:
        url: Whom to ask.
        method: Of HTTP.
        body: Of the request.
        headers: Likewise.
        within_s: Longest wait for a connection and for each piece of the answer, in s.

    Raises:
        urllib.error.HTTPError: The answer has an error's status; the caller closes it.
        NoAnswerError: There is no answer, or `url` is not an address of HTTP.
    """
    return b"".join(pieces(url, method=method, body=body, headers=headers, within_s=within_s))


def pieces(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    within_s: float = TIMEOUT_S,
) -> Iterator[bytes]:
    """Yield the body of the answer piece by piece; see `fetch`.

    Raises:
        urllib.error.HTTPError: Likewise.
        NoAnswerError: Likewise; or it breaks off before its end.
    """
    if not url.startswith(("http://", "https://")):
        raise NoAnswerError("that is not the address of a page")
    try:
        request = urllib.request.Request(  # noqa: S310 - scheme checked above
            url, data=body, method=method, headers=dict(headers or {})
        )
    except ValueError as error:
        raise NoAnswerError(f"that is not an address: {error}") from error
    try:
        with urllib.request.urlopen(request, timeout=within_s) as response:  # noqa: S310 - the same
            while piece := response.read(_PIECE):
                yield piece
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError as error:
        raise NoAnswerError(_words(error.reason, within_s)) from error
    except (OSError, HTTPException, OverflowError) as error:
        # Once connected, the library wraps no error; a port above 65535 overflows its socket.
        raise NoAnswerError(_words(error, within_s)) from error


def _words(reason: object, within_s: float) -> str:
    if isinstance(reason, TimeoutError):
        return f"no answer within {within_s:g} s"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(reason).__name__
