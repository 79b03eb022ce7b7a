"""Where the CAs of a PKI keep what is theirs: keys by a key store, certificates by generations.

ca/NAME.key               keys of the CAs: root, mca, mica, operational
ca/NAME.pem, ca/NAME.crl  their certificates and revocation lists
ca/N/                     the Nth root: root.pem|.key|.crl, and under it mca.pem and
                          operational.pem of the same keys; new-with-old.pem and
                          old-with-new.pem tie it to the root before it (RFC 4210, 4.4)
ca/generation             which root is in use; the first where there is no such file
ca/keys.toml              which key store holds the keys; plain files where there is none
"""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certs.errors import PkiError
from certs.keys.opening import Kind, StoreSettings, key_store
from certs.keys.secret import SecretPlace
from certs.keys.store import KeyStore
from certs.pem import write_file

ROOT: Final = "root"
AUTHORITIES: Final = (ROOT, "mca", "mica", "operational")
BELOW_ROOT: Final = ("mca", "operational")
"""The CAs whose certificates a root has signed."""
NEW_WITH_OLD: Final = "new-with-old"
OLD_WITH_NEW: Final = "old-with-new"

Signer = tuple[str, int]
"""Whose revocation list it is: a CA's name, and its generation."""

_STORE: Final = "keys.toml"
_IN_USE: Final = "generation"
_TEXTS: Final = ("secret", "credential", "module", "token", "tcti")


@dataclass(frozen=True, slots=True)
class CaFiles:
    """The files of the CAs.

    Attributes:
        folder: Their folder.
    """

    folder: Path

    @property
    def keys(self) -> KeyStore:
        """What holds the CAs' private keys.

        Raises:
            PkiError: What says which it is cannot be read.
            KeyStoreError: A package that the store needs is not installed.
        """
        return key_store(_read_store(self.folder / _STORE))

    @property
    def in_use(self) -> int:
        """The generation of the root by which certificates are issued.

        Raises:
            PkiError: What says which it is cannot be read.
        """
        path = self.folder / _IN_USE
        try:
            return int(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 1
        except (OSError, ValueError) as error:
            raise PkiError(f"{path}: does not say which root is in use") from error

    @property
    def live(self) -> Sequence[int]:
        """The generations of the roots that count: one, or two while one follows another.

        Raises:
            PkiError: The folder cannot be read.
        """
        try:
            later = [int(each.name) for each in self.folder.iterdir() if each.name.isdigit()]
        except OSError as error:
            raise PkiError(f"{self.folder}: cannot be read: {error.strerror}") from error
        numbers = (1, *later)
        return sorted(each for each in numbers if self.key(ROOT, each).exists())

    @property
    def signers(self) -> Sequence[Signer]:
        """Whose revocation lists there are: those of all roots that count, and of the CAs below."""
        others = [(name, self.in_use) for name in AUTHORITIES if name != ROOT]
        return [*((ROOT, each) for each in self.live), *others]

    def of(self, generation: int) -> Path:
        """Return the folder of a generation."""
        return self.folder if generation == 1 else self.folder / str(generation)

    def certificate(self, name: str, generation: int) -> Path:
        """Return where the certificate of a CA, or a link, lies."""
        by_root = name not in {ROOT, *BELOW_ROOT, NEW_WITH_OLD, OLD_WITH_NEW}
        return (self.folder if by_root else self.of(generation)) / f"{name}.pem"

    def key(self, name: str, generation: int) -> Path:
        """Return where the key of a CA lies."""
        return (self.of(generation) if name == ROOT else self.folder) / f"{name}.key"

    def crl(self, name: str, generation: int) -> Path:
        """Return where the revocation list of a CA lies."""
        return (self.of(generation) if name == ROOT else self.folder) / f"{name}.crl"

    def use(self, generation: int) -> None:
        """Have certificates issued by another root from now on.

        Raises:
            CertificateError: The file cannot be written.
        """
        write_file(self.folder / _IN_USE, f"{generation}\n".encode(), mode=0o644)

    def keep_by(self, settings: StoreSettings) -> None:
        """Have the CAs' keys held by a store from now on; those that are there stay as they are.

        Raises:
            CertificateError: The file cannot be written.
        """
        secret = settings.secret or SecretPlace()
        texts = {
            "store": settings.kind.value,
            "secret": "" if secret.file is None else str(secret.file.absolute()),
            "credential": secret.credential or "",
            "module": settings.module,
            "token": settings.token,
            "tcti": settings.tcti,
        }
        # JSON's way of writing a text is one of TOML's.
        lines = [f"{name} = {json.dumps(text)}" for name, text in texts.items() if text]
        lines.append(f"machine = {json.dumps(secret.machine)}")
        write_file(self.folder / _STORE, ("\n".join(lines) + "\n").encode(), mode=0o644)


def _read_store(path: Path) -> StoreSettings:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return StoreSettings()
    except (OSError, ValueError) as error:
        raise PkiError(f"{path}: cannot be read: {error}") from error
    try:
        kind, machine = Kind(table.pop("store")), bool(table.pop("machine", False))
        texts = {name: str(table.pop(name, "")) for name in _TEXTS}
    except (KeyError, ValueError) as error:
        raise PkiError(f"{path}: does not say which key store it is: {error}") from error
    if table:
        raise PkiError(f"{path}: {min(table)!r} says nothing of a key store")
    secret = None
    if texts["secret"] or texts["credential"]:
        file = Path(texts["secret"]) if texts["secret"] else None
        secret = SecretPlace(file, texts["credential"] or None, machine=machine)
    return StoreSettings(kind, secret, texts["module"], texts["token"], texts["tcti"])
