"""TLS towards servers of the home whose certificates their owner made."""

import ssl
from pathlib import Path


def trusting(roots: Path) -> ssl.SSLContext:
    """Return what such a server is met with: its chain ends in these roots and names its host.

    Not the library's default: from Python 3.13 on that wants extensions that certificates made at
    home often lack, and a broker let in on one Debian would be refused on the next.

    Args:
        roots: PEM; a certificate that is no root is trusted, too.

    Raises:
        OSError: They cannot be read, or there is none among them (`ssl.SSLError`).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cafile=roots)
    return context
