"""Reading a backup into a folder of its own; nothing that is in use is touched."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from certs.errors import CertificateError
from certs.keys.erasing import overwrite
from certs.keys.store import KeyStore
from der.sentence import say
from hems.archive.backup import FILES, FORMAT, MANIFEST, STORE, STORE_KEY, Manifest
from hems.archive.errors import ArchiveError, DamagedError, NewerError
from hems.archive.sealed import Opener
from hems.on_demand import on_demand
from hems.store.changeover import Changeover
from hems.store.cipher import Error, Shape, StoreFile, opened, shape
from hems.store.errors import StoreError, StoreNewerError
from hems.store.key_file import key_path, read_key
from hems.store.sqlite import read_revision

if TYPE_CHECKING:
    import tarfile
    from sqlite3 import Connection
else:  # for the minutes in which a home is backed up or restored
    tarfile = on_demand("tarfile")

_MANIFEST: Final = TypeAdapter(Manifest)
_MOST_MANIFEST: Final = 1 << 20
_PIECE: Final = 1 << 16
_LET_IN: Final = frozenset({"sessions", "tokens"})
_GRANTED: Final = frozenset({"consents", "grants"})


def let_nobody_in(store: Path, at: float) -> None:
    """Have nobody, and no program, be let in by an unpacked store, and nothing be consented to.

    What was taken back since the backup was made stays so: who had it is let in, or granted it,
    anew. Accounts stay, for with them the home would be nobody's.

    Args:
        store: The unpacked store.
        at: When the backup was made, UTC epoch seconds: what held then ends then.

    Raises:
        ArchiveError: It is no store.
    """
    try:
        with opened(StoreFile(store, read_key(store, KeyStore()))) as unpacked:
            tables = {name for (name,) in unpacked.execute("SELECT name FROM sqlite_master")}
            for table in _LET_IN & tables:  # older stores lack some
                unpacked.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of ours
            for table in _GRANTED & tables:
                unpacked.execute(_taken_back(unpacked, table), (at,))
    except (Error, StoreError) as error:
        why = str(error)
        raise ArchiveError(say("The backup's store cannot be used: {why}.", why=why)) from error


def _taken_back(unpacked: "Connection", table: str) -> str:
    """Return what takes all back that a table grants; before revision 0006 its end alone does."""
    columns = {str(row[1]) for row in unpacked.execute(f"PRAGMA table_info({table})")}
    if "withdrawn_at" in columns:
        return f"UPDATE {table} SET withdrawn_at = ? WHERE withdrawn_at IS NULL"  # noqa: S608 - a name of ours
    return f"UPDATE {table} SET until = min(until, ?)"  # noqa: S608 - a name of ours


def look(source: Path, passphrase: str) -> Manifest:
    """Return what a backup says that it has; its whole is not checked.

    Raises:
        ArchiveError: It cannot be read.
    """
    return _read(source, passphrase, None)


def unpack(source: Path, passphrase: str, folder: Path) -> Manifest:
    """Unpack a backup and check all of it. Blocks; call it in a thread.

    Args:
        source: The backup.
        passphrase: What it was locked with.
        folder: New; holds `store` and `files/` afterwards, or is gone where this fails.

    Raises:
        WrongPassphraseError: It was locked with another passphrase.
        DamagedError: It is not whole.
        NewerError: A newer version of this software made it.
        ArchiveError: It cannot be read, or there is no room for it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
        manifest = _read(source, passphrase, folder)
        _check_store(folder / STORE)
    except OSError as error:
        discard(folder)
        raise _unreadable(error) from error
    except ArchiveError:
        discard(folder)
        raise
    return manifest


def discard(folder: Path) -> None:
    """Remove what was unpacked; the store's key, which opens all of it, is written over first."""
    with suppress(CertificateError):  # it did not come so far
        overwrite(folder / STORE_KEY)
    shutil.rmtree(folder, ignore_errors=True)


def _read(source: Path, passphrase: str, folder: Path | None) -> Manifest:
    try:
        with source.open("rb") as file:
            opened = Opener(file, passphrase)
            with tarfile.open(fileobj=opened, mode="r|gz") as tar:
                members = iter(tar)
                manifest = _manifest(tar, next(members, None))
                if folder is None:
                    return manifest
                _extract(tar, members, manifest, folder)
            while opened.read(_PIECE):
                pass  # to its authentic end
    except (tarfile.TarError, EOFError, TypeError) as error:  # the last: a gzip header cut short
        raise DamagedError(say("The backup is damaged; nothing of it was used.")) from error
    except OSError as error:
        raise _unreadable(error) from error
    return manifest


def _manifest(tar: "tarfile.TarFile", member: "tarfile.TarInfo | None") -> Manifest:
    if member is None or member.name != MANIFEST or member.size > _MOST_MANIFEST:
        raise DamagedError(say("This file is no backup of a home."))
    file = tar.extractfile(member)
    try:
        manifest = _MANIFEST.validate_json(b"" if file is None else file.read())
    except ValidationError as error:
        raise DamagedError(say("The backup's list of contents cannot be read.")) from error
    if manifest.format > FORMAT:
        raise NewerError(
            say("A newer version of this software made this backup; update this hub first.")
        )
    return manifest


def _extract(
    tar: "tarfile.TarFile", members: "Iterator[tarfile.TarInfo]", manifest: Manifest, folder: Path
) -> None:
    expected = {FILES + name for name in manifest.files}
    for member in members:
        ours = member.name in {STORE, STORE_KEY} or member.name in expected
        if not (member.isreg() and ours):
            raise DamagedError(say("The backup has something in it that does not belong there."))
        path = folder / _safe(member.name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        expected.discard(member.name)
        found = tar.extractfile(member)
        path.touch(mode=0o600)
        with path.open("wb") as file:
            if found is not None:
                shutil.copyfileobj(found, file, _PIECE)
    if expected:
        raise DamagedError(say("The backup lacks a part: {name}.", name=min(expected)))


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise DamagedError(say("The backup has something in it that does not belong there."))
    return path


def _check_store(store: Path) -> None:
    if not store.exists():
        return
    try:
        if shape(store) is Shape.PLAIN and not key_path(store).exists():
            read_revision(store, None)
            Changeover(store, KeyStore()).begin(None)  # of a version that encrypted none
        read_revision(store, read_key(store, KeyStore()))
    except StoreNewerError as error:
        raise NewerError(
            say("A newer version of this software made this backup; update this hub first.")
        ) from error
    except (StoreError, CertificateError) as error:
        raise DamagedError(
            say("The store in the backup is damaged: {why}.", why=str(error))
        ) from error


def _unreadable(error: OSError) -> ArchiveError:
    why = error.strerror or str(error)
    return ArchiveError(say("The backup cannot be read or unpacked: {why}.", why=why))
