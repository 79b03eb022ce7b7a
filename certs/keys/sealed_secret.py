"""Files with secrets that are not private keys, locked by a key store: a database's key, say.

The file is an envelope as that of a key is (`certs.keys.envelope`); what is in it depends on the
kind of store. Without a store it has the secret itself, readable by its owner only.
"""

import hmac
from pathlib import Path
from typing import Final

from certs.keys.backend import MOST_SEALED, Backend, Fields, Held
from certs.keys.envelope import Envelope, decode, encode
from certs.keys.erasing import old
from certs.keys.errors import KeyStoreError, TamperedError, named
from certs.pem import check_private, write_file

PLAIN: Final = "HEMS PLAIN SECRET"
HELD: Final = {
    PLAIN: Held.PLAIN,
    "HEMS SEALED SECRET": Held.ENCRYPTED,
    "HEMS TOKEN SECRET": Held.TOKEN,
    "HEMS TPM SECRET": Held.TPM,
}
"""How the secrets of files with these labels are held."""
_MODE: Final = 0o600


def seal(backend: Backend | None, path: Path, secret: bytes) -> None:
    """Keep a secret at `path`; what was there is replaced, not erased.

    It is opened once before this counts: a store that cannot give it back must not have it.

    Raises:
        ValueError: It is longer than every kind of store takes.
        KeyStoreError: The store cannot lock or open it.
        CertificateError: The file cannot be written.
    """
    if len(secret) > MOST_SEALED:
        raise ValueError(f"a secret of {len(secret)} octets is too long")
    if backend is None:
        _write(path, PLAIN, (secret,))
        return
    with named(path):
        fields = backend.seal(secret)
        try:
            _try(backend, fields, secret)
            _write(path, backend.secret_label, fields)
        except BaseException:
            backend.forget(fields)  # nothing would say any more where in the hardware it is
            raise


def plain(secret: bytes) -> bytes:
    """Return what a file has that holds a secret as it is, for where that file is locked itself."""
    return encode(Envelope(PLAIN, (secret,)))


def unseal(backend: Backend | None, path: Path, content: bytes) -> bytes:
    """Return the secret of a file.

    Args:
        backend: The store that is configured.
        path: The file.
        content: What is in it.

    Raises:
        KeyStoreError: It is damaged, or another store's, or the store cannot open it.
        CertificateError: Others than its owner may read it.
    """
    label, fields = _read(path, content)
    if label == PLAIN:
        return fields[0]
    if backend is None or label != backend.secret_label:
        raise KeyStoreError(
            f"{path}: the secret is held otherwise ({HELD[label]}) than by the store that is "
            "configured"
        )
    with named(path):
        return backend.unseal(fields)


def move(backend: Backend | None, path: Path, content: bytes) -> bool:
    """Have the store that is configured hold a plain secret, in its place; returns whether it did.

    Whenever the power goes, the file is the one or the other, and opens. The plain one is written
    over.

    Raises:
        KeyStoreError: It is another store's, or this one cannot take or open it.
        CertificateError: The file cannot be read or written.
    """
    label, fields = _read(path, content)
    if label == (PLAIN if backend is None else backend.secret_label):
        return False
    if label != PLAIN:
        raise KeyStoreError(f"{path}: it is held otherwise ({HELD[label]}) and cannot be moved")
    with old(path) as wipe:
        seal(backend, path, fields[0])
        wipe()
    return True


def release(backend: Backend | None, path: Path, content: bytes) -> bool:
    """Have a secret be a plain file again, so that another store can take it; returns whether.

    Raises:
        KeyStoreError: The store that is configured is not the one that holds it, or cannot open
            it; or, with the plain file in place already, cannot forget it.
        CertificateError: The file cannot be read or written.
    """
    label, fields = _read(path, content)
    if label == PLAIN:
        return False
    secret = unseal(backend, path, content)
    _write(path, PLAIN, (secret,))
    if backend is not None:
        with named(path):
            backend.forget(fields)
    return True


def forget(backend: Backend | None, path: Path, content: bytes) -> str:
    """Erase what of a secret is in hardware; returns what was done.

    Raises:
        KeyStoreError: It is another store's, or the hardware is not there or refuses.
    """
    label, fields = _read(path, content)
    if label == PLAIN:
        return ""
    if backend is None or label != backend.secret_label:
        raise KeyStoreError(f"{path}: it is held otherwise ({HELD[label]}) and cannot be erased")
    with named(path):
        return backend.forget(fields)


def _try(backend: Backend, fields: Fields, secret: bytes) -> None:
    if not hmac.compare_digest(backend.unseal(fields), secret):
        raise KeyStoreError("the key store gives back another secret than it was given")


def _write(path: Path, label: str, fields: Fields) -> None:
    write_file(path, encode(Envelope(label, fields)), mode=_MODE)


def _read(path: Path, content: bytes) -> tuple[str, Fields]:
    check_private(path)
    try:
        found = decode(content)
    except ValueError as error:
        raise TamperedError(f"{path}: the secret's file is damaged: {error}") from error
    if found.label not in HELD or not found.fields:
        raise TamperedError(f"{path}: the secret's file is damaged: it holds none")
    return found.label, found.fields
