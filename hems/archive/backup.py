"""Making a backup: the store as of one moment, settings, devices and keys, in one locked file."""

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certs.errors import CertificateError
from certs.keys.sealed_secret import plain
from certs.keys.store import KeyStore
from certs.syncing import sync
from der.sentence import say
from hems.archive.belongings import Belongings
from hems.archive.errors import ArchiveError
from hems.archive.sealed import Cost, Sealer
from hems.on_demand import on_demand
from hems.store.cipher import Error, StoreFile, StoreKey, opened
from hems.store.errors import StoreError
from hems.store.key_file import key_path, read_key

if TYPE_CHECKING:
    import tarfile
else:  # for the minutes in which a home is backed up or restored
    tarfile = on_demand("tarfile")

MANIFEST: Final = "manifest.json"
STORE: Final = "store"
STORE_KEY: Final = key_path(Path(STORE)).name
"""The key of the store in the backup, which that one alone has; what seals it is the passphrase."""
FILES: Final = "files/"
ASIDE: Final = ".backup-"
"""How folders begin in which a store is copied while a backup is made."""
FORMAT: Final = 2
"""1: the store was not encrypted in itself."""
_PAGES: Final = 256
"""Pages of the store copied at once: others write in between."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup has.

    Attributes:
        format: Of what follows it.
        made_at: UTC epoch seconds.
        software: Version that made it.
        home: What the home is called.
        files: Names of its files under the home's folder, but for the store.
        outside: Files that the configuration names elsewhere, which it does not have.
    """

    format: int
    made_at: float
    software: str
    home: str
    files: tuple[str, ...]
    outside: tuple[str, ...] = ()


def make_backup(
    target: Path,
    passphrase: str,
    belongings: Belongings,
    home: str,
    now: float,
    *,
    keys: KeyStore | None = None,
    cost: Cost | None = None,
) -> Manifest:
    """Write a backup; the hub may run meanwhile. Blocks; call it in a thread.

    Args:
        target: The file; it is there whole, or not at all.
        passphrase: What locks it.
        belongings: What goes into it.
        home: What the home is called.
        now: UTC epoch seconds.
        keys: What holds the store's key; None for a plain file.
        cost: Of trying a passphrase; None for the usual.

    Raises:
        ArchiveError: It cannot be made; nothing is left of it.
    """
    draft = target.with_name(f".{target.name}.new")
    files = tuple(belongings.kept())
    manifest = Manifest(
        FORMAT,
        now,
        version("hems"),
        home,
        tuple(str(path.relative_to(belongings.folder)) for path in files),
        tuple(str(path) for path in belongings.outside),
    )
    try:
        draft.unlink(missing_ok=True)  # of an attempt before, or a link that somebody laid there
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(number, "wb") as out,
            tempfile.TemporaryDirectory(dir=target.parent, prefix=ASIDE) as aside,
        ):
            sealer = Sealer(out, passphrase, cost or Cost())
            try:
                with tarfile.open(fileobj=sealer, mode="w|gz") as tar:
                    _add(tar, MANIFEST, json.dumps(asdict(manifest)).encode(), now)
                    if belongings.store.is_file():
                        copy = Path(aside) / STORE
                        key = copy_store(belongings.store, copy, keys or KeyStore())
                        tar.add(copy, STORE, recursive=False)
                        _add(tar, STORE_KEY, plain(key.packed), now)
                    for path, name in zip(files, manifest.files, strict=True):
                        tar.add(path, FILES + name, recursive=False)
                sealer.close()
            finally:
                sealer.abandon()
            out.flush()
            os.fsync(out.fileno())
        draft.replace(target)
        with suppress(OSError):  # not every stick's file system knows how
            sync(target.parent)
        with suppress(OSError):  # then `hems doctor` misses one; the backup is there
            mark_path(belongings.store).write_text(f"{now:.0f}\n", encoding="ascii")
    except (OSError, Error, CertificateError, StoreError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ArchiveError(say("The backup cannot be made: {why}.", why=why)) from error
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def mark_path(store: Path) -> Path:
    """Return the file beside a store that says when the last backup was made."""
    return store.with_name(f"{store.name}.backed-up")


def last_backup(store: Path) -> float | None:
    """Return when the last backup of a home was made, UTC epoch seconds; None for never."""
    try:
        return float(mark_path(store).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def copy_store(store: Path, copy: Path, keys: KeyStore) -> StoreKey:
    """Copy a store as of one moment, while others may write to it; returns the copy's own key.

    That key is nowhere else: on a stick that is lost, or should the power go, the copy is worth
    nothing.

    Args:
        store: Its file.
        copy: The new file.
        keys: What holds the store's key.

    Raises:
        Error: It cannot be read, or the copy not be written.
        StoreError: The store's key cannot be had.
    """
    present = StoreFile(store, read_key(store, keys))
    key = StoreKey.make()
    with opened(present, read_only=True) as source, opened(StoreFile(copy, key)) as target:
        source.backup(target, pages=_PAGES)
        target.execute("PRAGMA journal_mode=DELETE")
    return key


def _add(tar: "tarfile.TarFile", name: str, content: bytes, now: float) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), int(now), 0o600
    tar.addfile(info, BytesIO(content))
