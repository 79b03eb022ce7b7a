"""What can go wrong with a device.

    DeviceError
    ├── TransientError     the device did not answer now; trying again may help
    │   └── DeadlineError  it did not answer in the time allowed
    ├── PermanentError     it answered something it will answer again; trying again is useless
    │   ├── RefusalError   it refused the request by a protocol exception, whose code is kept
    │   └── StrangerError  who answers at its address is no such device
    └── RejectedError      the call was refused: wrong mode, closed handle, set-point out of range

Each message names the device and the point or call concerned.
"""


class DeviceError(Exception):
    """Base of all device errors; `str()` is one sentence that names device and point."""


class TransientError(DeviceError):
    """No usable answer this time: connection lost, busy, garbled."""


class DeadlineError(TransientError):
    """The device did not answer before the call's deadline."""


class PermanentError(DeviceError):
    """The device answers, but not as its kind must: wrong model, missing point, refusal."""


class RefusalError(PermanentError):
    """The device refused the request with an exception of its protocol.

    Attributes:
        code: The protocol's exception code (Modbus: 2 is "illegal data address").
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class StrangerError(PermanentError):
    """Who answers where the device should be is no such device."""


class RejectedError(DeviceError):
    """The call itself is not allowed: mode, state or range."""
