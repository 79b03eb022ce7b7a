"""What can go wrong in the energy manager.

    CemError
    `-- ObserverError   an observer could not take what it was given; the cycle goes on

Device errors are those of `der.errors`; anything else is a fault in the program (see `cycle`).
"""


class CemError(Exception):
    """Base of the energy manager's errors."""


class ObserverError(CemError):
    """Raised by an observer that cannot record now (a full disk); `str()` says what and why."""
