"""What can go wrong with the keys of a store.

    certs.errors.CertificateError
    └── KeyStoreError         a key cannot be made, read, used, moved or erased
        ├── SecretError       the store's secret is missing, readable by others, or wrong
        ├── TamperedError     what is kept was changed since the store wrote it
        └── KeyStoreGoneError the store cannot be reached now; later it may be

Each message names the file, token or TPM and what is wrong with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from certs.errors import CertificateError


class KeyStoreError(CertificateError):
    """A key cannot be made, read, used, moved or erased."""


class SecretError(KeyStoreError):
    """The store's secret is missing, readable by others, or wrong."""


class TamperedError(KeyStoreError):
    """What is kept was changed since the store wrote it."""


class KeyStoreGoneError(KeyStoreError):
    """The store cannot be reached now; later it may be."""


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Have errors of a backend, which knows no files, name the file concerned."""
    try:
        yield
    except KeyStoreError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error
