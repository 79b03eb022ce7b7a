"""One question to a responder over HTTP: bounded in time and size, no redirect followed."""

import asyncio
import ssl
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver

from certs.explain import explain
from certs.ocsp.answer import MOST_OCTETS
from certs.ocsp.errors import UnansweredError

REQUEST_TYPE: Final = "application/ocsp-request"
RESPONSE_TYPE: Final = "application/ocsp-response"
WITHIN_S: Final = 10.0

_OK: Final = 200


async def ask(
    url: str,
    body: bytes,
    *,
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
    within_s: float = WITHIN_S,
) -> bytes:
    """Ask a responder (RFC 6960, appendix A.1).

    Args:
        url: Its address, http or https.
        body: The question in DER.
        resolver: Finds its host; it may refuse to. The machine's own where None.
        tls: For https; what is asked is signed anyway. The machine's own trust where None.
        within_s: Longest time for all of it.

    Returns:
        The answer, of which nothing is checked yet but its length.

    Raises:
        UnansweredError: There is none.
    """
    connector = aiohttp.TCPConnector(resolver=resolver, ssl=True if tls is None else tls)
    headers = {"Content-Type": REQUEST_TYPE, "Accept": RESPONSE_TYPE}
    try:
        async with (
            asyncio.timeout(within_s),
            aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            if response.status != _OK:
                raise UnansweredError(f"the responder answers with status {response.status}")
            if response.content_type != RESPONSE_TYPE:
                raise UnansweredError(f"what answers is no responder: it is not {RESPONSE_TYPE}")
            return await _bounded(response)
    except TimeoutError as error:
        raise UnansweredError(f"the responder does not answer within {within_s:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise UnansweredError(f"the responder cannot be reached: {explain(error)}") from error


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_chunked(MOST_OCTETS):
        content += piece
        if len(content) > MOST_OCTETS:
            raise UnansweredError(f"the answer is longer than {MOST_OCTETS} octets")
    return bytes(content)
