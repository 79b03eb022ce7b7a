"""Firmware lists over mutual TLS: what counts is signed by vendor and service provider, and new."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from certs.tls import SepContext
from hems.bulletin import LIST, Firmware, FirmwareList, Release, State
from hems.emg.firmware import tuf_client
from hems.emg.firmware.lists import Refreshed
from hems.emg.firmware.tuf_client import FirmwareError
from hems.emg.firmware.tuf_place import Place
from hems.headend.errors import HeadEndError
from hems.headend.firmware.repository import FirmwareRepository
from hems.headend.server import HeadEnd
from tests.hems.feeds.conftest import Operator, Serve

PACKAGE = b"PK\x03\x04 a package"
Look = Callable[[], Awaitable[Refreshed]]


def _list(version: str = "1.4", state: State = State.LATEST) -> bytes:
    entry = Firmware(manufacturer="Acme", model="Sun 5", version=version, state=state)
    package = Release(version="0.2.0", file="hems-0.2.0.whl", state=State.LATEST)
    listed = FirmwareList(vendor="acme", firmware=(entry,), releases=(package,))
    return listed.model_dump_json().encode()


@pytest.fixture
def offered(repository: FirmwareRepository) -> FirmwareRepository:
    """A repository with one vendor's list that both have signed."""
    repository.add_vendor("acme", None)
    repository.sign("acme", {LIST: _list(), "hems-0.2.0.whl": PACKAGE})
    repository.approve("acme")
    repository.publish()
    return repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a server of the tests' own takes its files from."""
    return tmp_path / "lists" / "repository"


@pytest.fixture
async def place(
    offered: FirmwareRepository, folder: Path, serve: Serve, tls: SepContext, tmp_path: Path
) -> Place:
    """A hub's place, at a server that can be turned hostile by changing its files."""

    async def handler(request: web.Request) -> web.StreamResponse:
        file = folder / request.match_info["path"].removeprefix("firmware/")
        return web.FileResponse(file) if file.is_file() else web.Response(status=404)

    root = tmp_path / "root.json"
    shutil.copy(offered.root_file, root)
    return Place(await serve(handler) + "/firmware", root, tmp_path / "hub", tls)


async def _look(place: Place, within_s: float = 20.0) -> Refreshed:
    return await asyncio.to_thread(tuf_client.refresh, place, within_s=within_s)


async def _refused(place: Place, why: str) -> None:
    with pytest.raises(FirmwareError, match=why) as caught:
        await _look(place)
    assert caught.value.refused


@pytest.mark.requirement("L2-FIRMWARE")
async def test_a_hub_reads_the_lists_of_its_head_end(
    offered: FirmwareRepository,
    head_end: HeadEnd,
    operator: Operator,
    tls: SepContext,
    tmp_path: Path,
) -> None:
    del operator  # it has entered the home
    url = head_end.addresses.base_url + "/firmware"
    place = Place(url, offered.root_file, tmp_path / "hub", tls)
    found = await _look(place)
    assert found.refused == ()
    assert [each.version for each in found.lists[0].firmware] == ["1.4"]
    offered.sign("acme", {LIST: _list("1.5")})
    offered.approve("acme")
    assert (await _look(place)).lists[0].firmware[0].version == "1.4"  # nothing was published
    offered.publish()
    assert (await _look(place)).lists[0].firmware[0].version == "1.5"


async def test_a_stranger_gets_no_lists(
    offered: FirmwareRepository,
    head_end: HeadEnd,
    stranger_tls: SepContext,
    tmp_path: Path,
) -> None:
    url = head_end.addresses.base_url + "/firmware"
    with pytest.raises(FirmwareError) as caught:
        await _look(Place(url, offered.root_file, tmp_path / "hub", stranger_tls))
    assert "403" in str(caught.value)


@pytest.mark.requirement("LC-PATCH")
async def test_a_package_is_fetched_when_both_have_signed_it(
    place: Place, offered: FirmwareRepository, folder: Path, tmp_path: Path
) -> None:
    into = tmp_path / "hems.whl"

    async def fetch() -> None:
        await asyncio.to_thread(
            tuf_client.fetch_release, place, "acme", "hems-0.2.0.whl", into, within_s=20.0
        )

    await fetch()
    assert into.read_bytes() == PACKAGE
    into.unlink()
    (stored,) = (folder / "targets" / "vendors" / "acme").glob("*.whl")
    stored.write_bytes(PACKAGE.replace(b"a", b"b"))
    with pytest.raises(FirmwareError, match="not the one that was signed"):
        await fetch()
    stored.write_bytes(PACKAGE)
    offered.sign("acme", {"hems-0.2.0.whl": PACKAGE + b" of the vendor alone"})
    offered.publish()
    with pytest.raises(FirmwareError, match="signed two different files"):
        await fetch()
    assert not into.exists()


@pytest.mark.requirement("L2-FIRMWARE")
async def test_the_vendor_alone_changes_nothing(place: Place, offered: FirmwareRepository) -> None:
    offered.sign("acme", {LIST: _list("6.6.6")})
    assert not offered.approved("acme")
    offered.publish()
    found = await _look(place)
    assert found.lists == ()
    assert found.refused[0].vendor == "acme"
    assert "two different files" in found.refused[0].why


async def test_the_service_provider_alone_changes_nothing(
    place: Place, offered: FirmwareRepository
) -> None:
    offered.add_vendor("other", None)
    with offered.edit_targets("approval") as targets:
        file = targets.targets["approved/acme/" + LIST]
        targets.targets["approved/other/" + LIST] = file
    offered.publish()
    found = await _look(place)
    assert [each.vendor for each in found.lists] == ["acme"]
    assert [(each.vendor, each.why) for each in found.refused] == [
        ("other", "its vendor has not signed it")
    ]


async def test_a_vendor_cannot_speak_for_another(place: Place, offered: FirmwareRepository) -> None:
    offered.add_vendor("other", None)
    offered.sign("other", {LIST: _list("6.6.6")})  # a list of acme's, under its own name
    with offered.edit_targets("vendor-other") as targets:
        file = targets.targets["vendors/other/" + LIST]
        targets.targets["vendors/acme/" + LIST] = file  # and under acme's
    offered.approve("other")
    offered.publish()
    found = await _look(place)
    assert [each.vendor for each in found.lists] == ["acme"]
    assert found.refused[0].why == "it is another vendor's list"


def _forge(file: Path, change: Callable[[dict[str, object]], None]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.requirement("L2-FIRMWARE")
async def test_older_lists_are_refused(
    place: Place, offered: FirmwareRepository, folder: Path, tmp_path: Path
) -> None:
    """Roll-back: all of it as it was, with the signatures of then."""
    shutil.copytree(folder, tmp_path / "then")
    offered.sign("acme", {LIST: _list(state=State.UNTRUSTED)})
    offered.approve("acme")
    offered.publish()
    assert (await _look(place)).lists[0].firmware[0].state is State.UNTRUSTED
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "then", folder)
    await _refused(place, "older lists than those that are known were offered")


async def test_lists_that_nobody_vouches_for_are_refused(
    place: Place, folder: Path, tmp_path: Path
) -> None:
    """Freeze: the newest that there was, for ever."""
    assert (await _look(place)).refused == ()
    past = FirmwareRepository(tmp_path / "lists", datetime.now(UTC) - timedelta(days=8))
    past.publish()
    assert (folder / "metadata" / "timestamp.json").exists()
    await _refused(place, "nobody vouches any more")


async def test_parts_of_two_times_do_not_go_together(
    place: Place, offered: FirmwareRepository, folder: Path
) -> None:
    """Mix and match: a file of before under the name of the one of now."""
    before = folder / "metadata" / "2.vendor-acme.json"
    offered.sign("acme", {LIST: _list("1.5")})
    offered.approve("acme")
    offered.publish()
    shutil.copy(before, folder / "metadata" / "3.vendor-acme.json")
    found = await _look(place)
    assert found.lists == ()
    assert len(found.refused) == 1


async def test_too_few_signatures_are_refused(
    place: Place, offered: FirmwareRepository, folder: Path
) -> None:
    """A new root that one of two keys has signed."""
    with offered.edit_root():
        pass
    _forge(folder / "metadata" / "2.root.json", lambda root: root["signatures"].pop())  # type: ignore[attr-defined]
    await _refused(place, "too few of those who must sign have signed")


async def test_a_strangers_key_signs_nothing(
    place: Place, offered: FirmwareRepository, folder: Path, tmp_path: Path
) -> None:
    other = FirmwareRepository(tmp_path / "other")
    other.make(root_keys=1, threshold=1)
    theirs = tmp_path / "other" / "repository" / "metadata" / "timestamp.json"
    shutil.copy(theirs, folder / "metadata" / "timestamp.json")
    await _refused(place, "too few of those who must sign have signed")
    key = offered.key_file("timestamp")
    shutil.copy(other.key_file("timestamp"), key)
    with pytest.raises(HeadEndError, match="is another key than role timestamp's"):
        offered.publish()


async def test_a_changed_list_is_refused(place: Place, folder: Path) -> None:
    (stored,) = (folder / "targets" / "vendors" / "acme").glob("*.json")
    stored.write_bytes(stored.read_bytes().replace(b"1.4", b"9.9"))
    found = await _look(place)
    assert found.lists == ()
    assert "not the one that was signed" in found.refused[0].why


@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.root.json"])
async def test_what_has_no_end_is_refused(
    place: Place, folder: Path, name: str, serve: Serve
) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        path = request.match_info["path"].removeprefix("firmware/")
        if not path.endswith(name):
            file = folder / path
            return web.FileResponse(file) if file.is_file() else web.Response(status=404)
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 50_000_000:
            await response.write(b"x" * 65536)
            await asyncio.sleep(0)  # lets the loop see that nobody is there any more
            sent += 65536
        return response

    hostile = Place(await serve(endless) + "/firmware", place.root, place.folder, place.context)
    await _refused(hostile, "longer than it may be")
    assert sent < 20_000_000


async def test_what_drips_is_ended_by_time(place: Place, serve: Serve) -> None:
    over = asyncio.Event()

    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not over.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    slow = Place(await serve(dripping) + "/firmware", place.root, place.folder, place.context)
    with pytest.raises(FirmwareError, match="takes too long") as caught:
        await _look(slow, within_s=1.0)
    over.set()
    assert not caught.value.refused


@pytest.mark.parametrize("cut", ["timestamp.json", "2.targets.json", "2.vendor-acme.json"])
async def test_what_is_cut_short_is_refused(place: Place, folder: Path, cut: str) -> None:
    found = sorted((folder / "metadata").glob(cut))
    for file in found:
        file.write_bytes(file.read_bytes()[:-40])
    assert found
    if cut.endswith("acme.json"):
        assert (await _look(place)).lists == ()
    else:
        await _refused(place, ".")


async def test_redirects_lead_nowhere(place: Place, serve: Serve) -> None:
    async def away(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://127.0.0.1:1/")

    moved = Place(await serve(away) + "/firmware", place.root, place.folder, place.context)
    with pytest.raises(FirmwareError, match="302"):
        await _look(moved)


async def test_another_servers_word_does_not_count(place: Place, tls: SepContext) -> None:
    """A name that the certificate does not carry."""
    url = place.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")
    with pytest.raises(FirmwareError):
        await _look(Place(url, place.root, place.folder, tls))


async def test_a_new_root_takes_the_place_of_the_old(
    place: Place, offered: FirmwareRepository
) -> None:
    """A key is changed: hubs follow from the root that they were given."""
    with offered.edit_root():
        pass
    offered.publish()
    found = await _look(place)
    assert found.refused == ()
    assert (await _look(place)).lists == found.lists
