"""What the kernel says of the machine's clock: `adjtimex(2)`, which anybody may read.

Whoever keeps the clock (chrony, timesyncd, ntpd, a hypervisor's agent) tells the kernel so. In a
container it is the host's clock and the host's word.
"""

import ctypes
from typing import Final

from hems.timekeeping.reading import Reading, Source

_UNSYNCHRONISED: Final = 0x0040
_INSERT: Final = 0x0010
_DELETE: Final = 0x0020


class _Timeval(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_usec", ctypes.c_long))


class _Timex(ctypes.Structure):
    """`struct timex`; `modes` 0 asks and changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance")),
        ("time", _Timeval),
        *((name, ctypes.c_long) for name in ("tick", "ppsfreq", "jitter")),
        ("shift", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


def ask() -> Reading | None:
    """Return what the kernel says; None where it is not to be asked."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except AttributeError:  # another system's library
        return None
    told = _Timex()
    if adjtimex(ctypes.byref(told)) < 0:  # a sandbox that forbids even to ask
        return None
    return read(told.status, told.maxerror)


def read(status: int, most_us: int) -> Reading:
    """Return what the kernel's answer says.

    Args:
        status: Bits of `timex.status`.
        most_us: `timex.maxerror`, in µs whatever the unit of the rest.
    """
    kept = not status & _UNSYNCHRONISED
    leap = "insert" if status & _INSERT else "delete" if status & _DELETE else ""
    return Reading(Source.KERNEL, kept, error_s=most_us / 1e6 if kept else None, leap=leap)
