"""Where the secret comes from, and what is refused as one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.keys import secret
from certs.keys.errors import SecretError
from certs.keys.secret import Cost, SecretPlace, derive
from tests.certs.keys.hardware import secret_file

pytestmark = pytest.mark.requirement("L1-CRYPT")

GOOD = "correct horse battery staple"


def test_a_line_end_is_not_part_of_it(tmp_path: Path) -> None:
    assert secret_file(tmp_path, GOOD + "\r\n").read() == GOOD.encode()


def missing(path: Path) -> None:
    path.unlink()


def readable(path: Path) -> None:
    path.chmod(0o640)


def short(path: Path) -> None:
    path.write_text("elevenbytes")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (missing, "No such file"),
        (readable, "chmod 600"),
        (short, "less than 12"),
        (folder, "no plain file"),
        (linked, "symbolic links"),
        (pipe, "no plain file"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    place = secret_file(tmp_path, GOOD)
    assert place.file is not None
    spoil(place.file)
    with pytest.raises(SecretError, match=said) as caught:
        place.read()
    assert str(place.file) in str(caught.value)
    assert GOOD not in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_user_s_file_is_refused(tmp_path: Path) -> None:
    place = secret_file(tmp_path, GOOD)
    assert place.file is not None
    os.chown(place.file, 12345, 12345)
    with pytest.raises(SecretError, match="another user"):
        place.read()


def test_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(secret.CREDENTIALS, raising=False)
    place = SecretPlace(credential="secret")
    with pytest.raises(SecretError, match="started by systemd"):
        place.read()
    secret_file(tmp_path, GOOD)
    monkeypatch.setenv(secret.CREDENTIALS, str(tmp_path))
    assert place.read() == GOOD.encode()


def test_with_the_machine_it_is_another_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = SecretPlace(secret_file(tmp_path, GOOD).file, machine=True)
    seen = {GOOD.encode()}
    for machine in ("1111", "2222"):
        (tmp_path / "machine-id").write_text(machine)
        monkeypatch.setattr(secret, "MACHINE", tmp_path / "machine-id")
        seen.add(place.read())
    assert len(seen) == 3
    (tmp_path / "machine-id").write_text("\n")
    with pytest.raises(SecretError, match="no id"):
        place.read()


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_no_file_can_ask_for_more_than_the_hub_has(passes: int, memory: int, lanes: int) -> None:
    field = b"".join(n.to_bytes(4, "big") for n in (passes, memory, lanes))
    try:
        cost = Cost.decode(field)
    except ValueError:
        assert not (1 <= passes <= 16 and 1 <= lanes <= 8 and 8 * lanes <= memory <= 2**18)
    else:
        assert cost.encode() == field
        assert cost.memory_kib <= 2**18
        assert cost.passes <= 16


def test_argon2id_as_rfc_9106_has_it() -> None:
    """Another implementation of the same gives the same: that of the `cryptography` package."""
    argon2 = pytest.importorskip("cryptography.hazmat.primitives.kdf.argon2")
    cost = Cost(passes=2, memory_kib=256, lanes=2)
    other = argon2.Argon2id(salt=bytes(16), length=48, iterations=2, lanes=2, memory_cost=256)
    assert derive(b"secret", bytes(16), cost, 48) == other.derive(b"secret")
