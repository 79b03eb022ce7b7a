"""Attacks on what lies on the disk: the store, its key, the logs in it, and backups."""

import asyncio
import gzip
import io
import os
import tarfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import text

from certs.keys.store import KeyStore
from hems.archive.sealed import Sealer
from hems.clock import SystemClock
from hems.emg.threats.head import head_path
from hems.store.key_file import key_path
from hems.store.store import open_store
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.vault import Vault

Do = Callable[[Vault], Awaitable[str]]
NAME: Final = "hems.db"
PASSPHRASE: Final = "a passphrase of the owner's"
_OUTSIDE: Final = Path("/tmp/hems-was-here")  # noqa: S108 - where the attack wants it


def flip(path: Path, at: float) -> None:
    octets = bytearray(path.read_bytes())
    octets[int(len(octets) * at)] ^= 1
    path.write_bytes(octets)


def _garbage(folder: Path) -> None:
    (folder / NAME).write_bytes(b"this was a store once" * 1000)


def _cut(folder: Path) -> None:
    os.truncate(folder / NAME, (folder / NAME).stat().st_size // 2)


def _bit(folder: Path) -> None:
    flip(folder / NAME, 0.5)


def _first_page(folder: Path) -> None:
    flip(folder / NAME, 0.001)


def _pages_swapped(folder: Path) -> None:
    octets = bytearray((folder / NAME).read_bytes())
    page = 4096
    octets[page : 2 * page], octets[2 * page : 3 * page] = (
        octets[2 * page : 3 * page],
        octets[page : 2 * page],
    )
    (folder / NAME).write_bytes(octets)


def _gone(folder: Path) -> None:
    (folder / NAME).unlink()


def _keyless(folder: Path) -> None:
    key_path(folder / NAME).unlink()


def _wrong_key(folder: Path) -> None:
    key = key_path(folder / NAME)
    text_ = key.read_bytes()
    key.write_bytes(text_[:-40] + bytes(reversed(text_[-40:])))


def rows(statement: str) -> Callable[[Path], None]:
    """Return what changes rows of a log: somebody has the store's key, too."""

    async def change(store: Path) -> None:
        opened = await open_store(store, SystemClock(), KeyStore())
        try:
            async with opened.security_log._database.ledger() as connection:
                names = await connection.execute(
                    text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                )
                for (name,) in names.fetchall():
                    await connection.execute(text(f'DROP TRIGGER "{name}"'))
                changed = await connection.change(text(statement))
                assert changed.rowcount, "nothing was changed"
        finally:
            await opened.close()

    return lambda folder: asyncio.run(change(folder / NAME))


def _seal_gone(folder: Path) -> None:
    head_path(folder / NAME).unlink()


def _seal_forged(folder: Path) -> None:
    flip(head_path(folder / NAME), 0.9)


def _harms(harm: Callable[[Path], None], alarm: str) -> Do:
    async def attempt(vault: Vault) -> str:
        await vault.harmed(harm)
        return f"alarm: {await vault.alarm(alarm)}"

    return attempt


async def whole(vault: Vault) -> str:
    await vault.restored()
    alarms = (await vault.hub.home()).alarms
    return f"no alarm of the store: {[a for a in alarms if 'store' in a or 'log' in a]}"


async def _made(vault: Vault) -> bytes:
    """Have the hub make a backup."""
    page = vault.page
    order = {"passphrase": PASSPHRASE}
    bearer = {"Authorization": f"Bearer {page.token}"}
    async with page.session.post(f"{page.url}/api/backup", json=order, headers=bearer) as answer:
        assert answer.ok, await answer.text()
        name = (await answer.json())["id"]
    return await page.get(f"/api/backup/{name}")


async def _looked(vault: Vault, archive: bytes, passphrase: str = PASSPHRASE) -> str:
    """Send a backup to the hub and have it restored."""
    page = vault.page
    headers = {"Authorization": f"Bearer {page.token}"}
    async with page.session.post(f"{page.url}/api/restore", headers=headers) as answer:
        sent = await answer.json()
    for at in range(0, len(archive), sent["most"]):
        url = f"{page.url}/api/restore/{sent['id']}/{at}"
        piece = archive[at : at + sent["most"]]
        async with page.session.put(url, data=io.BytesIO(piece), headers=headers) as answer:
            if not answer.ok:
                return f"{answer.status} {await answer.text()}"
    url = f"{page.url}/api/restore/{sent['id']}"
    async with page.session.post(url, json={"passphrase": passphrase}, headers=headers) as answer:
        return f"{answer.status} {await answer.text()}"


def _bent(bend: Callable[[bytes], bytes], passphrase: str = PASSPHRASE) -> Do:
    async def attempt(vault: Vault) -> str:
        return await _looked(vault, bend(await _made(vault)), passphrase)

    return attempt


def _sealed(fill: Callable[[tarfile.TarFile], None]) -> Do:
    """Send an archive that somebody who knows the passphrase has made."""

    def made() -> bytes:
        out = io.BytesIO()
        sealer = Sealer(out, PASSPHRASE)
        with tarfile.open(fileobj=sealer, mode="w|gz") as tar:
            fill(tar)
        sealer.close()
        return out.getvalue()

    async def attempt(vault: Vault) -> str:
        answer = await _looked(vault, await asyncio.to_thread(made))
        assert not await asyncio.to_thread(_OUTSIDE.exists), "it wrote outside its folder"
        return answer

    return attempt


def _add(tar: tarfile.TarFile, name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.type = len(content), kind
    if kind == tarfile.SYMTYPE:
        member.size, member.linkname = 0, "/etc/passwd"
    tar.addfile(member, io.BytesIO(content))


def _traversal(tar: tarfile.TarFile) -> None:
    _add(tar, "manifest.json", _MANIFEST)
    _add(tar, "../../../../tmp/hems-was-here", b"x")


def _listed_traversal(tar: tarfile.TarFile) -> None:
    """The list of contents names the path outside, too."""
    _add(
        tar,
        "manifest.json",
        _MANIFEST.replace(b'"files": []', b'"files": ["../../../../../tmp/hems-was-here"]'),
    )
    _add(tar, "files/../../../../../tmp/hems-was-here", b"x")


def _link(tar: tarfile.TarFile) -> None:
    _add(tar, "manifest.json", _MANIFEST)
    _add(tar, "store", b"", tarfile.SYMTYPE)


def _no_manifest(tar: tarfile.TarFile) -> None:
    _add(tar, "store", b"x" * 1000)


def _huge_manifest(tar: tarfile.TarFile) -> None:
    _add(tar, "manifest.json", b" " * (64 << 20))


_MANIFEST: Final = (
    b'{"format": 1, "made_at": 1.0, "software": "0", "home": "Home", "files": [], "outside": []}'
)
_DAMAGED: Final = Entry(Where.SECURITY, "^store-damaged .* about store: ")
_UNREADABLE: Final = Entry(Where.HUB, "WARNING hems.alarms .*cannot be opened: .*its key")
"""Without its key nothing can be written into the log in it."""
_LOG_BROKEN: Final = Entry(Where.SECURITY, "^log-broken .* about log: ")
_ON_RECORD: Final = Entry(Where.TRAIL, r"POST /api/restore.* -> 400")


async def _restores(vault: Vault) -> str:
    """Have the hub look into a good backup."""
    archive = await _made(vault)
    page = vault.page
    headers = {"Authorization": f"Bearer {page.token}"}
    async with page.session.post(f"{page.url}/api/restore", headers=headers) as answer:
        sent = await answer.json()
    for at in range(0, len(archive), sent["most"]):
        url = f"{page.url}/api/restore/{sent['id']}/{at}"
        piece = io.BytesIO(archive[at : at + sent["most"]])
        async with page.session.put(url, data=piece, headers=headers) as answer:
            assert answer.ok
    url = f"{page.url}/api/restore/{sent['id']}/look"
    order = {"passphrase": PASSPHRASE}
    async with page.session.post(url, json=order, headers=headers) as answer:
        return f"{answer.status} "


def _harm(
    id_: str,
    does: str,
    harm: Callable[[Path], None],
    alarm: str,
    entry: Entry = _DAMAGED,
    *,
    quick: bool = False,
) -> Attack[Vault]:
    return Attack(
        f"store-{id_}",
        Kind.STORE,
        does,
        _harms(harm, alarm),
        "^alarm: ",
        entry,
        whole,
        r"^no alarm of the store: \[\]",
        deep=not quick,
    )


def _backup(id_: str, does: str, attempt: Do, *, quick: bool = False) -> Attack[Vault]:
    return Attack(
        f"backup-{id_}",
        Kind.STORE,
        does,
        attempt,
        "^40[03] ",
        _ON_RECORD,
        _restores,
        "^200 ",
        deep=not quick,
    )


_BROKEN: Final = "security log"
ROWS: Final[Sequence[Attack[Vault]]] = [
    _backup(
        "bit",
        "Bends one bit of a backup",
        _bent(lambda b: b[: len(b) // 2] + bytes([b[len(b) // 2] ^ 1]) + b[len(b) // 2 + 1 :]),
        quick=True,
    ),
    _backup("cut", "Cuts a backup's end off", _bent(lambda b: b[: len(b) // 2])),
    _backup("appended", "Adds something behind a backup's end", _bent(lambda b: b + b"more")),
    _backup(
        "header",
        "Has the hub take all its memory to try a passphrase",
        _bent(lambda b: b[:9] + b"\x00\xff\xff\xff" + b[13:]),
    ),
    _backup(
        "passphrase",
        "Restores a stolen backup with another passphrase",
        _bent(lambda b: b, "a guess of the thief's"),
    ),
    _backup("nothing", "Restores what is no backup", _bent(lambda _: b"PK\3\4" * 1000)),
    _backup(
        "plain", "Restores a backup that is not locked", _bent(lambda _: gzip.compress(b"x" * 5000))
    ),
    _backup(
        "traversal",
        "Restores an archive that writes outside its folder",
        _sealed(_traversal),
        quick=False,
    ),
    _backup(
        "traversal-listed",
        "Restores one that lists the path outside as its own",
        _sealed(_listed_traversal),
    ),
    _backup("link", "Restores an archive with a link to /etc/passwd", _sealed(_link)),
    _backup("no-list", "Restores an archive without a list of its contents", _sealed(_no_manifest)),
    _backup("bomb", "Restores an archive whose list unpacks to 64 MB", _sealed(_huge_manifest)),
    _harm("garbage", "Writes garbage over the store", _garbage, "is damaged"),
    _harm("cut", "Cuts the store's end off", _cut, "is damaged"),
    _harm("bit", "Bends one bit in the middle of the store", _bit, "not as the hub has written it"),
    _harm("first-page", "Bends one bit in the store's first page", _first_page, "is damaged"),
    _harm("pages", "Puts two pages of the store in each other's place", _pages_swapped, "damaged"),
    _harm("gone", "Removes the store", _gone, "is gone, and its key is not"),
    _harm("keyless", "Removes the store's key", _keyless, "cannot be opened", _UNREADABLE),
    _harm("wrong-key", "Damages the store's key", _wrong_key, "cannot be opened", _UNREADABLE),
    _harm(
        "log-row-removed",
        "Removes a row of the security log",
        rows("DELETE FROM security_log WHERE seq = 2"),
        _BROKEN,
        _LOG_BROKEN,
        quick=True,
    ),
    _harm(
        "log-row-changed",
        "Changes a row of the security log",
        rows("UPDATE security_log SET at = at - 3600 WHERE seq = 2"),
        _BROKEN,
        _LOG_BROKEN,
    ),
    _harm(
        "log-end-cut",
        "Cuts the security log's end off",
        rows("DELETE FROM security_log WHERE seq > 2"),
        _BROKEN,
        _LOG_BROKEN,
    ),
    _harm(
        "log-all",
        "Empties the security log",
        rows("DELETE FROM security_log"),
        _BROKEN,
        _LOG_BROKEN,
    ),
    _harm("seal-gone", "Removes the seal of the security log", _seal_gone, _BROKEN, _LOG_BROKEN),
    _harm("seal-forged", "Forges the seal of the security log", _seal_forged, _BROKEN, _LOG_BROKEN),
]
