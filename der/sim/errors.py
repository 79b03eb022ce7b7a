"""What can go wrong in the simulated home.

    SimError
    ├── OptionError     a start option has no usable value
    ├── DataError       the measured week cannot be read as documented
    ├── ListenError     an address to listen on is not to be had
    └── RefusedError    a simulated device refuses a request; the peer gets a Modbus exception

Each message names what and where.
"""

from enum import IntEnum


class SimError(Exception):
    """Base of all errors of the simulated home."""


class OptionError(SimError):
    """A start option is out of range or contradicts another."""


class DataError(SimError):
    """A data file is missing, short or holds something that is not a number."""


class ListenError(SimError):
    """A port is taken or not allowed."""


class ExceptionCode(IntEnum):
    """Exception codes of the Modbus application protocol, section 7."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4


class RefusedError(SimError):
    """A device refuses a request.

    Attributes:
        code: The Modbus exception that the peer is answered with.
    """

    def __init__(self, code: ExceptionCode, message: str) -> None:
        super().__init__(message)
        self.code = code
