"""What the doctor's probes see of real files, ports and stores."""

import os
import socket
import time
from pathlib import Path

import pytest

from certs.keys.store import KeyStore
from certs.pki import init_pki
from hems.archive.backup import last_backup, make_backup
from hems.archive.belongings import Belongings
from hems.archive.sealed import Cost
from hems.clock import SystemClock
from hems.doctor.probes import files, machine
from hems.doctor.probes.store import store
from hems.store.key_file import key_path
from hems.store.schema import REVISIONS
from hems.store.store import open_store

NOW = 1_800_000_000.0


def test_memory_and_hardware_clock(tmp_path: Path) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n", encoding="ascii")
    seen = machine.memory(told)
    assert seen is not None
    assert (seen.total, seen.available) == (1_024_000, 409_600)
    told.write_text("nothing of it\n", encoding="ascii")
    assert machine.memory(told) is None
    rtc = tmp_path / "since_epoch"
    assert machine.clock(NOW, rtc).rtc_apart_s is None
    rtc.write_text("1799999990\n", encoding="ascii")
    assert machine.clock(NOW, rtc).rtc_apart_s == -10.0


def test_the_disk_of_what_is_not_there_yet(tmp_path: Path) -> None:
    seen = machine.disk(tmp_path / "home" / "store" / "hems.db")
    assert seen is not None
    assert seen.path == tmp_path
    assert 0 < seen.free <= seen.total
    assert not seen.read_only


def test_ports_are_taken_for_an_instant_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        (seen,) = machine.listened({"the page": ("127.0.0.1", taken)}, {"the page": "web.port"})
        assert "in use" in seen.refused
    for _ in range(2):
        (seen,) = machine.listened({"the page": ("127.0.0.1", taken)}, {"the page": "web.port"})
        assert not seen.refused
    assert not machine.listened({"x": ("127.0.0.1", 0)}, {"x": "y"})  # takes a free one


def test_who_can_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert not files.file(path, "a secret", secret=True).there
    path.touch(mode=0o600)
    assert not files.file(path, "a secret", secret=True).exposed
    path.chmod(0o640)
    assert files.file(path, "a secret", secret=True).exposed


def test_revocation_lists_tell_when_the_next_is_due(tmp_path: Path) -> None:
    pki = init_pki(tmp_path / "pki")
    crls = pki.trust.crls
    assert crls is not None
    seen = files.lists([crls, crls])
    assert seen
    assert all(each.issuer and not each.error for each in seen)
    assert all(each.ends_at is None or each.ends_at > time.time() for each in seen)
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", encoding="ascii")
    assert files.lists([broken])[0].error


async def test_a_store_is_looked_at_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "hems.db"
    none = await store(path, KeyStore())
    assert (none.size, none.error, none.damaged) == (None, "", "")
    await (await open_store(path, SystemClock())).close()
    before = path.read_bytes()
    seen = await store(path, KeyStore())
    assert (seen.revision, seen.error, seen.damaged) == (REVISIONS[-1], "", "")
    assert seen.pages == len(before) // 4096
    assert path.read_bytes() == before
    with path.open("r+b") as file:
        file.seek(3 * 4096 + 7)
        file.write(os.urandom(8))
    assert "page 4" in (await store(path, KeyStore())).damaged
    path.write_bytes(before)
    key_path(path).unlink()
    assert (await store(path, KeyStore())).error or (await store(path, KeyStore())).damaged


@pytest.mark.requirement("LC-TEST")
async def test_a_backup_is_noted_beside_the_store(tmp_path: Path) -> None:
    home, target = tmp_path / "home", tmp_path / "stick" / "home.backup"
    home.mkdir()
    target.parent.mkdir()
    path = home / "hems.db"
    await (await open_store(path, SystemClock())).close()
    assert last_backup(path) is None
    make_backup(
        target,
        "a long passphrase",
        Belongings(home, path, ()),
        "Home",
        NOW,
        cost=Cost(memory_kib=64, passes=1),
    )
    assert last_backup(path) == NOW
    assert (await store(path, KeyStore())).backed_up_at == NOW


async def test_what_cannot_be_looked_at_is_said_and_never_taken_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    seen = await store(tmp_path / "file" / "hems.db", KeyStore())
    assert seen.size is not None
    assert "Not a directory" in seen.error
    disk = machine.disk(tmp_path / ("x" * 300) / "hems.db")
    assert "too long" in disk.error
    assert machine.disk(tmp_path).error == ""
