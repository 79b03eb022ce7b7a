"""A PKCS #11 token that is away, locked against us, or another one."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certs.keys.errors import KeyStoreError, KeyStoreGoneError, SecretError
from certs.keys.opening import Kind, StoreSettings, key_store
from certs.keys.store import KeyStore
from tests.certs.keys.hardware import MODULE, PIN, TOKEN, needs_softhsm, secret_file

pytestmark = [pytest.mark.requirement("L2-KEYS", "L1-AGENT"), needs_softhsm]


def store_of(folder: Path, pin: str, label: str = TOKEN, module: str = MODULE) -> KeyStore:
    place = secret_file(folder, pin)
    return key_store(StoreSettings(Kind.PKCS11, place, module, label))


@pytest.fixture
def pulled(token: Path) -> Iterator[Path]:
    """Return where the token's files go while it is away."""
    away = token / "away"
    yield away
    if away.exists():
        away.rename(token / "tokens")


def test_a_token_that_is_pulled_is_found_again(tmp_path: Path, token: Path, pulled: Path) -> None:
    store, path = store_of(tmp_path, PIN), tmp_path / "hub.key"
    store.make(path)
    (token / "tokens").rename(pulled)
    for _ in range(2):
        with pytest.raises(KeyStoreGoneError, match="the token 'hems' cannot be used"):
            store.sign(path, b"data")
        with pytest.raises(KeyStoreGoneError):
            store.erase(path)
    assert path.exists()  # it says where the key is
    pulled.rename(token / "tokens")
    assert store.sign(path, b"data")
    store.check([path])


def test_a_wrong_pin_is_tried_once_and_a_new_one_at_once(tmp_path: Path, token: Path) -> None:
    """Tokens lock after a few wrong ones: the watch must not do that."""
    del token
    store, path = store_of(tmp_path, PIN), tmp_path / "hub.key"
    store.make(path)
    secret_file(tmp_path, "000000")
    said = set()
    for _ in range(5):
        with pytest.raises(SecretError, match="refuses the PIN") as caught:
            store.check([path])
        said.add(str(caught.value))
    assert len(said) == 1  # one alarm, not two
    assert "000000" not in said.pop()
    secret_file(tmp_path, PIN)
    store.check([path])


def test_a_token_or_module_that_is_not_there_is_named(tmp_path: Path, token: Path) -> None:
    del token
    with pytest.raises(KeyStoreGoneError, match="the token 'other' cannot be used: No token"):
        store_of(tmp_path, PIN, "other").make(tmp_path / "a.key")
    with pytest.raises(KeyStoreGoneError, match=r"nowhere\.so"):
        store_of(tmp_path, PIN, module="/nowhere.so").make(tmp_path / "b.key")
    assert list(tmp_path.glob("*.key")) == []


@pytest.mark.parametrize(
    ("kind", "module", "said"),
    [
        (Kind.PKCS11, "security_token", "needs the package python-pkcs11"),
        (Kind.TPM, "tpm", "needs the package tpm2-pytss"),
    ],
)
def test_a_package_that_is_missing_is_named(
    kind: Kind, module: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"certs.keys.{module}", None)
    with pytest.raises(KeyStoreError, match=said):
        key_store(StoreSettings(kind, module=f"missing{os.getpid()}", tcti="missing"))
