"""What a process may do beyond an ordinary one (Linux capabilities): seen, and given up for good.

By libc's own calls, so that a helper that holds one of them needs nothing else.
"""

import ctypes
import os
import pwd
import re
from pathlib import Path
from typing import Final

NET_ADMIN: Final = 12
_SETPCAP: Final = 8
_LAST: Final = 63
_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT, _AMBIENT_RAISE, _AMBIENT_CLEAR = 47, 2, 4
_VERSION_3: Final = 0x20080522
_HALVES: Final = 2
_WORD: Final = 32
_STATUS: Final = Path("/proc/self/status")
_SETS: Final = re.compile(r"^Cap(Inh|Prm|Eff|Bnd|Amb):\s*([0-9a-f]+)$", re.MULTILINE)


class CapabilityError(Exception):
    """A process has not what it needs, or cannot give up what it does not; `str()` says which."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Half(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def held() -> frozenset[int]:
    """Return the numbers of the capabilities that this process has, or could take."""
    sets = dict(_SETS.findall(_STATUS.read_text(encoding="ascii")))
    names = ["Inh", "Prm", "Eff", "Amb"]
    if os.geteuid() == 0:
        names.append("Bnd")  # root gets these back with each program that it runs
    bits = 0
    for name in names:
        bits |= int(sets[name], 16)
    return frozenset(number for number in range(_LAST + 1) if bits >> number & 1)


def keep_only(number: int, user: int | None = None) -> None:
    """Give up all capabilities but one, for this process and all that it starts, for good.

    Args:
        number: Of the one that is kept; programs that are started have it, too.
        user: Number of the user as whom it goes on; None for the one that it is.

    Raises:
        CapabilityError: It is not there, or others cannot be given up.
    """
    if number not in held():
        raise CapabilityError(f"capability {number} is not there")
    libc = ctypes.CDLL(None, use_errno=True)
    _call("no_new_privs", libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if _SETPCAP in held():
        for other in range(_LAST + 1):
            if other != number and libc.prctl(_PR_CAPBSET_READ, other, 0, 0, 0) == 1:
                _call("bounding set", libc.prctl(_PR_CAPBSET_DROP, other, 0, 0, 0))
    if user is not None and user != os.geteuid():
        _call("keepcaps", libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
        _become(user)
    halves = (_Half * _HALVES)()
    mask = 1 << number % _WORD
    half = halves[number // _WORD]
    half.effective = half.permitted = half.inheritable = mask
    header = _Header(_VERSION_3, 0)
    libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR, 0, 0, 0)
    _call("capset", libc.capset(ctypes.byref(header), ctypes.byref(halves)))
    _call("ambient set", libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_RAISE, number, 0, 0))
    more = held() - {number}
    if more:
        raise CapabilityError(f"capabilities {sorted(more)} cannot be given up")


def _become(user: int) -> None:
    try:
        group = pwd.getpwuid(user).pw_gid
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    except (KeyError, OSError) as error:
        raise CapabilityError(f"it cannot go on as user {user}: {error}") from error


def _call(what: str, outcome: int) -> None:
    if outcome != 0:
        raise CapabilityError(f"{what}: {os.strerror(ctypes.get_errno())}")
