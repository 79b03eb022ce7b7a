"""Where firmware lists come from; light, unlike what fetches them."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where the lists come from, and where what is known of them is kept.

    Attributes:
        url: Of the repository; `metadata` and `targets` stand below it.
        root: File of the first root role, as the service provider gave it.
        folder: Where verified metadata and files are kept.
        context: For TLS; None where all comes from a folder.
        passed: Folder in which all that is fetched is left as it came, for somebody who verifies
            it again and asks nobody; None for nowhere. Without `context` and `source` it is where
            all comes from.
        source: Folder that the repository is read from, in place of its server.
    """

    url: str
    root: Path
    folder: Path
    context: ssl.SSLContext | None
    passed: Path | None = None
    source: Path | None = None
