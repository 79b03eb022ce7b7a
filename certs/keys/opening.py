"""From what the configuration says to the key store: one a process for the same settings."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from certs.keys.backend import Backend
from certs.keys.errors import KeyStoreError
from certs.keys.hardware import Chip, HardwareBackend
from certs.keys.sealing import FileBackend
from certs.keys.secret import SecretPlace
from certs.keys.store import KeyStore


class Kind(StrEnum):
    """Kinds of key stores."""

    PLAIN = "plain"
    FILE = "file"
    PKCS11 = "pkcs11"
    TPM = "tpm"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Which key store.

    Attributes:
        kind: Its kind.
        secret: Where the secret of encrypted files, or a token's PIN, comes from.
        module: Shared library of the PKCS #11 module.
        token: Label of its token.
        tcti: How the TPM is reached, as tpm2-tss writes it.
    """

    kind: Kind = Kind.PLAIN
    secret: SecretPlace | None = None
    module: str = ""
    token: str = ""
    tcti: str = ""


class _TokenModule(Protocol):
    def Token(self, module: str, label: str, pin: SecretPlace | None) -> Chip: ...  # noqa: N802


class _TpmModule(Protocol):
    def Tpm(self, tcti: str) -> Chip: ...  # noqa: N802


@cache
def key_store(settings: StoreSettings) -> KeyStore:
    """Return the store; neither secret nor hardware is asked before a key is used.

    A token's library can be loaded once a process, and hardware is asked by one thread: so the
    same settings give the same store.

    Raises:
        KeyStoreError: A package that it needs is not installed, or the settings lack something.
    """
    return KeyStore(_backend(settings))


def _backend(settings: StoreSettings) -> Backend | None:
    match settings.kind:
        case Kind.PLAIN:
            return None
        case Kind.FILE:
            if settings.secret is None:
                raise KeyStoreError("encrypted key files need a secret")
            return FileBackend(settings.secret)
        case Kind.PKCS11:
            tokens = cast("_TokenModule", _load("security_token", "pkcs11", "python-pkcs11"))
            return HardwareBackend(tokens.Token(settings.module, settings.token, settings.secret))
        case Kind.TPM:
            tpms = cast("_TpmModule", _load("tpm", "tpm", "tpm2-pytss"))
            return HardwareBackend(tpms.Tpm(settings.tcti))


def _load(module: str, extra: str, package: str) -> object:
    """Load a kind of hardware: most homes have none, and not the packages for it."""
    try:
        return import_module(f"certs.keys.{module}")
    except ImportError as error:
        raise KeyStoreError(
            f"a key store of kind {extra!r} needs the package {package}, which is not usable "
            f"here ({error}); install hems[{extra}]"
        ) from error
