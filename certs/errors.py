"""What can go wrong with certificates, keys and the peers that show them.

    CertificateError
    ├── PkiError              the PKI folder cannot be made, found or used
    │   └── PkiExistsError    something stands there already and is not overwritten
    ├── PeerError             the other side of a connection was refused; also an `ssl.SSLError`
    └── UnsignedError         our own key could not sign for a connection; also an `ssl.SSLError`

Each message names the file, identity or peer concerned and what is wrong with it.
"""

import ssl


class CertificateError(Exception):
    """Base of all certificate errors; `str()` is one sentence that names what and where."""


class PkiError(CertificateError):
    """The PKI folder cannot be made, found or used."""


class PkiExistsError(PkiError):
    """A PKI or an identity of that name stands there already."""


class PeerError(CertificateError, ssl.SSLCertVerificationError):
    """The peer's certificate passed OpenSSL but not the rules of IEEE 2030.5.

    It is an `ssl.SSLError` too, because event loops end a handshake cleanly only on those.
    """

    def __init__(self, message: str) -> None:
        super().__init__(ssl.SSL_ERROR_SSL, message)
        self.verify_message = message

    def __str__(self) -> str:
        return self.verify_message


class UnsignedError(CertificateError, ssl.SSLError):
    """Our own key could not sign for a connection: its store is away, or refuses."""

    def __init__(self, message: str) -> None:
        super().__init__(ssl.SSL_ERROR_SSL, message)
        self.said = message

    def __str__(self) -> str:
        return self.said
