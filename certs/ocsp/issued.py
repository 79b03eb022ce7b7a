"""What a PKI keeps for its responder: where that answers, and which certificates it has issued.

ca/ocsp     the responder's address, which certificates name from then on; there may be none
ca/issued   serial numbers of certificates that were issued, hex, one a line
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509

from certs.errors import CertificateError, PkiError
from certs.ocsp.question import good_address
from certs.pem import read_certificates, write_file
from certs.revocation import stamp

_ADDRESS: Final = "ocsp"
_ISSUED: Final = "issued"


def responder(ca: Path) -> str | None:
    """Return where the certificates of a PKI say that they can be asked about; None for nowhere.

    Args:
        ca: Folder of its CAs.

    Raises:
        PkiError: The file that says so cannot be read.
    """
    path = ca / _ADDRESS
    try:
        found = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise PkiError(f"{path}: does not say where the responder is") from error
    if not good_address(found):
        raise PkiError(f"{path}: {found[:100]!r} is no address of a responder")
    return found


def name_responder(ca: Path, url: str) -> None:
    """Have certificates name a responder from now on.

    Raises:
        PkiError: It is no address.
        CertificateError: The file cannot be written.
    """
    if not good_address(url):
        raise PkiError(f"{url[:100]!r} is no address of a responder: http://HOST:PORT/PATH")
    write_file(ca / _ADDRESS, f"{url}\n".encode("ascii"), mode=0o644)


def note_issued(ca: Path, certificates: Sequence[x509.Certificate]) -> None:
    """Write down that certificates were issued, before they are given to anybody.

    Raises:
        CertificateError: The file cannot be written.
    """
    path = ca / _ISSUED
    lines = "".join(f"{each.serial_number:x}\n" for each in certificates)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, lines.encode())  # in one piece: two at a time do not mix
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise CertificateError(f"{path}: cannot be written: {error.strerror}") from error


class Issued:
    """The serial numbers that a PKI has issued, read again when there are more.

    Args:
        folder: Of the PKI.
        also: What it has issued before it kept these numbers, and keeps no file of.

    Raises:
        CertificateError: A certificate in it is damaged, or a file cannot be read.
    """

    def __init__(self, folder: Path, also: Iterable[x509.Certificate] = ()) -> None:
        self._path = folder / "ca" / _ISSUED
        paths = [*(folder / "ca").rglob("*.pem"), *(folder / "issued").glob("*.pem")]
        found = [*(read_certificates(path)[0] for path in paths), *also]
        self._first = frozenset(each.serial_number for each in found)
        self._more: frozenset[int] = frozenset()
        self._seen: tuple[int, int, int] | None = None

    def knows(self, serial_number: int) -> bool:
        """Return whether it has issued a certificate of this number.

        Raises:
            CertificateError: The file is damaged or cannot be read.
        """
        seen = stamp(self._path)
        if seen != self._seen:
            self._more = self._read()
            self._seen = seen
        return serial_number in self._more or serial_number in self._first

    def _read(self) -> frozenset[int]:
        try:
            text = self._path.read_text(encoding="ascii")
            # The last line may be half of one that a power cut has ended.
            return frozenset(int(line, 16) for line in text.split("\n")[:-1] if line)
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError) as error:
            raise CertificateError(
                f"{self._path}: is no list of serial numbers: {error}"
            ) from error
