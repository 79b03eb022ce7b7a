"""What can go wrong with an enrolment.

CertificateError
└── EstError      no certificate was got; `fault` says of which kind the reason is
    └── WaitError the utility decides later; `again_s` says when to ask again
"""

from enum import Enum

from certs.errors import CertificateError


class Fault(Enum):
    """Why an enrolment failed, as far as people can do something about it."""

    CODE = "the enrolment code is not whole"
    UNREACHABLE = "the server does not answer"
    UNTRUSTED = "the server is not the one that the code names"
    CLOCK = "the clock is wrong"
    SPENT = "the server does not take the one-time code"
    REFUSED = "the server refuses"
    LATER = "the server decides later"
    BROKEN = "the server answers nonsense"


class EstError(CertificateError):
    """No certificate was got.

    Attributes:
        fault: Of which kind the reason is.
    """

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class WaitError(EstError):
    """The utility decides later.

    Attributes:
        again_s: After how many seconds to ask again, with the same request.
    """

    def __init__(self, message: str, again_s: float) -> None:
        super().__init__(Fault.LATER, message)
        self.again_s = again_s
