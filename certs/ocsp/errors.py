"""What can go wrong when a responder is asked.

    OcspError                nothing was learned
    ├── UnansweredError      it cannot be reached, is too slow, or says too much
    ├── DeclinedError        it says itself that it cannot or will not answer
    └── UnbelievedError      its answer is not to be believed

Each message names the responder or what is wrong with its answer.
"""

from cryptography.x509.ocsp import OCSPResponseStatus

from certs.errors import CertificateError


class OcspError(CertificateError):
    """Nothing was learned; `str()` is one clause."""


class UnansweredError(OcspError):
    """There is no answer."""


class DeclinedError(OcspError):
    """The responder does not answer the question.

    Attributes:
        status: What it says in place of an answer.
    """

    def __init__(self, status: OCSPResponseStatus) -> None:
        super().__init__(f"the responder declines: {status.name.lower().replace('_', ' ')}")
        self.status = status


class UnbelievedError(OcspError):
    """An answer that is forged, damaged, too old, or to another question."""
