"""Counters in hardware that only go up: an older copy of a disk is told by them.

The file of a counter is an envelope as that of a key is (`certs.keys.envelope`), with one field:
where the counter is in the hardware.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from certs.keys.backend import Held
from certs.keys.envelope import Envelope, decode, encode
from certs.keys.errors import KeyStoreError, TamperedError, named
from certs.pem import check_private, write_file

HELD: Final = {"HEMS TOKEN COUNTER": Held.TOKEN, "HEMS TPM COUNTER": Held.TPM}
"""Where the counters of files with these labels are."""
_MODE: Final = 0o600


class Counters(Protocol):
    """Hardware that counts; its calls block, and raise `KeyStoreError` if it is away or refuses.

    Attributes:
        label: Of the PEM block of the files of its counters.
    """

    label: str

    def make(self) -> bytes:
        """Make a counter; returns where it is."""
        ...

    def up(self, where: bytes) -> int:
        """Count one more; returns how many that are."""
        ...

    def value(self, where: bytes) -> int:
        """Return how far it has counted."""
        ...

    def erase(self, where: bytes) -> str:
        """Erase a counter; returns what was done."""
        ...


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter by its file; raises `KeyStoreError` where the hardware is away or refuses.

    Attributes:
        path: The file.
        counters: The hardware.
    """

    path: Path
    counters: Counters

    @property
    def value(self) -> int | None:
        """How far it has counted; None where there is no counter yet."""
        if not self.path.exists():
            return None
        where = _where(self.path, self.counters)
        with named(self.path):
            return self.counters.value(where)

    def up(self) -> int:
        """Count one more; makes the counter where there is none. Returns how many that are.

        Raises:
            CertificateError: The file cannot be written.
        """
        if self.path.exists():
            where = _where(self.path, self.counters)
            with named(self.path):
                return self.counters.up(where)
        with named(self.path):
            where = self.counters.make()
        try:
            content = encode(Envelope(self.counters.label, (where,)))
            write_file(self.path, content, mode=_MODE)
        except BaseException:
            self.counters.erase(where)  # nothing would say any more where in the hardware it is
            raise
        with named(self.path):
            return self.counters.up(where)


def forget(counters: Counters | None, path: Path) -> str:
    """Erase the counter of a file in the hardware; returns what was done.

    Raises:
        KeyStoreError: It is in other hardware, or the hardware is not there or refuses.
    """
    if counters is None:
        raise KeyStoreError(f"{path}: its counter is in other hardware and cannot be erased")
    where = _where(path, counters)
    with named(path):
        return counters.erase(where)


def _where(path: Path, counters: Counters) -> bytes:
    if not path.is_file():  # a pipe, say, would be waited for
        raise TamperedError(f"{path}: is no file")
    check_private(path)
    try:
        found = decode(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TamperedError(f"{path}: the counter's file is damaged: {error}") from error
    if found.label != counters.label or len(found.fields) != 1:
        raise KeyStoreError(f"{path}: it is no counter of the store that is configured")
    return found.fields[0]
