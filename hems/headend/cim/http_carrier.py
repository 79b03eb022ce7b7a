"""Brings messages over HTTP."""

import io
import ssl
from typing import Final, Self

import aiohttp

from hems.headend.cim.postman import NotBroughtError
from hems.headend.cim.wire import MEDIA_TYPE

_WITHIN_S: Final = 15.0
_PASSING: Final = frozenset({408, 425, 429})
_CLIENT: Final = 400
_SERVER: Final = 500
_MOST_READ: Final = 1 << 16


class HttpCarrier:
    """POSTs to the addresses of those who want to know. Use as an async context manager.

    Args:
        tls: How the head-end speaks TLS as a client.
    """

    _session: aiohttp.ClientSession

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls),
            timeout=aiohttp.ClientTimeout(total=_WITHIN_S),
            headers={"Content-Type": MEDIA_TYPE},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def bring(self, address: str, message_id: str, body: bytes) -> None:
        """Bring a message; no redirect is followed.

        Raises:
            NotBroughtError: It is not taken.
        """
        try:
            async with self._session.post(
                address,
                data=io.BytesIO(body),
                headers={"Message-Id": message_id},
                allow_redirects=False,
            ) as answer:
                status = answer.status
                await answer.content.read(_MOST_READ)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise NotBroughtError(reason) from error
        if status // 100 != 2:  # noqa: PLR2004 - any 2xx
            final = _CLIENT <= status < _SERVER and status not in _PASSING
            raise NotBroughtError(f"it answered {status}", final=final)
