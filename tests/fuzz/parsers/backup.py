"""A backup that somebody hands the hub: its lock, and what is behind the lock.

An input is a first octet, and for an even one a whole file, for an odd one an archive that is
locked rightly: whoever knows the passphrase may still have made it to do harm.
"""

import gzip
import io
import random
import shutil
import struct
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Final

from hems.archive.backup import FILES, FORMAT, MANIFEST, STORE
from hems.archive.errors import ArchiveError
from hems.archive.sealed import _CRC, _HEADER, MAGIC, Cost, Sealer
from hems.archive.unpack import unpack
from tests.fuzz.parsers.parser import Parser, WrongError, attempt, changed

_PASSPHRASE: Final = "correct horse"
_CHEAP: Final = Cost(memory_kib=8, passes=1)
_DEAREST_KIB: Final = 1024
_FOLDER: Final = Path(tempfile.mkdtemp(prefix="fuzz-backup-"))
_COST: Final = struct.Struct(">IIB")


def examine(data: bytes) -> str:
    """Unpack a backup; nothing may come to lie beside the folder it is unpacked into."""
    head, rest = (data[0], data[1:]) if data else (0, b"")
    content = _locked(rest) if head % 2 else rest
    if _dear(content):
        return "a passphrase that is dear to try"
    source, into = _FOLDER / "backup", _FOLDER / "in" / "new"
    source.write_bytes(content)
    shutil.rmtree(_FOLDER / "in", ignore_errors=True)
    found, words = attempt(lambda: unpack(source, _PASSPHRASE, into), ArchiveError)
    beside = [path for path in _FOLDER.rglob("*") if not path.is_relative_to(_FOLDER / "in")]
    others = list((_FOLDER / "in").glob("*"))
    if beside != [source] or others not in ([], [into]):
        raise WrongError(f"files beside: {beside} {others}")
    if found is None and into.exists():
        raise WrongError("something of a refused backup is left")
    return words


def _dear(content: bytes) -> bool:
    """Whether the header asks for a cost that is allowed, and takes a fuzzer's time."""
    if len(content) < _HEADER.size or content[: len(MAGIC)] != MAGIC:
        return False
    memory, passes, _ = _COST.unpack_from(content, len(MAGIC) + 1)
    return int(memory) * int(passes) > _DEAREST_KIB


def _locked(content: bytes) -> bytes:
    out = io.BytesIO()
    with Sealer(out, _PASSPHRASE, _CHEAP) as sealer:
        sealer.write(content)
    return out.getvalue()


def _archive(*members: tuple[str, bytes, bytes]) -> bytes:
    """Return an archive of members: name, type, content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/hostname"
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue(), mtime=0)


def _manifest(*files: str) -> tuple[str, bytes, bytes]:
    names = ", ".join(f'"{each}"' for each in files)
    text = (
        f'{{"format": {FORMAT}, "made_at": 1772366400.0, "software": "0.1.0", "home": "Home", '
        f'"files": [{names}]}}'
    )
    return MANIFEST, tarfile.REGTYPE, text.encode()


def seeds() -> list[bytes]:
    """Return backups, good ones and such as are made to do harm."""
    plain = tarfile.REGTYPE
    good = _archive(_manifest("hems.toml"), (FILES + "hems.toml", plain, b"[home]\n"))
    bad = [
        _archive(_manifest("../out"), (FILES + "../out", plain, b"x")),
        _archive(_manifest("/tmp/out"), (FILES + "/tmp/out", plain, b"x")),  # noqa: S108 - hostile
        _archive(_manifest("a"), (FILES + "a", tarfile.SYMTYPE, b"")),
        _archive(_manifest("a"), (FILES + "a", tarfile.LNKTYPE, b"")),
        _archive(_manifest("a"), (FILES + "a", tarfile.CHRTYPE, b"")),
        _archive(_manifest("a", "a/b"), (FILES + "a", plain, b""), (FILES + "a/b", plain, b"")),
        _archive(_manifest(), (STORE, plain, b"SQLite format 3\0")),
        _archive((MANIFEST, plain, b"{}")),
        gzip.compress(bytes(1_000_000), mtime=0),
    ]
    return [b"\0" + _locked(good), b"\1" + good, *(b"\1" + each for each in bad)]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a backup with a header that fits itself, or an archive changed within."""
    head, rest = data[:1], data[1:]
    if head and head[0] % 2:
        try:
            inside = gzip.decompress(rest)
        except (OSError, EOFError, zlib.error):
            return head + changed(rest, rng, WORDS)
        return head + gzip.compress(_tar_changed(inside, rng), 1, mtime=0)
    if len(rest) < _HEADER.size + _CRC.size:
        return head + changed(rest, rng, WORDS)
    header = changed(rest[: _HEADER.size], rng, ())[: _HEADER.size].ljust(_HEADER.size, b"\0")
    return head + header + _CRC.pack(zlib.crc32(header)) + rest[_HEADER.size + _CRC.size :]


def _tar_changed(inside: bytes, rng: random.Random) -> bytes:
    """Change a tar; half of the time its headers' sums are right again."""
    made = bytearray(changed(inside[:4096], rng, WORDS) + inside[4096:])
    if rng.randrange(2):
        for at in range(0, min(len(made) - 511, 4096), 512):
            if made[at + 257 : at + 262] == b"ustar":
                made[at + 148 : at + 156] = b" " * 8
                made[at + 148 : at + 156] = b"%06o\0 " % (sum(made[at : at + 512]) % 0o1000000)
    return bytes(made)


WORDS: Final = (
    b"../",
    b"/etc/passwd",
    b"store",
    b"files/",
    b"7777777\0",
    b"ustar\x0000",
    b"2",
    b"1",
)
PARSER: Final = Parser(examine, seeds, WORDS, mutated, rounds=25)
