"""What can go wrong between this home and an IEEE 2030.5 server.

    Sep2Error
    ├── TransientError        not now; the same request may succeed later (`retry_after_s`)
    │   ├── DeadlineError     no complete answer in the time allowed
    │   ├── UnreachableError  no connection: name, route, refused, cut
    │   └── BusyError         408, 425, 429 or 5xx, with the server's Retry-After if it gave one
    ├── PermanentError        the server will answer the same again
    │   ├── TrustError        TLS or peer identity: wrong CA, expired, revoked, no certificate
    │   │   ├── PinError      the server does not know this home's PIN
    │   │   ├── OtherPeerError  another certificate than that which the server showed before
    │   │   └── StrangerError a notification by another than the home's own server
    │   ├── NotFoundError     404 or 410: the resource is not there (any more)
    │   ├── RedirectError     a redirect without a target, or one too many
    │   │   └── MovedError    a redirect to another host
    │   ├── MalformedError    a body that is not the resource it must be
    │   │   └── HarmfulError  one that is made to harm its reader
    │   └── OversizedError    a body above the limit
    ├── ChoiceError           the owner's choice about an event cannot be granted
    │   ├── UnknownEventError no such event, or it is over
    │   └── BindingError      its programme does not allow leaving it
    └── RejectedError         the server refuses this very request: 400, 405, 406, 415, other 4xx
        └── ForbiddenError    401 or 403: it refuses this client

Each message is one sentence that names the place (host and path, or element) and the reason.
"""


class Sep2Error(Exception):
    """Base of all protocol errors; `str()` is one sentence."""


class TransientError(Sep2Error):
    """It failed this time and may work later.

    Attributes:
        retry_after_s: Seconds the server asked to wait, None if it did not say.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineError(TransientError):
    """No complete answer before the request's deadline."""


class UnreachableError(TransientError):
    """No connection to the server, or it was cut."""


class BusyError(TransientError):
    """The server answered that it cannot serve now (408, 425, 429, 5xx)."""


class PermanentError(Sep2Error):
    """Asking again brings the same answer until someone changes something."""


class TrustError(PermanentError):
    """One side does not trust the other: TLS handshake or peer identity failed."""


class PinError(TrustError):
    """The server's Registration does not carry this home's PIN: it is not the right server."""


class OtherPeerError(TrustError):
    """A server shows another certificate than before: its PIN is to be checked first."""


class StrangerError(TrustError):
    """A notification comes from somebody who is not the home's own server."""


class NotFoundError(PermanentError):
    """The resource does not exist (404) or is gone for good (410)."""


class RedirectError(PermanentError):
    """A redirect that must not or cannot be followed."""


class MovedError(RedirectError):
    """A redirect to another host, which is not trusted because this one says so.

    Attributes:
        url: Where it leads, absolute.
    """

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


class MalformedError(PermanentError):
    """Bytes that are not the resource they must be, or a record that cannot be written.

    Attributes:
        element: Path of the element concerned, such as "DERControl/interval/start"; "" if none.
        reason: What is wrong with it.
    """

    def __init__(self, element: str, reason: str) -> None:
        super().__init__(f"{element or 'document'}: {reason}")
        self.element = element
        self.reason = reason


class HarmfulError(MalformedError):
    """A body as no program of good will writes it: it would keep its reader busy, or call out."""


class OversizedError(PermanentError):
    """A body longer than the limit; it was not read to its end."""


class RejectedError(Sep2Error):
    """The server refuses this request as it is.

    Attributes:
        status: HTTP status code.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ForbiddenError(RejectedError):
    """The server knows who asks and refuses (401, 403)."""


class ChoiceError(Sep2Error):
    """The owner's wish to leave or rejoin an event cannot be granted."""


class UnknownEventError(ChoiceError):
    """No event of this mRID is known, or it is over."""


class BindingError(ChoiceError):
    """The event's programme does not allow the owner to leave it."""
