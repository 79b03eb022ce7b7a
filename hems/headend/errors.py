"""What can go wrong at the utility.

    HeadEndError
    |- SettingsError         the configuration cannot be used
    |- StoreError            the database is not ours, or of another version
    |- RequestError          a request is answered with a 4xx; `status` says which
    |  |- DispatchError      an order that makes no sense (422)
    |  |- UnknownItemError   no such event, home or resource (404)
    |  |- ForbiddenError     the certificate's home may not do this (403)
    |  |- ConflictError      too late or already there (409)
    |  `- ThrottledError     asked too often (429); `again_s` says when to ask again
    `- BusyError             the database is locked or full; trying again helps (503)

Each message is one sentence that names what and where; it goes to the caller as it stands.
"""


class HeadEndError(Exception):
    """Base of all errors of the utility's side."""


class SettingsError(HeadEndError):
    """The configuration cannot be used; the message names the file and the field."""


class StoreError(HeadEndError):
    """The database cannot be used: written by another version, or not a database."""


class RequestError(HeadEndError):
    """A request that is refused.

    Attributes:
        status: The HTTP status it is answered with.
    """

    status = 400


class DispatchError(RequestError):
    """An order that makes no sense."""

    status = 422


class UnknownItemError(RequestError):
    """What is asked for is not here."""

    status = 404


class ForbiddenError(RequestError):
    """The certificate's home may not do this."""

    status = 403


class ConflictError(RequestError):
    """The order comes too late, or clashes with what is there."""

    status = 409


class ThrottledError(RequestError):
    """The device asks too often.

    Attributes:
        again_s: After how many seconds it may ask again.
    """

    status = 429

    def __init__(self, message: str, again_s: int) -> None:
        super().__init__(message)
        self.again_s = again_s


class BusyError(HeadEndError):
    """The database is locked or full; nothing was stored, and trying again may help."""
