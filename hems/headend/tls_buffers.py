"""Small TLS buffers: homes keep their connections for days and say little.

The event loop's TLS holds a quarter of a MiB for each connection, in both directions, by which ten
thousand homes would fill the memory of a machine.
"""

from asyncio.sslproto import SSLProtocol
from typing import Final

READ_SIZE: Final = 4096
"""Octets read at once: nearly all requests are shorter, and what is longer is read in parts."""


def use_small_buffers() -> None:
    """Have every TLS connection of this process that is made from now on read by small parts."""
    SSLProtocol.max_size = READ_SIZE
