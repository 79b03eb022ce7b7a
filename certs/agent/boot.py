"""How a machine has started, as its TPM measured it; pure, and light.

Registers 0 to 7 are the firmware's, its settings', the boot loader's and Secure Boot's; 8, 9 and 11
those of what it loaded: kernel, its command line, its first file system (TCG PC Client Platform
Firmware Profile; systemd for 11).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

REGISTERS: Final = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11)


@dataclass(frozen=True, slots=True)
class Boot:
    """What a TPM says.

    Attributes:
        registers: SHA-256 bank, hex digits, by number.
        quote: TPMS_ATTEST, hex digits.
        signature: Of it, ECDSA with SHA-256, DER, hex digits.
        key: Public key of the signature, SubjectPublicKeyInfo, hex digits.
        error: Why it says nothing; empty if it does.
    """

    registers: Mapping[str, str] = field(default_factory=dict)
    quote: str = ""
    signature: str = ""
    key: str = ""
    error: str = ""


def differing(meant: Mapping[str, str], found: Mapping[str, str]) -> tuple[int, ...]:
    """Return the registers that hold something else than they are meant to, in order.

    Args:
        meant: By number; registers that are not in it may hold anything.
        found: The same, as read; one that is missing differs.
    """
    return tuple(sorted(int(n) for n, digest in meant.items() if found.get(n) != digest))
