"""The key store: one interface over all kinds, for the files that the configuration names."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certs.keys import counting, sealed_secret
from certs.keys.backend import Backend, Fields, Held, spki
from certs.keys.counting import Counter
from certs.keys.envelope import Envelope, decode, encode, labels_of
from certs.keys.erasing import old, overwrite
from certs.keys.errors import KeyStoreError, TamperedError, named
from certs.keys.memory import in_memory
from certs.keys.sealing import hashed
from certs.keys.signer import StoredKey
from certs.keys.use import TlsKey
from certs.pem import check_private, read_signing_key, write_file, write_key

_MODE: Final = 0o600
_LONGEST: Final = 65_536
_PROBE: Final = b"a key is tried before the former one is given up"

HELD_BY_LABEL: Final = {
    "HEMS SEALED KEY": Held.ENCRYPTED,
    "HEMS TOKEN KEY": Held.TOKEN,
    "HEMS TPM KEY": Held.TPM,
}
"""How the keys of files with these labels are held; every other label is a plain key's."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done to erase a key.

    Attributes:
        path: Where its file was.
        size: Octets of it that were written over.
        elsewhere: What was done in hardware; empty where nothing was there.
    """

    path: Path
    size: int
    elsewhere: str = ""


class KeyStore:
    """Makes, keeps, uses and erases keys by their files; see `certs.keys`.

    It may be used by several threads at once. Its calls block.

    Args:
        backend: The kind of store; None for plain files.
    """

    def __init__(self, backend: Backend | None = None) -> None:
        self._backend = backend

    @property
    def keeps(self) -> Held:
        """How keys are held that are kept from now on."""
        return Held.PLAIN if self._backend is None else self._backend.held

    def held(self, path: Path) -> Held:
        """Return how the key of a file is held; the store need not be the one that keeps it.

        Raises:
            KeyStoreError: The file cannot be read, or holds no key.
        """
        labels = labels_of(_read(path))
        kept = _kept_as(labels) or _sealed_as(labels) or _counted_in(labels)
        if kept is None and not any(label.endswith("PRIVATE KEY") for label in labels):
            raise KeyStoreError(f"{path}: no key in it")
        return Held.PLAIN if kept is None else kept

    def secret(self, path: Path) -> bool:
        """Return whether a file keeps another secret than a private key.

        Hardware that holds a private key signs with it; such a secret it only locks, and whoever
        uses it has it in memory.

        Raises:
            KeyStoreError: The file cannot be read.
        """
        return _sealed_as(labels_of(_read(path))) is not None

    def make(self, path: Path) -> ec.EllipticCurvePublicKey:
        """Make a P-256 key and keep it at `path`; returns its public key.

        Raises:
            KeyStoreError: Something is there already, or the store cannot make or keep one.
            CertificateError: The file cannot be written.
        """
        _must_be_free(path)
        if self._backend is None:
            key = ec.generate_private_key(ec.SECP256R1())
            write_key(path, key)
            return key.public_key()
        with named(path):
            fields = self._backend.make()
            public = self._backend.public(fields)
        self._write_new(path, fields)
        return public

    def keep(self, path: Path, key: ec.EllipticCurvePrivateKey) -> None:
        """Keep a key that was made elsewhere at `path`; what was there is replaced, not erased.

        Raises:
            KeyStoreError: The store cannot take it.
            CertificateError: The file cannot be written.
        """
        if self._backend is None:
            write_key(path, key)
            return
        with named(path):
            fields = self._backend.take(_p256(key))
        self._write_new(path, fields)

    def move(self, path: Path) -> bool:
        """Move a plain key into the store, in its place; the plain one is written over.

        The key is tried first as it is kept then; if that fails, the plain one stays.

        Returns:
            Whether it was moved; False where the store keeps it already.

        Raises:
            KeyStoreError: It is another store's, or this one cannot take or use it.
            CertificateError: The file cannot be read or written.
        """
        if _sealed_as(labels_of(content := _read(path))) is not None:
            return sealed_secret.move(self._backend, path, content)
        held = self.held(path)
        if held is self.keeps:
            return False
        if held is not Held.PLAIN or self._backend is None:
            raise KeyStoreError(f"{path}: it is held otherwise ({held}) and cannot be moved")
        key = _p256(read_signing_key(path))
        with named(path):
            fields = self._backend.take(key)
            try:
                signature = self._backend.sign(fields, hashed(_PROBE))
                key.public_key().verify(signature, _PROBE, ec.ECDSA(hashes.SHA256()))
                with old(path) as wipe:
                    self._write(path, fields)
                    wipe()
            except BaseException:
                if self.held(path) is Held.PLAIN:
                    self._backend.erase(fields)
                raise
        return True

    def public(self, path: Path) -> ec.EllipticCurvePublicKey:
        """Return the public key; asks neither secret nor hardware.

        Raises:
            CertificateError: The file is missing, damaged, or another store's.
        """
        fields = self._fields(path)
        if fields is None:
            return _plain(path).public_key()
        with named(path):
            return self._owner.public(fields)

    def sign(self, path: Path, data: bytes) -> bytes:
        """Return the ECDSA signature with SHA-256, DER, of some data.

        Raises:
            CertificateError: The file is missing, damaged, or another store's; or the store
                cannot sign.
        """
        fields = self._fields(path)
        if fields is None:
            return _plain(path).sign(data, ec.ECDSA(hashes.SHA256()))
        with named(path):
            return self._owner.sign(fields, hashed(data))

    def signer(self, path: Path) -> ec.EllipticCurvePrivateKey:
        """Return the key as `cryptography` wants one for requests and certificates.

        It signs by the store, and gives its private part to nobody.

        Raises:
            CertificateError: As `public`.
        """
        return StoredKey(self.public(path), lambda data: self.sign(path, data))

    @contextmanager
    def tls(self, path: Path) -> Iterator[TlsKey]:
        """Give a block in which `ssl.SSLContext.load_cert_chain` can read the key.

        Raises:
            CertificateError: As `sign`.
        """
        fields = self._fields(path)
        if fields is None:
            yield TlsKey(path)
            return
        with named(path):
            content = self._owner.tls(fields)
        with in_memory(content.pem) as place:
            yield TlsKey(place, content.password)

    def erase(self, path: Path) -> Erased:
        """Erase a key: in hardware first, then its file, which is written over.

        Raises:
            CertificateError: The file is damaged or another store's; or the hardware is not
                there, or refuses: then the file stays, for it says where the key is.
        """
        if _sealed_as(labels_of(content := _read(path))) is not None:
            elsewhere = sealed_secret.forget(self._backend, path, content)
            return Erased(path, overwrite(path), elsewhere)
        if _counted_in(labels_of(content)) is not None:
            counters = None if self._backend is None else self._backend.counters
            elsewhere = counting.forget(counters, path)
            return Erased(path, overwrite(path), elsewhere)
        if self.held(path) is Held.PLAIN:
            return Erased(path, overwrite(path))
        fields = self._fields(path)
        with named(path):
            elsewhere = "" if fields is None else self._owner.erase(fields)
        return Erased(path, overwrite(path), elsewhere)

    def seal(self, path: Path, secret: bytes) -> None:
        """Keep another secret than a private key at `path`; what was there is replaced, not erased.

        Args:
            path: The file that is to say where and how it is held.
            secret: At most 128 octets.

        Raises:
            KeyStoreError: The store cannot lock it.
            CertificateError: The file cannot be written.
        """
        sealed_secret.seal(self._backend, path, secret)

    def unseal(self, path: Path) -> bytes:
        """Return a secret that is kept so.

        Raises:
            KeyStoreError: The file is missing, damaged or another store's, or the store cannot
                open it.
            CertificateError: Others than its owner may read it.
        """
        return sealed_secret.unseal(self._backend, path, _read(path))

    def release(self, path: Path) -> bool:
        """Have a secret that is kept so be a plain file again; returns whether it was none.

        Raises:
            CertificateError: As `unseal`.
        """
        return sealed_secret.release(self._backend, path, _read(path))

    def counter(self, path: Path) -> Counter | None:
        """Return the counter that a file says of, there or not; None where nothing here counts."""
        counters = None if self._backend is None else self._backend.counters
        return None if counters is None else Counter(path, counters)

    def check(self, paths: Iterable[Path] = ()) -> None:
        """See whether the store can be used now, and the keys of these files with it.

        Raises:
            KeyStoreError: It cannot, or one of them cannot.
        """
        if self._backend is None:
            return
        kept = (self._fields(path) for path in paths if path.exists())
        self._backend.check([fields for fields in kept if fields is not None])

    @property
    def _owner(self) -> Backend:
        if self._backend is None:
            raise KeyStoreError("no key store is configured")
        return self._backend

    def _fields(self, path: Path) -> Fields | None:
        """Return what a store has written into a file; None for a plain key."""
        content = _read(path)
        held = _kept_as(labels_of(content))
        if held is None:
            return None
        if held is not self.keeps:
            raise KeyStoreError(
                f"{path}: the key is held otherwise ({held}) than by the store that is "
                f"configured ({self.keeps})"
            )
        check_private(path)
        try:
            return decode(content).fields
        except ValueError as error:
            raise TamperedError(f"{path}: the key's file is damaged: {error}") from error

    def _write_new(self, path: Path, fields: Fields) -> None:
        try:
            self._write(path, fields)
        except BaseException:
            self._owner.erase(fields)  # nothing would say any more where in the hardware it is
            raise

    def _write(self, path: Path, fields: Fields) -> None:
        write_file(path, encode(Envelope(self._owner.label, fields)), mode=_MODE)


def _kept_as(labels: Sequence[str]) -> Held | None:
    return next((HELD_BY_LABEL[label] for label in labels if label in HELD_BY_LABEL), None)


def _sealed_as(labels: Sequence[str]) -> Held | None:
    return next(
        (sealed_secret.HELD[label] for label in labels if label in sealed_secret.HELD), None
    )


def _counted_in(labels: Sequence[str]) -> Held | None:
    return next((counting.HELD[label] for label in labels if label in counting.HELD), None)


def _plain(path: Path) -> ec.EllipticCurvePrivateKey:
    check_private(path)
    return read_signing_key(path)


def _p256(key: ec.EllipticCurvePrivateKey) -> ec.EllipticCurvePrivateKey:
    if not isinstance(key.curve, ec.SECP256R1):
        raise KeyStoreError(f"a key on {key.curve.name} is not kept: 2030.5 wants P-256")
    return key


def _must_be_free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise KeyStoreError(f"{path}: something is there already; no key is made over it")


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():  # a pipe, say, would be waited for
            raise KeyStoreError(f"{path}: is no file")
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except FileNotFoundError as error:
        raise KeyStoreError(f"{path}: the private key file does not exist") from error
    except OSError as error:
        raise KeyStoreError(f"{path}: cannot be read: {error.strerror}") from error


def fingerprint(public: ec.EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of a public key (SubjectPublicKeyInfo), hex digits."""
    return hashed(spki(public)).hex()
