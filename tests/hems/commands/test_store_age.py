"""An older copy of the whole store, put back: noticed by a counter in real hardware."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.keys.counting import Counter
from certs.keys.envelope import Envelope, encode
from certs.keys.errors import KeyStoreGoneError
from certs.keys.opening import Kind, StoreSettings, key_store
from certs.keys.store import KeyStore
from hems.access.access import access
from hems.access.passwords import Hasher
from hems.access.people import NewPerson
from hems.access.proofs import Place
from hems.access.rights import Role
from hems.clock import SystemClock
from hems.commands.store_age import counting, dated
from hems.commands.store_start import Opened, opened_store
from hems.security_event import EventKind
from hems.store.age import behind, count_path
from tests.certs.keys.hardware import SoftTpm, needs_swtpm
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRV-INTEGRITY", "L1-TAMPER")

CLOCK = SystemClock()
TPM = "HEMS TPM COUNTER"
TOKEN = "HEMS TOKEN COUNTER"


@pytest.mark.parametrize(
    ("kept", "label", "counted", "told"),
    [
        ("", TPM, None, False),
        ("", TPM, 4, True),
        (f"{TPM} begun", TPM, 4, False),
        (f"{TPM} begun", TPM, None, False),
        (f"{TPM} 4", TPM, 4, False),
        (f"{TPM} 5", TPM, 4, False),
        (f"{TPM} 3", TPM, 4, True),
        (f"{TPM} 6", TPM, 4, True),
        (f"{TPM} 4", TPM, None, True),
        (f"{TPM} 4", TOKEN, None, False),
        ("nonsense", TPM, 4, False),
    ],
)
def test_what_a_store_says_of_its_counter(
    kept: str, label: str, counted: int | None, *, told: bool
) -> None:
    assert behind(kept, label, counted) is told


@given(
    copied=st.integers(1, 50), runs=st.integers(1, 50), half=st.booleans(), half_now=st.booleans()
)
def test_no_copy_of_a_run_before_passes_for_the_last(
    copied: int, runs: int, *, half: bool, half_now: bool
) -> None:
    """Wherever the power went: the store has the next number first, the counter follows."""
    now = copied + runs
    assert behind(f"{TPM} {copied + half}", TPM, now) is (copied + half < now)
    assert not behind(f"{TPM} {now + half_now}", TPM, now)


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[SoftTpm]:
    running = SoftTpm(tmp_path / "tpm")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def keys(tpm: SoftTpm) -> KeyStore:
    return key_store(StoreSettings(Kind.TPM, tcti=tpm.tcti))


@asynccontextmanager
async def run(
    path: Path, keys: KeyStore, *, restored: bool = False, soon_s: float = 0.0
) -> AsyncIterator[Opened]:
    """Give a run of a hub, as far as its store is concerned, once it counts."""
    opened = await opened_store(path, CLOCK, keys)
    opened = await dated(opened, path, keys, restored=restored)
    counter = keys.counter(count_path(path))
    try:
        async with counting(opened, soon_s):
            before = value(counter)

            async def counted() -> bool:
                if counter is None or opened.age is None:
                    return True
                kept = (await opened.store.settings.all()).get("counter of the store")
                return value(counter) != before and kept == f"{TPM} {value(counter)}"

            if soon_s <= 0:
                await until(counted, bool, 20, "the run counts")
            yield opened
    finally:
        await opened.store.close()


def value(counter: Counter | None) -> int | None:
    return None if counter is None else counter.value


def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "hems.db"


def copied(path: Path) -> Path:
    """Copy the whole folder, as whoever has the disk can."""
    return shutil.copytree(path.parent, path.parent.with_name("yesterday"))


def put_back(path: Path, copy: Path) -> None:
    shutil.rmtree(path.parent)
    copy.rename(path.parent)


@needs_swtpm
async def test_yesterdays_copy_of_everything_is_told_and_lets_nobody_in(
    tmp_path: Path, keys: KeyStore
) -> None:
    path = home(tmp_path)
    async with run(path, keys) as opened:
        rights = access(
            opened.store.people, opened.store.trail, tmp_path / "code", CLOCK, Hasher(1, 64)
        )
        await rights.ready()
        ada = await rights.people.first(NewPerson("Ada", Role.OWNER, "a password of hers"))
        await rights.logins.open(ada, Place("192.0.2.1"))
    yesterday = copied(path)
    for _ in range(2):
        async with run(path, keys) as opened:
            assert opened.trouble is None
            assert await opened.store.people.sessions() != []
            await opened.store.settings.put("said", "today")
    put_back(path, yesterday)
    async with run(path, keys) as opened:
        assert opened.trouble is not None
        assert "is an older copy" in opened.trouble
        assert opened.event is not None
        assert opened.event.kind is EventKind.STORE_DAMAGED
        assert "said" not in await opened.store.settings.all()
        assert await opened.store.people.sessions() == []
    async with run(path, keys) as opened:
        assert opened.trouble is None, "it was told, and goes on from there"


@needs_swtpm
async def test_a_counter_that_was_taken_away_is_missed(tmp_path: Path, keys: KeyStore) -> None:
    path = home(tmp_path)
    async with run(path, keys):
        pass
    away = count_path(path).rename(tmp_path / "away")
    async with run(path, keys) as opened:
        assert opened.trouble is not None
    keys.erase(away)


def nonsense(path: Path) -> None:
    path.write_bytes(b"nonsense")


def readable_by_all(path: Path) -> None:
    path.chmod(0o644)


def another_place(path: Path) -> None:
    written = Envelope(TPM, (b"\x01\x82\x00\x77",))
    path.write_bytes(encode(written))


@needs_swtpm
@pytest.mark.parametrize("meddle", [nonsense, readable_by_all, another_place])
async def test_who_puts_a_copy_back_cannot_blind_the_hub_to_it(
    tmp_path: Path, keys: KeyStore, meddle: Callable[[Path], None]
) -> None:
    path = home(tmp_path)
    async with run(path, keys):
        pass
    meddle(count_path(path))
    async with run(path, keys, soon_s=60.0) as opened:
        assert opened.trouble is not None
        assert "is an older copy" in opened.trouble
    for _ in range(2):
        async with run(path, keys) as opened:
            assert opened.trouble is None, "there is a new counter"


@needs_swtpm
async def test_runs_that_end_at_once_are_not_counted_and_nothing_is_told(
    tmp_path: Path, keys: KeyStore
) -> None:
    path = home(tmp_path)
    for _ in range(3):
        async with run(path, keys, soon_s=60.0) as opened:
            assert opened.trouble is None
    assert not count_path(path).exists()
    async with run(path, keys):
        pass
    counter = keys.counter(count_path(path))
    last = value(counter)
    for _ in range(3):
        async with run(path, keys, soon_s=60.0) as opened:
            assert opened.trouble is None
    assert value(counter) == last


@needs_swtpm
@pytest.mark.parametrize("first", [True, False])
async def test_a_power_cut_between_store_and_counter_is_no_older_copy(
    tmp_path: Path, keys: KeyStore, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    path = home(tmp_path)
    if not first:
        async with run(path, keys):
            pass
    opened = await dated(await opened_store(path, CLOCK, keys), path, keys, restored=False)
    assert opened.age is not None

    def cut(_: Counter) -> int:
        raise KeyStoreGoneError("the power goes")

    with monkeypatch.context() as patched:
        patched.setattr(Counter, "up", cut)
        await opened.age.go_on()
    await opened.store.close()
    for _ in range(2):
        async with run(path, keys) as opened:
            assert opened.trouble is None


@needs_swtpm
async def test_a_backup_that_was_restored_is_no_older_copy(tmp_path: Path, keys: KeyStore) -> None:
    path = home(tmp_path)
    async with run(path, keys):
        pass
    yesterday = copied(path)
    async with run(path, keys):
        pass
    put_back(path, yesterday)
    async with run(path, keys, restored=True, soon_s=60.0) as opened:
        assert opened.trouble is not None
        assert opened.trouble.startswith("A backup was put in place: accounts, passwords")
        assert opened.event is not None
        assert opened.event.kind is EventKind.CONFIG_CHANGED
    async with run(path, keys) as opened:
        assert opened.trouble is None


@needs_swtpm
async def test_a_store_that_was_lost_is_told_once_and_as_what_it_is(
    tmp_path: Path, keys: KeyStore
) -> None:
    path = home(tmp_path)
    async with run(path, keys):
        pass
    await asyncio.to_thread(path.unlink)
    async with run(path, keys, soon_s=60.0) as opened:
        assert opened.trouble is not None
        assert "is gone" in opened.trouble
    async with run(path, keys) as opened:
        assert opened.trouble is None


@needs_swtpm
async def test_hardware_that_is_away_for_a_moment_accuses_nobody(
    tmp_path: Path, keys: KeyStore, tpm: SoftTpm
) -> None:
    path = home(tmp_path)
    async with run(path, keys):
        pass
    opened = await opened_store(path, CLOCK, keys)
    tpm.stop()
    opened = await dated(opened, path, keys, restored=False)
    assert opened.trouble is None
    assert opened.age is not None
    await opened.age.go_on()
    tpm.start()
    await opened.store.close()
    async with run(path, keys) as opened:
        assert opened.trouble is None


async def test_without_hardware_nothing_is_counted(tmp_path: Path) -> None:
    path = home(tmp_path)
    async with run(path, KeyStore()) as opened:
        assert opened.trouble is None
    assert sorted(each.name for each in path.parent.iterdir()) == ["hems.db", "hems.db.key"]
