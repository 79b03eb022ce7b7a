"""A backup of a real store, damaged, restored, given back; with the power gone in between."""

import contextlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.keys.errors import KeyStoreError
from certs.keys.sealing import FileBackend
from certs.keys.secret import Cost as Guess
from certs.keys.store import KeyStore
from hems.access.access import access
from hems.access.consent_rules import ConsentPurpose
from hems.access.consents import NewConsent
from hems.access.passwords import Hasher
from hems.access.people import NewPerson
from hems.access.proofs import Place
from hems.access.rights import HERE, Right, Role
from hems.access.tokens import NewToken
from hems.archive import swap, unpack
from hems.archive.backup import make_backup
from hems.archive.belongings import Belongings
from hems.archive.desk import stage
from hems.archive.errors import ArchiveError, NewerError
from hems.archive.sealed import Cost, Sealer
from hems.clock import SystemClock
from hems.store.cipher import Error, Shape, StoreFile, opened, shape
from hems.store.schema import REVISIONS
from hems.store.store import open_store
from hems.store.visibility import GrantRow
from tests.certs.keys.hardware import secret_file
from tests.hems.store.test_released_schemas import everything, released, still_there
from tests.stored import execute, key_of

WORDS = "correct horse battery"
CHEAP = Cost(memory_kib=64, passes=1)
GUESS = Guess(memory_kib=64, passes=1)
NOW = 1_780_000_000.0


def of(folder: Path) -> Belongings:
    names = ("settings.toml", "devices.toml", "identity/hub.key")  # that one is in a folder, too
    files = tuple(folder / name for name in names)
    return Belongings(folder, folder / "hems.db", files, (folder / "identity",))


async def home(folder: Path, said: str) -> Belongings:
    """Return a home with a real store that remembers something."""
    folder.mkdir()  # noqa: ASYNC240 - a test may block
    (folder / "settings.toml").write_text(f'[home]\nname = "{said}"\n')
    (folder / "identity").mkdir()
    (folder / "identity" / "hub.key").write_text(said)
    store = await open_store(folder / "hems.db", SystemClock())
    await store.settings.put("said", said)
    await store.close()
    return of(folder)


async def said(folder: Path) -> str:
    store = await open_store(folder / "hems.db", SystemClock())
    try:
        return (await store.settings.all())["said"]
    finally:
        await store.close()


def backup(belongings: Belongings, target: Path) -> Path:
    make_backup(target, WORDS, belongings, "Home", NOW, cost=CHEAP)
    return target


def tree(folder: Path) -> Mapping[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if swap.FOLDER not in path.parts
    }


def in_place(folder: Path) -> Path:
    return folder.parent.parent.parent / "hems.db"


@pytest.mark.requirement("LC-CHANGE")
async def test_a_home_moves_to_another_hub(tmp_path: Path) -> None:
    file = backup(await home(tmp_path / "old", "old"), tmp_path / "b")
    new = tmp_path / "new"
    new.mkdir()
    manifest = stage(file, WORDS, of(new), in_place)
    assert swap.resume(new) is not None
    assert manifest.files == ("settings.toml", "identity/hub.key"), "each once"
    assert await said(new) == "old"
    assert (new / "identity" / "hub.key").read_text() == "old"
    assert (new / "hems.db").stat().st_mode & 0o777 == 0o600
    swap.confirm(new)
    assert not (new / swap.FOLDER).exists()


@pytest.mark.requirement("LC-CHANGE")
async def test_who_was_logged_in_when_a_backup_was_made_is_not_by_restoring_it(
    tmp_path: Path,
) -> None:
    """A phone that was stolen, and logged out since, must not be let in again; nor a program."""
    old = await home(tmp_path / "old", "old")
    clock = SystemClock()
    store = await open_store(old.store, clock)
    rights = access(store.people, store.trail, tmp_path / "code", clock, Hasher(1, 64))
    await rights.ready()
    ada = await rights.people.first(NewPerson("Ada", Role.OWNER, "a password of hers"))
    token, _ = await rights.logins.open(ada, Place("192.0.2.1"))
    company = await rights.people.add(NewPerson("Sunny", Role.PROVIDER, "a password of theirs"))
    program, _ = await rights.tokens.make(NewToken("display", Role.HOUSEHOLD), HERE)
    allowed, until = frozenset({Right.STEER}), clock.now() + 86_400.0
    managed = ConsentPurpose.ENERGY_MANAGEMENT
    await rights.consents.grant(NewConsent(company.id, managed, allowed, until), HERE)
    assert rights.who(company).may(Right.STEER)
    await store.visibility.grant(
        GrantRow(0, "AB" * 20, "Grid", "settlement", ("energy",), clock.now(), until, None)
    )
    await store.close()
    new = tmp_path / "new"
    new.mkdir()
    stage(backup(old, tmp_path / "b"), WORDS, of(new), in_place)
    swap.resume(new)
    store = await open_store(new / "hems.db", clock)
    restored = access(store.people, store.trail, tmp_path / "code", clock, Hasher(1, 64))
    await restored.ready()
    assert [person.name for person in restored.people.all()] == ["Ada", "Sunny"]
    assert restored.logins.by_token(token) is None
    assert restored.tokens.by_token(program) is None
    assert not restored.who(restored.people.all()[1]).may(Right.STEER)
    assert [each.withdrawn_at for each in restored.consents.all()] == [NOW]
    assert [each.withdrawn_at for each in await store.visibility.grants()] == [NOW]
    assert (await restored.logins.log_in("Ada", "a password of hers", Place("::1")))[0] != token
    await store.close()


def first_form(belongings: Belongings, target: Path) -> Path:
    """Make a backup as it was before stores were encrypted."""
    manifest = {
        "format": 1,
        "made_at": NOW,
        "software": "0.1",
        "home": "Home",
        "files": ["settings.toml"],
    }
    plain = target.with_name("plain.db")
    file = StoreFile(belongings.store, key_of(belongings.store))
    with opened(file) as source:
        source.execute("ATTACH DATABASE ? AS plain KEY ''", (str(plain),))
        source.execute("SELECT sqlcipher_export('plain')").fetchall()
    with target.open("wb") as out:
        sealer = Sealer(out, WORDS, CHEAP)
        with tarfile.open(fileobj=sealer, mode="w|gz") as tar:
            for name, content in (
                ("manifest.json", json.dumps(manifest).encode()),
                ("store", plain.read_bytes()),
                ("files/settings.toml", (belongings.folder / "settings.toml").read_bytes()),
            ):
                about = tarfile.TarInfo(name)
                about.size = len(content)
                tar.addfile(about, io.BytesIO(content))
        sealer.close()
    assert b"sessions" in plain.read_bytes()
    return target


@pytest.mark.requirement("LC-CHANGE", "L1-CRYPT")
async def test_a_backup_of_before_stores_were_encrypted_is_encrypted(tmp_path: Path) -> None:
    file = first_form(await home(tmp_path / "old", "old"), tmp_path / "b")
    new = tmp_path / "new"
    new.mkdir()
    stage(file, WORDS, of(new), in_place)
    assert b"CREATE TABLE" not in b"".join(tree(new).values())
    swap.resume(new)
    assert await said(new) == "old"
    assert shape(new / "hems.db") is Shape.SEALED


@pytest.mark.requirement("LC-CHANGE")
@pytest.mark.parametrize("revision", ["0001", "0005", REVISIONS[-2]])
async def test_a_backup_of_an_older_schema_is_brought_to_the_present_one(
    tmp_path: Path, revision: str
) -> None:
    """As a home on an older version made it, encrypted; the new hub's key store is another."""
    old, new = tmp_path / "old", tmp_path / "new"
    await home(old, "old")
    for file in old.glob("hems.db*"):
        file.unlink()
    released(old / "hems.db", revision, sealed=True)
    before = everything(old / "hems.db")
    file = backup(of(old), tmp_path / "b")
    new.mkdir()
    stage(file, WORDS, of(new), in_place)
    swap.resume(new)
    store = await open_store(new / "hems.db", SystemClock())
    await store.close()
    gone = {"sessions", "tokens"}  # nobody is let in by a backup
    kept = {table: rows for table, rows in before.items() if table not in gone}
    still_there(new / "hems.db", kept)


@pytest.mark.requirement("PRV-RBAC", "LC-CHANGE")
def test_what_was_granted_before_grants_could_be_withdrawn_ends_with_the_backup(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hems.db"
    released(path, "0005", sealed=True)
    execute(path, "UPDATE grants SET until = 9e9 WHERE id = 1")
    unpack.let_nobody_in(path, NOW)
    assert execute(path, "SELECT id, until FROM grants") == [(1, NOW), (2, 2.5), (3, 3.5)]


@pytest.mark.requirement("L1-CRYPT")
async def test_a_backup_s_store_has_a_key_of_its_own_and_goes_to_any_key_store(
    tmp_path: Path,
) -> None:
    """From a machine whose key store is lost to one with another."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    theirs = KeyStore(FileBackend(secret_file(tmp_path / "theirs", "17 thieves or more"), GUESS))
    ours = KeyStore(FileBackend(secret_file(tmp_path / "ours", "18 thieves or more"), GUESS))
    old = await home(tmp_path / "old", "old")
    assert theirs.move(old.store_key)
    present = theirs.unseal(old.store_key)
    make_backup(tmp_path / "b", WORDS, old, "Home", NOW, keys=theirs, cost=CHEAP)
    with pytest.raises(ArchiveError, match="not the one"):
        make_backup(tmp_path / "c", WORDS, old, "Home", NOW, keys=ours, cost=CHEAP)
    assert not (tmp_path / "c").exists()
    new = tmp_path / "new"
    new.mkdir()
    stage(tmp_path / "b", WORDS, of(new), in_place)
    swap.resume(new)
    store = await open_store(new / "hems.db", SystemClock(), ours)
    assert (await store.settings.all())["said"] == "old"
    await store.close()
    assert ours.unseal(new / "hems.db.key") != present
    with pytest.raises(KeyStoreError, match="held otherwise"):
        KeyStore().unseal(new / "hems.db.key")


async def test_the_store_is_copied_while_it_is_written(tmp_path: Path) -> None:
    belongings = await home(tmp_path / "h", "before")
    store = await open_store(belongings.store, SystemClock())
    await store.settings.put("said", "not yet in the file itself")
    file = backup(belongings, tmp_path / "b")
    await store.close()
    unpack.unpack(file, WORDS, tmp_path / "out")
    for name in ("", ".key"):
        (tmp_path / "out" / f"store{name}").rename(tmp_path / "out" / f"hems.db{name}")
    assert await said(tmp_path / "out") == "not yet in the file itself"


async def test_the_former_home_comes_back_where_the_new_one_does_not_run(tmp_path: Path) -> None:
    file = backup(await home(tmp_path / "old", "old"), tmp_path / "b")
    present = await home(tmp_path / "now", "now")
    (present.folder / "devices.toml").write_text("# only here\n")
    before = tree(present.folder)
    stage(file, WORDS, present, in_place)
    swap.resume(present.folder)
    assert await said(present.folder) == "old"
    assert not (present.folder / "devices.toml").exists(), "the backup had none"
    assert swap.give_up(present.folder)
    assert tree(present.folder) == before
    assert not swap.give_up(present.folder), "there is nothing more to put back"


class PowerCutError(Exception):
    """The power goes."""


@pytest.mark.parametrize("back", [False, True])
async def test_a_power_cut_between_any_two_steps_is_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, back: bool
) -> None:
    file = backup(await home(tmp_path / "old", "old"), tmp_path / "b")
    present = await home(tmp_path / "now", "now")
    stage(file, WORDS, present, in_place)
    wanted = tree(present.folder)
    if back:
        swap.resume(present.folder)
    folder, real, steps = present.folder, swap._rename, 0

    def cut(path: Path, target: Path) -> None:
        nonlocal steps
        steps += 1
        if steps == 1:
            real(path, target)
            return
        raise PowerCutError

    monkeypatch.setattr(swap, "_rename", cut)
    for _ in range(40):
        steps = 0
        try:
            if back:
                swap.give_up(folder)
                swap.resume(folder)
            else:
                swap.resume(folder)
            break
        except PowerCutError:
            continue
    else:
        pytest.fail("it never ends")
    monkeypatch.undo()
    assert await said(folder) == ("now" if back else "old")
    if back:
        assert set(tree(folder)) == set(wanted)


@pytest.mark.requirement("L1-CRYPT")
async def test_a_power_cut_while_a_backup_is_made_leaves_no_key_beside_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backups are made on sticks, which get lost."""
    belongings = await home(tmp_path / "h", "old")
    stick = tmp_path / "stick"
    stick.mkdir()
    monkeypatch.setattr(
        tempfile,
        "TemporaryDirectory",
        lambda **where: contextlib.nullcontext(tempfile.mkdtemp(**where)),
    )
    backup(belongings, stick / "b").unlink()
    left = [path for path in stick.rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["store"]
    assert shape(left[0]) is Shape.SEALED
    with pytest.raises(Error), opened(StoreFile(left[0], key_of(belongings.store))) as copy:
        copy.execute("SELECT * FROM settings")


@pytest.mark.requirement("L1-CRYPT")
async def test_what_is_not_restored_after_all_leaves_no_open_key(tmp_path: Path) -> None:
    """Its second name is what an old cell of the disk would be."""
    file = backup(await home(tmp_path / "old", "old"), tmp_path / "b")
    present = await home(tmp_path / "now", "now")
    cell = tmp_path / "cell"

    def refuse(folder: Path) -> Path:
        cell.hardlink_to(folder.parent / "store.key")
        assert b"HEMS PLAIN SECRET" in cell.read_bytes()
        raise ArchiveError("its settings cannot be used")

    with pytest.raises(ArchiveError, match="cannot be used"):
        stage(file, WORDS, present, refuse)
    assert not (present.folder / swap.FOLDER / "new").exists()
    assert b"SECRET" not in cell.read_bytes()


async def test_a_link_in_the_way_of_a_backup_is_not_followed(tmp_path: Path) -> None:
    belongings = await home(tmp_path / "h", "old")
    (tmp_path / "holiday.jpg").write_text("not ours")
    (tmp_path / ".b.new").symlink_to(tmp_path / "holiday.jpg")
    assert unpack.look(backup(belongings, tmp_path / "b"), WORDS).home == "Home"
    assert (tmp_path / "holiday.jpg").read_text() == "not ours"


@pytest.mark.parametrize("back", [False, True])
async def test_a_power_cut_while_what_is_over_is_removed_costs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, back: bool
) -> None:
    """Folders go entry by entry, and nobody knows in which order."""
    file = backup(await home(tmp_path / "old", "old"), tmp_path / "b")
    present = await home(tmp_path / "now", "now")
    stage(file, WORDS, present, in_place)
    swap.resume(present.folder)
    real = shutil.rmtree

    def cut(folder: Path, **_: object) -> None:
        for inner in ("new", "old"):
            real(folder / inner, ignore_errors=True)
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", cut)
        with pytest.raises(PowerCutError):
            (swap.give_up if back else swap.confirm)(present.folder)
    if back:
        assert swap.resume(present.folder) is None
    assert not swap.give_up(present.folder)
    assert await said(present.folder) == ("now" if back else "old")
    assert (present.folder / "settings.toml").exists()


async def test_the_wrong_passphrase_changes_nothing(tmp_path: Path) -> None:
    file = backup(await home(tmp_path / "old", "old"), tmp_path / "b")
    present = await home(tmp_path / "now", "now")
    before = tree(present.folder)
    with pytest.raises(ArchiveError, match="not the passphrase"):
        stage(file, "something else", present, in_place)
    assert tree(present.folder) == before
    assert swap.resume(present.folder) is None


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
async def test_damage_anywhere_is_one_error_and_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, at: float, by: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    belongings = await home(folder / "h", "old")
    content = bytearray(backup(belongings, folder / "b").read_bytes())
    content[int(at * len(content))] ^= by
    (folder / "b").write_bytes(content)
    before = tree(belongings.folder)
    with pytest.raises(ArchiveError):
        stage(folder / "b", WORDS, belongings, in_place)
    assert tree(belongings.folder) == before
    shutil.rmtree(folder)


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    belongings = await home(tmp_path / "h", "old")
    execute(belongings.store, "UPDATE alembic_version SET version_num = '9999'")
    file = backup(belongings, tmp_path / "b")
    with pytest.raises(NewerError, match="newer version"):
        unpack.unpack(file, WORDS, tmp_path / "out")
    assert not (tmp_path / "out").exists()


async def test_a_full_or_missing_place_leaves_no_half_backup(tmp_path: Path) -> None:
    belongings = await home(tmp_path / "h", "old")
    with pytest.raises(ArchiveError, match="cannot be made"):
        backup(belongings, tmp_path / "nowhere" / "b")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", bytes(4096)])
def test_what_is_no_backup_is_called_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(ArchiveError, match="no backup"):
        unpack.look(tmp_path / "b", WORDS)
