"""What a power cut may leave of a store's file and its log, tried on copies.

| cut | what is done | what must come of it |
|---|---|---|
| log | cut where it was perhaps not on the disk | what the last transaction before it left, whole |
| sectors | behind an offset of the log each sector is the old one, zeros or noise | the same |
| pages | sectors of pages that the log holds are lost in the file | everything |
| file | the file itself is cut | another store, and a word of it; or all that is not refused |
"""

import hashlib
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from certs.keys.store import KeyStore
from hems.clock import SystemClock
from hems.commands.store_start import opened_store
from hems.store.cipher import PAGE, Error
from hems.store.errors import StoreError
from hems.store.integrity import look_over
from hems.store.key_file import key_path
from tests.crash.wal import read_wal
from tests.stored import looked_into

SECTOR: Final = 512
KINDS: Final = ("log", "sectors", "pages", "file")
FILES: Final = ("", "-wal", ".key")

State = Mapping[str, str]
"""What a store holds: of each table a hash over all its rows; "refused" where it cannot be read."""


@dataclass(slots=True)
class Cuts:
    """How cuts went.

    Attributes:
        tried: How many, by kind.
        set_aside: How many were so damaged that another store took their place, and said so.
        wrong: What should not be, a sentence each.
    """

    tried: dict[str, int] = field(default_factory=dict)
    set_aside: int = 0
    wrong: list[str] = field(default_factory=list)


async def try_cuts(store: Path, rng: random.Random, scratch: Path, found: Cuts) -> None:
    """Try one cut of each kind on copies of a store that nobody has open.

    Args:
        store: Its file; left as it is.
        rng: Where it is cut.
        scratch: For the copies.
        found: Told how it went.
    """
    if not _there(store):
        return
    wal = read_wal(store, PAGE)
    if wal.synced < wal.size:
        offset = rng.randrange(wal.synced, wal.size)
        wanted = await _state(store, scratch, found, cut=wal.whole(offset))
        for kind, sectors in (("log", None), ("sectors", rng)):
            got = await _state(store, scratch, found, cut=offset, torn=sectors)
            _judge(found, kind, got, wanted, f"cut at {offset} of {wal.size}")
    whole = await _state(store, scratch, found)
    if wal.pages:
        number = rng.choice(sorted(wal.pages))
        got = await _state(store, scratch, found, lost=(number, rng))
        _judge(found, "pages", got, whole, f"page {number} torn")
    await _cut_file(store, rng, scratch, found, whole)


def _there(store: Path) -> bool:
    return store.exists() and store.stat().st_size > 0 and key_path(store).exists()


def _judge(found: Cuts, kind: str, got: State, wanted: State, what: str) -> None:
    found.tried[kind] = found.tried.get(kind, 0) + 1
    if got != wanted:
        differ = sorted(name for name in wanted.keys() | got if got.get(name) != wanted.get(name))
        found.wrong.append(f"{kind}: {what}: {', '.join(differ)} differ")


async def _state(
    store: Path,
    scratch: Path,
    found: Cuts,
    *,
    cut: int | None = None,
    torn: random.Random | None = None,
    lost: tuple[int, random.Random] | None = None,
) -> State:
    """Return what a copy holds that was cut, and opened as a hub's start does."""
    copy = _copied(store, scratch)
    log = copy.with_name(copy.name + "-wal")
    if cut is not None:
        _cut_log(log, cut, torn)
    if lost is not None:
        _tear_page(copy, *lost)
    opened = await opened_store(copy, SystemClock(), KeyStore())
    if opened.trouble is not None:
        found.wrong.append(f"a cut of the log, or below it, is taken for damage: {opened.trouble}")
    try:
        await look_over(await opened.store.file(), again_s=0.01)
    except StoreError as error:
        found.wrong.append(f"after a start a page is still torn: {error}")
    await opened.store.close()
    return contents(copy)


async def _cut_file(
    store: Path, rng: random.Random, scratch: Path, found: Cuts, whole: State
) -> None:
    copy = _copied(store, scratch)
    size = copy.stat().st_size
    offset = rng.randrange(1, size)
    with copy.open("r+b") as file:
        file.truncate(offset)
    found.tried["file"] = found.tried.get("file", 0) + 1
    opened = await opened_store(copy, SystemClock(), KeyStore())
    await opened.store.close()
    if opened.trouble is not None:
        found.set_aside += 1
        return
    left = contents(copy)
    for name in whole.keys() | left:
        if left.get(name) not in {whole.get(name), "refused"}:
            found.wrong.append(f"file: cut at {offset} of {size}: {name} differs, and nothing said")


def contents(store: Path) -> State:
    """Return what a store holds, seen from outside."""
    found: dict[str, str] = {}
    with looked_into(store) as connection:
        names = [
            str(name)
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for name in names:
            try:
                rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608 - a table's own name
            except Error:
                found[name] = "refused"
            else:
                found[name] = hashlib.sha256(repr(sorted(map(repr, rows))).encode()).hexdigest()
    return found


def _copied(store: Path, scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    copy = scratch / store.name
    for suffix in FILES:
        source = store.with_name(store.name + suffix)
        if source.exists():
            shutil.copy2(source, copy.with_name(copy.name + suffix))
    return copy


def _cut_log(log: Path, offset: int, torn: random.Random | None) -> None:
    content = log.read_bytes()
    if torn is None:
        log.write_bytes(content[:offset])
        return
    kept = bytearray(content)
    # Of the sector in which it was cut, what had stood there stays: disks overwrite in that way.
    for begin in range(offset - offset % SECTOR, len(content), SECTOR):
        first, end = max(begin, offset), min(begin + SECTOR, len(content))
        match torn.choice(("zeros", "noise", "whole")[: 2 if first == offset else 3]):
            case "zeros":
                kept[first:end] = bytes(end - first)
            case "noise":
                kept[first:end] = torn.randbytes(end - first)
    log.write_bytes(kept)


def _tear_page(file: Path, number: int, rng: random.Random) -> None:
    """Lose some sectors of a page; of the first page not the first, which never changes."""
    with file.open("r+b") as content:
        for sector in range(1 if number == 1 else 0, PAGE // SECTOR):
            offset = (number - 1) * PAGE + sector * SECTOR
            if rng.random() < 0.5 and offset + SECTOR <= file.stat().st_size:
                content.seek(offset)
                content.write(rng.randbytes(SECTOR))
