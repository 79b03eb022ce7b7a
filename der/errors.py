"""What can go wrong with a device.

    DeviceError
    ├── TransientError     the device did not answer now; trying again may help
    │   └── DeadlineError  it did not answer in the time allowed
    ├── PermanentError     it answered something it will answer again; trying again is useless
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


class RejectedError(DeviceError):
    """The call itself is not allowed: mode, state or range."""
