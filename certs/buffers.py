"""What a TLS connection takes in memory beside OpenSSL."""

from asyncio.sslproto import SSLProtocol
from typing import Final

OCTETS: Final = 1 << 15
"""Two records: one of TLS has 16 KiB at most, and a little around it."""


def keep_small() -> None:
    """Have asyncio put what comes in by TLS into small buffers, from now on in this process.

    It makes one of 256 KiB for each connection and fills it with zeros, so that it is there in
    full: a megabyte for the few that a hub has with its utility, and again for each browser.
    """
    SSLProtocol.max_size = OCTETS
