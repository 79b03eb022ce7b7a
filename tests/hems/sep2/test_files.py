"""Which file is meant for this device; fetching it over cuts, restarts and full disks."""

import asyncio
import ssl
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from certs.pki import Pki
from hems.sep2 import resources as res
from hems.sep2.enddevice.download import Download, FileError, StorageError, Store
from hems.sep2.enddevice.files import Target, choose, version_key
from hems.sep2.enddevice.loader import FileLoader, FileWish, Loaded, State
from hems.sep2.errors import RedirectError, TransientError
from hems.sep2.rules.dialect import Dialect
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles
from tests.faults.disk import fill, small_disk
from tests.hems.sep2.kept_up import LFDI, RNG, assert_valid, running, transport_to
from tests.hems.sep2.utility import Utility

pytestmark = [pytest.mark.requirement("PRO-2030.5")]

DATA = bytes(range(256)) * 8
FILE = res.File(
    href="/file/1", file_uri="/blob/1", mf_id=7, mf_model="Hub", mf_ver="2", size=2048, type=0
)
TARGET = Target(LFDI, 7, "Hub", "S1", "H1", "1")


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize(
    ("change", "meant"),
    [
        ({}, True),
        ({"mf_id": 8}, False),
        ({"mf_model": "Other"}, False),
        ({"mf_ver": "1"}, False),
        ({"type": 2}, False),
        ({"lfdi": LFDI.lower()}, True),
        ({"lfdi": "B" * 40}, False),
        ({"mf_ser_num": "S1"}, True),
        ({"mf_ser_num": "S2"}, False),
        ({"mf_hw_ver": "H2"}, False),
    ],
)
def test_a_file_for_another_device_is_left_alone(change: dict[str, object], meant: bool) -> None:
    file = replace(FILE, **change)  # type: ignore[arg-type]
    assert choose([file], TARGET) == (file if meant else None)


def test_the_nearest_then_the_last_to_activate_then_the_highest_version_is_chosen() -> None:
    old, new = replace(FILE, mf_ver="1.9"), replace(FILE, mf_ver="1.10")
    assert choose([new, old], TARGET) == new
    timed = replace(old, activate_time=5)
    assert choose([new, timed, old], TARGET) == timed
    own = replace(old, lfdi=LFDI)
    assert choose([timed, own, new], TARGET) == own
    assert version_key("v1.9-rc2") < version_key("v1.10")


async def good(_path: Path, _file: res.File) -> None:
    """Find every file good."""


async def bad(path: Path, _file: res.File) -> None:
    raise FileError(f"{path.name}: the signature is wrong")


async def silent(_octets: int) -> None:
    """Hear how far it got."""


def a_store(tmp_path: Path, **changes: int) -> Store:
    return Store(tmp_path / "files", **{"piece": 1000, **changes})


def a_utility(data: bytes = DATA) -> Utility:
    utility = Utility(LFDI, 1)
    utility.files["/blob/1"] = data
    return utility


async def fetched(transport: Transport, store: Store, file: res.File = FILE) -> Path:
    download = Download(transport, file, store, good)
    await download.fetch(silent)
    return await download.finish()


async def test_a_file_comes_in_pieces(context: ssl.SSLContext, pki: Pki, tmp_path: Path) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        path = await fetched(transport, a_store(tmp_path))
    assert await asyncio.to_thread(path.read_bytes) == DATA
    assert [wanted for _, wanted in utility.ranges] == [
        "bytes=0-999",
        "bytes=1000-1999",
        "bytes=2000-2047",
    ]
    assert [p.name for p in path.parent.iterdir()] == [path.name], "nothing else is left"


async def test_a_cut_or_a_restart_goes_on_where_it_was(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    utility = a_utility()
    utility.cut_files = [None, 10]
    async with transport_to(utility, context, pki) as transport:
        download = Download(transport, FILE, a_store(tmp_path), good)
        with pytest.raises(TransientError):
            await download.fetch(silent)
        path = await fetched(transport, a_store(tmp_path))
    assert await asyncio.to_thread(path.read_bytes) == DATA
    assert [wanted for _, wanted in utility.ranges].count("bytes=0-999") == 1


async def test_a_server_without_ranges_gives_the_whole(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    utility = a_utility()
    utility.whole_files = True
    async with transport_to(utility, context, pki) as transport:
        path = await fetched(transport, a_store(tmp_path))
    assert await asyncio.to_thread(path.read_bytes) == DATA
    assert len(utility.ranges) == 1


async def test_a_file_that_changes_under_way_is_not_pieced_together(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        download = Download(transport, FILE, a_store(tmp_path), good)

        async def change(octets: int) -> None:
            if octets == 1000:
                utility.files["/blob/1"] = DATA[::-1]

        await download.fetch(change)
        path = await download.finish()
    assert await asyncio.to_thread(path.read_bytes) == DATA[::-1]


@pytest.mark.parametrize(("length", "said"), [(2047, "2047 octets, not 2048"), (4096, "4096")])
async def test_a_file_of_another_length_is_refused(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path, length: int, said: str
) -> None:
    utility = a_utility((DATA * 2)[:length])
    async with transport_to(utility, context, pki) as transport:
        with pytest.raises(FileError, match=said):
            await fetched(transport, a_store(tmp_path))
    assert not list((tmp_path / "files").iterdir())


async def test_a_server_that_gives_more_than_it_was_asked_for_is_refused(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    utility = a_utility(DATA * 2)
    utility.more_octets = 1500
    async with transport_to(utility, context, pki) as transport:
        with pytest.raises(FileError, match="more came than its 2048 octets"):
            await fetched(transport, a_store(tmp_path))
    assert not list((tmp_path / "files").iterdir())


@pytest.mark.parametrize("size", [0, 3000])
async def test_a_file_out_of_bounds_is_not_begun(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path, size: int
) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        with pytest.raises(FileError, match=f"{size} octets; 1 to 2500"):
            await fetched(transport, a_store(tmp_path, most=2500), replace(FILE, size=size))
    assert not utility.ranges


async def test_a_file_elsewhere_is_not_fetched(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    async with transport_to(a_utility(), context, pki) as transport:
        away = replace(FILE, file_uri="https://elsewhere.example/blob")
        with pytest.raises(RedirectError, match=r"elsewhere\.example"):
            await fetched(transport, a_store(tmp_path), away)


async def test_a_file_that_is_not_good_is_thrown_away(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    async with transport_to(a_utility(), context, pki) as transport:
        download = Download(transport, FILE, a_store(tmp_path), bad)
        await download.fetch(silent)
        with pytest.raises(FileError, match="signature"):
            await download.finish()
    assert not list((tmp_path / "files").iterdir())


async def test_a_disk_that_fills_up_is_one_clear_error_and_goes_on_later(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    fillers: list[Path] = []

    async def full(octets: int) -> None:
        if octets == 1000 and not fillers:
            fillers.append(await asyncio.to_thread(fill, tmp_path / "disk"))

    utility = a_utility(DATA * 8)
    file, store = replace(FILE, size=len(DATA) * 8), a_store(tmp_path / "disk", piece=1000)
    with small_disk(tmp_path / "disk"):
        async with transport_to(utility, context, pki) as transport:
            download = Download(transport, file, store, good)
            with pytest.raises(StorageError, match="the disk is full"):
                await download.fetch(full)
            with pytest.raises(StorageError, match="the disk is full"):
                await fetched(transport, store, file)
            fillers[0].unlink()
            path = await fetched(transport, store, file)
            assert await asyncio.to_thread(path.read_bytes) == DATA * 8


async def test_a_folder_that_cannot_be_written_is_one_clear_error(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    (tmp_path / "files").write_text("a file is in the way")
    async with transport_to(a_utility(), context, pki) as transport:
        with pytest.raises(StorageError, match="files") as caught:
            await fetched(transport, a_store(tmp_path))
    assert "\n" not in str(caught.value)


class Loading:
    """A loader at work."""

    def __init__(self, transport: Transport, tmp_path: Path, *, verify: object = good) -> None:
        self.loaded: list[Loaded] = []
        wish = FileWish(TARGET, a_store(tmp_path), verify, self.loaded.append)  # type: ignore[arg-type]
        self.loader = FileLoader(wish, transport, lambda: 1000.0, RNG, Troubles(), longest_s=0.05)
        place = res.Link(href="/edev/1/fs")
        self.loader.use(
            res.EndDevice(href="/edev/1", sfdi=1, changed_time=0, file_status_link=place)
        )


def listed(*files: res.File) -> res.FileList:
    return res.FileList(all=len(files), results=len(files), file=files)


def states(utility: Utility) -> list[int]:
    found = [r.status for _, path, r in utility.got if isinstance(r, res.FileStatus)]
    return [s for i, s in enumerate(found) if i == 0 or found[i - 1] != s]


@pytest.mark.parametrize("dialect", list(Dialect))
async def test_the_status_goes_through_its_states(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path, dialect: Dialect
) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki, dialect) as transport:
        loading = Loading(transport, tmp_path)
        async with running(loading.loader.run()):
            loading.loader.offered(listed(replace(FILE, activate_time=77)))
            await utility.until(lambda: states(utility)[-1:] == [State.WAITING])
            await loading.loader.tell(State.ACTIVE)
    assert states(utility) == [State.LOADING, State.VERIFYING, State.WAITING, State.ACTIVE]
    told = [r for _, _, r in utility.got if isinstance(r, res.FileStatus)]
    assert [t.load_percent for t in told[:4]] == [0, 48, 97, 100]
    assert all(t.activate_time == 77 and t.status_time == 1000 for t in told)
    assert told[-1].file_link == res.Link(href="/file/1")
    (loaded,) = loading.loaded
    assert loaded.path.read_bytes() == DATA
    assert_valid(utility, dialect)


async def test_failures_are_counted_and_tried_again(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    utility = a_utility()
    utility.cut_files = [10, None]
    utility.faults["GET /blob/1"] = [503]
    async with transport_to(utility, context, pki) as transport:
        loading = Loading(transport, tmp_path)
        async with running(loading.loader.run()):
            loading.loader.offered(listed(FILE))
            await utility.until(lambda: states(utility)[-1:] == [State.WAITING])
    told = [r for _, _, r in utility.got if isinstance(r, res.FileStatus)]
    assert (told[-1].request503_count, told[-1].request_fail_count) == (1, 1)


async def test_a_file_that_is_not_good_is_told_and_not_tried_at_once(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        loading = Loading(transport, tmp_path, verify=bad)
        async with running(loading.loader.run()):
            loading.loader.offered(listed(FILE))
            await utility.until(lambda: states(utility)[-1:] == [State.NOT_GOOD])
            pieces = len(utility.ranges)
            other = replace(FILE, href="/file/2", mf_ver="3")
            loading.loader.offered(listed(FILE, other))
            await utility.until(lambda: len(utility.ranges) == 2 * pieces)
    assert not loading.loaded


async def test_a_file_that_is_here_is_not_fetched_again_after_a_restart(
    context: ssl.SSLContext, pki: Pki, tmp_path: Path
) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        for run in (1, 2):
            loading = Loading(transport, tmp_path)
            async with running(loading.loader.run()):
                loading.loader.offered(listed(FILE))
                await utility.until(partial(waits, utility, run))
    assert len(utility.ranges) == 3


def waits(utility: Utility, runs: int) -> bool:
    """Whether the file was told to wait for its activation so many times."""
    told = [r for _, _, r in utility.got if isinstance(r, res.FileStatus)]
    return len([t for t in told if t.status == State.WAITING]) == runs
