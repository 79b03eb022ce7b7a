"""What this process has written into files of the configuration, so that it knows its own changes.

Whoever finds such a file changed asks here whether that was this program's own doing.
"""

import hashlib
from typing import Final

_MOST: Final = 512
_written: dict[str, None] = {}


def wrote(content: bytes) -> None:
    """Remember that this process has written a content."""
    _written[hashlib.sha256(content).hexdigest()] = None
    while len(_written) > _MOST:
        del _written[next(iter(_written))]


def ours(sha256: str) -> bool:
    """Return whether this process has written the content with a digest, in hex digits."""
    return sha256 in _written
