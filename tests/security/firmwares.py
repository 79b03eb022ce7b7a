"""Attacks on the lists of firmware: old ones, forged ones, ones that only one party has signed."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from aiohttp import web

from certs.tls import server_context
from hems.bulletin import LIST, Firmware, FirmwareList, Release, State
from hems.clock import SystemClock
from hems.emg.feeds.line import secured
from hems.emg.firmware import tuf_client
from hems.emg.firmware.keeper import ListKeeper
from hems.emg.firmware.lists import Refreshed
from hems.emg.firmware.tuf_client import FirmwareError
from hems.emg.firmware.tuf_place import Place
from hems.headend.firmware.repository import FirmwareRepository
from hems.store.store import open_store
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.vault import Vault

PACKAGE: Final = b"PK\x03\x04 a package"
_WITHIN_S: Final = 20.0


def _list(version: str = "1.4", state: State = State.LATEST) -> bytes:
    entry = Firmware(manufacturer="Acme", model="Sun 5", version=version, state=state)
    package = Release(version="0.2.0", file="hems-0.2.0.whl", state=State.LATEST)
    listed = FirmwareList(vendor="acme", firmware=(entry,), releases=(package,))
    return listed.model_dump_json().encode()


@dataclass
class Shop:
    """A vendor, a service provider, and a hub's place at their server.

    Attributes:
        offered: What both have signed.
        folder: Where the server takes its files from.
        place: The hub's.
        other: Another folder for what attackers make.
    """

    offered: FirmwareRepository
    folder: Path
    place: Place
    other: Path

    def update(self, version: str = "1.5", state: State = State.LATEST) -> None:
        """Publish another list, signed by both."""
        self.offered.sign("acme", {LIST: _list(version, state)})
        self.offered.approve("acme")
        self.offered.publish()

    async def look(self) -> Refreshed:
        """Have the hub look."""
        return await asyncio.to_thread(tuf_client.refresh, self.place, within_s=_WITHIN_S)


@asynccontextmanager
async def shop(vault: Vault) -> AsyncIterator[Shop]:
    """Open a shop while the context lasts."""
    base = vault.fresh("firmware")
    offered = FirmwareRepository(base / "lists")

    def make() -> None:
        offered.make(root_keys=2, threshold=2)
        offered.add_vendor("acme", None)
        offered.sign("acme", {LIST: _list(), "hems-0.2.0.whl": PACKAGE})
        offered.approve("acme")
        offered.publish()

    await asyncio.to_thread(make)
    folder = base / "lists" / "repository"

    async def handler(request: web.Request) -> web.StreamResponse:
        file = folder / request.match_info["path"].removeprefix("firmware/")
        return web.FileResponse(file) if file.is_file() else web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        context = server_context(vault.pki.identity("utility"), vault.pki.trust)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        root = base / "root.json"
        shutil.copy(offered.root_file, root)
        url = f"https://127.0.0.1:{runner.addresses[0][1]}/firmware"
        tls = secured(vault.pki.identity("hub"), vault.pki.trust)
        yield Shop(offered, folder, Place(url, root, base / "hub", tls), base)
    finally:
        await runner.cleanup()


Harm = Callable[[Shop], Awaitable[None]]


async def _tried(opened: Shop) -> Refreshed:
    """Look as the hub's own process does, which hands refusals on."""
    try:
        return await opened.look()
    except FirmwareError as error:
        return Refreshed(error=str(error), hostile=error.refused)


async def _kept(vault: Vault, opened: Shop, harm: Harm | None) -> str:
    """Have the hub look, and after the harm once more; returns which versions count then."""
    store = await open_store(opened.other / "hub.db", SystemClock())
    try:
        keeper = ListKeeper(
            store.settings,
            lambda: _tried(opened),
            SystemClock(),
            60.0,
            note=lambda event: vault.record.append(f"{event.kind}: {event.text}"),
        )
        await keeper.look()
        assert keeper.known.firmware, vault.record
        if harm is not None:
            await harm(opened)
            if harm is rolled_back:
                await keeper.look()
                await asyncio.to_thread(_put_back, opened)
            await keeper.look()
        counts = [f"{each.version} {each.state.value}" for each in keeper.known.firmware]
    finally:
        await store.close()
    assert not any("6.6.6" in each for each in counts), "what the attacker says counts"
    return f"what counts: {counts}"


def _attempt(harm: Harm) -> Callable[[Vault], Awaitable[str]]:
    async def attempt(vault: Vault) -> str:
        async with shop(vault) as opened:
            return await _kept(vault, opened, harm)

    return attempt


async def _rightly(vault: Vault) -> str:
    async with shop(vault) as opened:

        async def updated(opened: Shop) -> None:
            await asyncio.to_thread(opened.update)

        return await _kept(vault, opened, updated)


def _forge(file: Path, change: Callable[[dict[str, list[object]]], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


async def rolled_back(opened: Shop) -> None:
    """Say that a version must not run; `_put_back` then offers the lists of before."""
    await asyncio.to_thread(shutil.copytree, opened.folder, opened.other / "then")
    await asyncio.to_thread(opened.update, "1.4", State.UNTRUSTED)


def _put_back(opened: Shop) -> None:
    shutil.rmtree(opened.folder)
    shutil.copytree(opened.other / "then", opened.folder)


async def frozen(opened: Shop) -> None:
    """Offer the newest that there was, for ever."""
    past = FirmwareRepository(opened.other / "lists", datetime.now(UTC) - timedelta(days=8))
    await asyncio.to_thread(past.publish)


async def vendor_alone(opened: Shop) -> None:
    """Sign a list as the vendor, whose key was stolen."""
    opened.offered.sign("acme", {LIST: _list("6.6.6")})
    opened.offered.publish()


async def changed(opened: Shop) -> None:
    """Change a list at the server."""
    (stored,) = (opened.folder / "targets" / "vendors" / "acme").glob("*.json")
    stored.write_bytes(stored.read_bytes().replace(b"1.4", b"6.6.6"))


async def stranger(opened: Shop) -> None:
    """Sign with keys of one's own."""
    other = FirmwareRepository(opened.other / "other")
    other.make(root_keys=1, threshold=1)
    theirs = opened.other / "other" / "repository" / "metadata" / "timestamp.json"
    shutil.copy(theirs, opened.folder / "metadata" / "timestamp.json")


async def few(opened: Shop) -> None:
    """Offer new keys that one of the two who must sign has signed."""
    with opened.offered.edit_root():
        pass
    _forge(opened.folder / "metadata" / "2.root.json", lambda root: root["signatures"].pop())


async def mixed(opened: Shop) -> None:
    """Offer parts of two times together."""
    before = opened.folder / "metadata" / "2.vendor-acme.json"
    opened.update("1.5")
    shutil.copy(before, opened.folder / "metadata" / "3.vendor-acme.json")


async def cut(opened: Shop) -> None:
    """Cut the end of what is signed."""
    file = opened.folder / "metadata" / "timestamp.json"
    file.write_bytes(file.read_bytes()[:-40])


async def endless(opened: Shop) -> None:
    """Offer a file of 50 MB in the place of one of 500 octets."""
    (opened.folder / "metadata" / "timestamp.json").write_bytes(b"x" * 50_000_000)


async def impostor_vendor(opened: Shop) -> None:
    """As one vendor speak for another."""
    offered = opened.offered
    offered.add_vendor("other", None)
    offered.sign("other", {LIST: _list("6.6.6")})
    with offered.edit_targets("vendor-other") as targets:
        targets.targets["vendors/acme/" + LIST] = targets.targets["vendors/other/" + LIST]
    offered.approve("other")
    offered.publish()


_UNTRUSTED: Final = "^what counts: .*1.4 untrusted"
_STAYS: Final = "^what counts: .*1.4 latest"
ROWS: Final[Sequence[Attack[Vault]]] = [
    Attack(
        f"firmware-{id_}",
        Kind.FIRMWARE,
        does,
        _attempt(harm),
        defence,
        Entry(Where.RECORD, f"^firmware-refused: .*({says})"),
        _rightly,
        "^what counts: .*1.5 latest",
        deep=id_ != "rolled-back",
    )
    for id_, does, harm, defence, says in (
        (
            "rolled-back",
            "Offers the lists of before, whole and well signed",
            rolled_back,
            _UNTRUSTED,
            "older lists",
        ),
        (
            "frozen",
            "Offers the newest lists that there were, for ever",
            frozen,
            _STAYS,
            "nobody vouches",
        ),
        (
            "vendor-alone",
            "Offers a list that the vendor alone has signed",
            vendor_alone,
            _STAYS,
            "two different files",
        ),
        (
            "changed",
            "Changes a list at the server",
            changed,
            _STAYS,
            "not the one that was signed|longer than",
        ),
        ("stranger", "Offers lists signed by keys of its own", stranger, _STAYS, "too few"),
        ("few", "Offers new keys that too few have signed", few, _STAYS, "too few"),
        ("mixed", "Offers parts of two times together", mixed, _STAYS, ""),
        ("cut", "Cuts off the end of what is signed", cut, _STAYS, ""),
        ("endless", "Offers 50 MB in the place of 500 octets", endless, _STAYS, "longer than"),
        (
            "other-vendor",
            "Speaks, as one vendor, for another",
            impostor_vendor,
            _STAYS,
            "another vendor",
        ),
    )
]
