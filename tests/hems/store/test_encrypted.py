"""The store as whoever gets at the disk sees it: nothing to read, nothing to change unnoticed."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.keys.sealing import FileBackend
from certs.keys.store import KeyStore
from hems.clock import SystemClock
from hems.sep2.book.ledger import EventRow
from hems.store.cipher import DRIVER, PAGE, Pages, Shape, StoreFile, StoreKey, opened, shape
from hems.store.errors import StoreCorruptError, StoreError, StoreKeyError
from hems.store.history import Sample
from hems.store.integrity import look_over
from hems.store.key_file import key_path, read_key
from hems.store.opening import meanwhile, openable, renew
from hems.store.people import PersonRow
from hems.store.store import Store, meanwhile_store, open_store
from tests.certs.keys.conftest import CHEAP
from tests.certs.keys.hardware import secret_file
from tests.hems.store.test_migration import first_revision
from tests.stored import execute, key_of

pytestmark = pytest.mark.requirement("L1-CRYPT", "PRV-CRYPT", "PRV-INTEGRITY")

CLOCK = SystemClock()
WORDS = ("Ada Lovelace of Elm Street", "garden-battery", "Held at the owner's wish")
EVENT = EventRow("0A", "s", "DERControl", "p", WORDS[2], 1, False, b"", 0, 0, 0, "received")


async def filled(path: Path, keys: KeyStore | None = None) -> None:
    """Make a store that remembers something in plain words."""
    store = await open_store(path, CLOCK, keys or KeyStore())
    await store.settings.put("name", WORDS[0])
    await store.history.append([Sample(float(n), WORDS[1], 1.5) for n in range(500)])
    await store.ledger.save([replace(EVENT, mrid=f"{n:02X}") for n in range(200)], [])
    await store.close()


async def remembered(store: Store) -> tuple[object, ...]:
    """Return all that `filled` wrote, as far as the store gives it."""
    try:
        return (
            dict(await store.settings.all()),
            list(await store.ledger.events()),
            [tuple(each.power_w) for each in await store.history.history(0, 500, 1)],
        )
    finally:
        await store.close()


async def content(path: Path, keys: KeyStore | None = None) -> tuple[object, ...]:
    return await remembered(await open_store(path, CLOCK, keys or KeyStore()))


def everything_of(path: Path) -> bytes:
    return path.read_bytes()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def replaced(path: Path) -> None:
    """Put a plain store in the place of another."""
    path.unlink()
    first_revision(path, responses=False)


def everything(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())


async def test_nothing_of_it_lies_plain_on_the_disk(path: Path) -> None:
    store = await open_store(path, CLOCK)
    await store.settings.put("name", WORDS[0])
    await store.history.append([Sample(0.0, WORDS[1], 1.5)])
    await store.ledger.save([EVENT], [])
    while_open = everything(path.parent)
    assert path.with_name("hems.db-wal").stat().st_size > PAGE
    await store.close()
    for found in (while_open, everything(path.parent)):
        assert b"SQLite format 3" not in found
        assert b"CREATE TABLE" not in found
        for each in WORDS:
            assert each.encode() not in found
    assert shape(path) is Shape.SEALED
    assert (await content(path))[0] == {"name": WORDS[0]}


async def test_two_stores_of_the_same_content_have_nothing_in_common(tmp_path: Path) -> None:
    for name in ("a", "b"):
        await filled(tmp_path / name)
    pages = [
        {content[i : i + 64] for i in range(0, len(content), 64)}
        for content in ((tmp_path / name).read_bytes() for name in ("a", "b"))
    ]
    assert not pages[0] & pages[1]


def plain(path: Path) -> Sequence[int]:
    """Make a store as it was before stores were encrypted; returns its files, open as they are."""
    first_revision(path, responses=True)
    with opened(StoreFile(path, None)) as store:
        store.execute("PRAGMA journal_mode=WAL").fetchall()
        store.execute("UPDATE events SET program_name = ?", (WORDS[0],))
        # As after a power cut: the last words are in the WAL only.
        shutil.copy(path, path.with_name("copy"))
        shutil.copy(path.with_name("hems.db-wal"), path.with_name("copy-wal"))
    path.with_name("copy").replace(path)
    path.with_name("copy-wal").replace(path.with_name("hems.db-wal"))
    return [os.open(each, os.O_RDONLY) for each in (path, path.with_name("hems.db-wal"))]


@pytest.mark.requirement("LC-CHANGE")
async def test_a_plain_store_is_encrypted_and_what_it_was_is_written_over(path: Path) -> None:
    before = plain(path)
    assert any(WORDS[0].encode() in os.pread(each, 1 << 20, 0) for each in before)
    store = await open_store(path, CLOCK)
    rows = await store.ledger.events()
    await store.close()
    assert [row.program_name for row in rows] == [WORDS[0]] * 2
    for each in before:
        left = os.pread(each, 1 << 20, 0)
        os.close(each)
        assert len(left) >= PAGE
        assert WORDS[0].encode() not in left
        assert b"SQLite format" not in left
    assert sorted(each.name for each in path.parent.iterdir()) == ["hems.db", "hems.db.key"]
    assert mode(path) == 0o600


@pytest.mark.requirement("LC-CHANGE")
async def test_a_plain_store_that_an_older_version_used_after_a_power_cut_is_encrypted(
    path: Path,
) -> None:
    """The cut came once SQLite had written the WAL back; the older version has made another."""
    for each in plain(path):
        os.close(each)
    path.with_name("hems.db.former-wal").write_bytes(WORDS[0].encode() * 100)
    store = await open_store(path, CLOCK)
    rows = await store.ledger.events()
    await store.close()
    assert [row.program_name for row in rows] == [WORDS[0]] * 2
    assert sorted(each.name for each in path.parent.iterdir()) == ["hems.db", "hems.db.key"]


class Steps:
    """Ends the process at the n-th thing that is done to the disk."""

    def __init__(self, last: int) -> None:
        self.left = last

    def before(self, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*given: object, **named: object) -> object:
            if self.left == 0:
                os._exit(7)
            self.left -= 1
            return call(*given, **named)

        return counted


def cut_at(step: int, work: Callable[[], object]) -> bool:
    """Do something in a process that ends at a step; returns whether it was done before that."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            from hems.store import changeover  # noqa: PLC0415 - this process's own

            steps = Steps(step)
            for name in ("overwrite", "seal_key", "sync", "opened", "_counts"):
                setattr(changeover, name, steps.before(getattr(changeover, name)))
            for name in ("replace", "hardlink_to", "unlink", "touch"):
                setattr(Path, name, steps.before(getattr(Path, name)))
            work()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 7), code
    return code == 0


@pytest.mark.requirement("LC-CHANGE")
@pytest.mark.parametrize("renewed", [False, True])
async def test_a_power_cut_at_any_step_loses_nothing(tmp_path: Path, *, renewed: bool) -> None:
    from hems.store.opening import make_ready  # noqa: PLC0415 - beside the others it hides `renew`

    first = tmp_path / "first" / "hems.db"
    first.parent.mkdir()
    if renewed:
        await filled(first)
        wanted = await content(first)
    else:
        for each in plain(first):
            os.close(each)
    for step in range(200):
        folder = tmp_path / str(step)
        shutil.copytree(first.parent, folder)
        path = folder / "hems.db"
        if renewed:
            done = cut_at(step, lambda path=path: renew(path, KeyStore()))  # type: ignore[misc]
        else:
            done = cut_at(step, lambda path=path: make_ready(path, KeyStore()))  # type: ignore[misc]
        store = await open_store(path, CLOCK)
        if renewed:
            assert await remembered(store) == wanted, step
        else:
            rows = await store.ledger.events()
            await store.close()
            assert [row.program_name for row in rows] == [WORDS[0]] * 2, step
        names = sorted(each.name for each in folder.iterdir())
        assert names == ["hems.db", "hems.db.key"], step
        assert shape(path) is Shape.SEALED
        if done:
            assert step > 10
            return
    pytest.fail("it never ends")


async def test_a_renewed_key_opens_the_store_and_the_former_does_not(path: Path) -> None:
    await filled(path)
    wanted, former = await content(path), key_of(path)
    renew(path, KeyStore())
    assert key_of(path) != former
    assert await content(path) == wanted
    with pytest.raises(Exception, match="not a database"), opened(StoreFile(path, former)) as store:
        store.execute("SELECT * FROM settings")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store that is copied, changed and read."""
    folder = tmp_path_factory.mktemp("whole")
    asyncio.run(filled(folder / "hems.db"))
    return folder


_read: dict[Path, tuple[object, ...]] = {}


async def _written(whole: Path) -> tuple[object, ...]:
    """Return what the unchanged store holds; read once, from a copy."""
    if whole not in _read:
        copy = whole.with_name(f"{whole.name}-read")
        shutil.copytree(whole, copy)
        _read[whole] = await content(copy / "hems.db")
        shutil.rmtree(copy)
    return _read[whole]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255), length=st.integers(1, 5000))
async def test_what_was_changed_anywhere_is_told_or_of_no_account(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, at: float, by: int, length: int
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    path = folder / "hems.db"
    changed = bytearray(path.read_bytes())
    first = int(at * len(changed))
    for place in range(first, min(first + length, len(changed))):
        changed[place] ^= by
    path.write_bytes(changed)
    key = key_of(path)
    with pytest.raises(StoreCorruptError, match="page"):
        await look_over(StoreFile(path, key), again_s=0.0)
    try:
        assert await content(path) == await _written(whole)
    except StoreCorruptError:
        pass
    else:
        assert path.read_bytes()[:16] == whole.joinpath("hems.db").read_bytes()[:16]
    shutil.rmtree(folder)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255))))
async def test_pages_are_judged_as_sqlcipher_judges_them(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int]]
) -> None:
    path = tmp_path_factory.mktemp("judged") / "hems.db"
    content = bytearray((whole / "hems.db").read_bytes())
    for at, by in changes:
        content[PAGE + int(at * (len(content) - PAGE))] ^= by  # the first page must open
    path.write_bytes(content)
    key = read_key(whole / "hems.db", KeyStore())
    pages = Pages(key)
    ours = [
        number
        for number in range(1, len(content) // PAGE + 1)
        if not pages.genuine(number, bytes(content[(number - 1) * PAGE : number * PAGE]))
    ]
    with closing(DRIVER.connect(str(path))) as store:  # `opened` would read the tables' names
        store.execute("PRAGMA cipher_log_level=NONE")
        store.execute(f'PRAGMA key="{key.literal}"')
        told = store.execute("PRAGMA cipher_integrity_check").fetchall()
    assert [f"HMAC verification failed for page {number}" for number in ours] == [
        text for (text,) in told
    ]


async def test_pages_that_change_places_are_told(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "hems.db"
    content = path.read_bytes()
    pages = [content[i : i + PAGE] for i in range(0, len(content), PAGE)]
    pages[3], pages[4] = pages[4], pages[3]
    path.write_bytes(b"".join(pages))
    with pytest.raises(StoreCorruptError, match="page 4"):
        await look_over(StoreFile(path, key_of(path)), again_s=0.0)


async def test_a_store_in_use_is_looked_over_and_found_whole(path: Path) -> None:
    store = await open_store(path, CLOCK)
    for at in range(0, 40_000, 1000):
        await store.history.append([Sample(float(at + n), f"d{n % 7}", 1.0) for n in range(1000)])
        if at % 10_000 == 0:
            await store.history.prune(float(at))
            await store.look_over()
    assert await store.look_over() > 10
    await store.close()
    assert await look_over(StoreFile(path, key_of(path))) * PAGE == len(everything_of(path))


def missing(path: Path, keys: Path) -> None:
    key_path(path).unlink()
    del keys


def another_s(path: Path, keys: Path) -> None:
    other = key_path(path)
    other.unlink()
    KeyStore().seal(other, StoreKey.make().packed)
    del keys


def damaged(path: Path, keys: Path) -> None:
    key_path(path).write_text("garbage")
    del keys


def no_secret(path: Path, keys: Path) -> None:
    del path
    (keys / "secret").unlink()


def wrong_secret(path: Path, keys: Path) -> None:
    del path
    (keys / "secret").write_text("close, sesame: 18 thieves")


def readable(path: Path, keys: Path) -> None:
    key_path(path).chmod(0o644)
    del keys


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (missing, "hems.db.key is missing"),
        (another_s, "belongs to another file"),
        (damaged, "damaged"),
        (no_secret, "cannot be read"),
        (wrong_secret, "not the one"),
        (readable, "others than its owner"),
    ],
)
async def test_a_key_that_cannot_be_had_is_no_damage(
    tmp_path: Path, spoil: Callable[[Path, Path], None], said: str
) -> None:
    """The store is left as it is; another is used meanwhile, of which nobody has the key."""
    (tmp_path / "keys").mkdir()
    keys = KeyStore(FileBackend(secret_file(tmp_path / "keys", "open, sesame: 17 thieves"), CHEAP))
    path = tmp_path / "home" / "hems.db"
    await filled(path, keys)
    wanted = await content(path, keys)
    assert openable(path, keys)
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "home", kept)
    before = path.read_bytes()
    spoil(path, tmp_path / "keys")
    if said == "belongs to another file":
        keys = KeyStore()
    with pytest.raises(StoreKeyError, match=said):
        await open_store(path, CLOCK, keys)
    assert not openable(path, keys)
    store = meanwhile_store(path, CLOCK)
    assert await store.settings.all() == {}
    await store.settings.put("name", WORDS[0])
    assert await store.settings.all() == {"name": WORDS[0]}
    assert (await store.file()).path == meanwhile(path)
    await store.close()
    assert WORDS[0].encode() not in everything(path.parent)
    again = meanwhile_store(path, CLOCK)
    assert await again.settings.all() == {}, "nobody has the key of the one before"
    await again.close()
    assert path.read_bytes() == before
    shutil.rmtree(tmp_path / "home")
    shutil.copytree(kept, tmp_path / "home")
    secret_file(tmp_path / "keys", "open, sesame: 17 thieves")
    keys = KeyStore(FileBackend(secret_file(tmp_path / "keys", "open, sesame: 17 thieves"), CHEAP))
    assert openable(path, keys)
    assert await content(path, keys) == wanted
    assert not meanwhile(path).exists()


async def test_a_plain_file_in_the_place_of_an_encrypted_one_is_not_believed(path: Path) -> None:
    """Or whoever can write there would be the home's owner."""
    await filled(path)
    replaced(path)
    with pytest.raises(StoreCorruptError, match="was encrypted, and what is there now is not"):
        await open_store(path, CLOCK)


async def test_another_home_s_store_is_not_taken_for_this_one_s(tmp_path: Path) -> None:
    for name in ("a", "b"):
        await filled(tmp_path / name)
    (tmp_path / "b").replace(tmp_path / "a")
    with pytest.raises(StoreKeyError, match="belongs to another file"):
        await open_store(tmp_path / "a", CLOCK)


async def test_a_key_that_was_plain_is_held_by_the_store_that_is_configured_since(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hems.db"
    await filled(path)
    wanted = await content(path)
    secret = key_of(path)
    assert secret is not None
    (tmp_path / "keys").mkdir()
    keys = KeyStore(FileBackend(secret_file(tmp_path / "keys", "open, sesame: 17 thieves"), CHEAP))
    assert await content(path, keys) == wanted
    assert keys.held(key_path(path)) is keys.keeps
    assert read_key(path, keys) == secret
    with pytest.raises(StoreKeyError, match="held otherwise"):
        await open_store(path, CLOCK)


async def test_neither_key_nor_file_says_the_key_when_it_is_printed(path: Path) -> None:
    await filled(path)
    key = key_of(path)
    assert key is not None
    for text in (repr(key), str(key), repr(StoreFile(path, key))):
        assert key.secret.hex() not in text
        assert repr(key.secret) not in text


async def test_an_account_can_be_read_by_who_has_the_key_alone(path: Path) -> None:
    store = await open_store(path, CLOCK)
    person = PersonRow(0, WORDS[0], "ada", "owner", "", 0.0, None)
    await store.people.add_person(person, "password", "its hash")
    await store.close()
    assert execute(path, "SELECT name FROM people") == [(WORDS[0],)]
    with pytest.raises(StoreError):
        await open_store(path.with_name("hems.db.key"), CLOCK)
