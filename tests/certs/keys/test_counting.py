"""Counters that only go up, in real hardware as far as a program can be that."""

import pytest

from certs.errors import CertificateError
from certs.keys.backend import Held
from certs.keys.errors import KeyStoreError, KeyStoreGoneError
from certs.keys.opening import Kind
from certs.keys.store import KeyStore
from tests.certs.keys.conftest import HARDWARE, Kept
from tests.certs.keys.hardware import SoftTpm

pytestmark = pytest.mark.requirement("PRV-INTEGRITY", "L2-KEYS")


@pytest.mark.parametrize("kept", HARDWARE, indirect=True)
def test_it_goes_up_by_one_each_time(kept: Kept) -> None:
    counter = kept.store.counter(kept.path)
    assert counter is not None
    assert counter.value is None
    first = counter.up()
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert counter.value == first
    assert [counter.up() for _ in range(3)] == [first + 1, first + 2, first + 3]
    assert counter.value == first + 3
    assert kept.store.held(kept.path) is (Held.TPM if kept.kind is Kind.TPM else Held.TOKEN)


@pytest.mark.parametrize("kept", HARDWARE, indirect=True)
def test_two_of_them_do_not_know_of_each_other(kept: Kept) -> None:
    one, other = (kept.store.counter(kept.folder / name) for name in ("one", "other"))
    assert one is not None
    assert other is not None
    before = (one.up(), other.up())
    one.up()
    assert (one.value, other.value) == (before[0] + 1, before[1])


@pytest.mark.parametrize("kept", HARDWARE, indirect=True)
def test_it_is_erased_with_its_file(kept: Kept) -> None:
    counter = kept.store.counter(kept.path)
    assert counter is not None
    counter.up()
    content = kept.path.read_bytes()
    assert "has the counter no more" in kept.store.erase(kept.path).elsewhere
    assert not kept.path.exists()
    kept.path.touch(mode=0o600)
    kept.path.write_bytes(content)
    with pytest.raises(KeyStoreError, match="has no such"):
        counter.up()


@pytest.mark.parametrize("kept", [HARDWARE[1]], indirect=True)
def test_in_a_tpm_not_even_who_makes_it_anew_brings_it_back(kept: Kept) -> None:
    counter = kept.store.counter(kept.path)
    assert counter is not None
    for _ in range(5):
        last = counter.up()
    kept.store.erase(kept.path)
    assert counter.up() > last


@pytest.mark.parametrize("kept", [Kind.PLAIN, Kind.FILE], indirect=True)
def test_files_count_nothing(kept: Kept) -> None:
    assert kept.store.counter(kept.path) is None


@pytest.mark.parametrize("kept", HARDWARE, indirect=True)
@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN HEMS TPM COUNTER-----\n"])
def test_a_damaged_file_is_named(kept: Kept, content: bytes) -> None:
    counter = kept.store.counter(kept.path)
    assert counter is not None
    kept.path.touch(mode=0o600)
    kept.path.write_bytes(content)
    with pytest.raises(CertificateError, match=str(kept.path)):
        _ = counter.value
    with pytest.raises(CertificateError, match=str(kept.path)):
        counter.up()


@pytest.mark.parametrize("kept", [HARDWARE[1]], indirect=True)
def test_hardware_that_is_away_is_said(kept: Kept, tpm: SoftTpm) -> None:
    counter = kept.store.counter(kept.path)
    assert counter is not None
    last = counter.up()
    tpm.stop()
    with pytest.raises(KeyStoreGoneError, match="the TPM"):
        counter.up()
    tpm.start()
    assert counter.value == last


def test_another_store_s_counter_is_not_touched(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("home") / "count"
    path.touch(mode=0o600)
    path.write_text("-----BEGIN HEMS TPM COUNTER-----\nAQAE\n-----END HEMS TPM COUNTER-----\n")
    with pytest.raises(KeyStoreError, match="in other hardware"):
        KeyStore().erase(path)
    assert path.exists()
