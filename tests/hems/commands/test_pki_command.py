"""`hems pki` from the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.pem import read_certificates, read_crls
from certs.pki import init_pki, issue_device, open_pki, revoke
from hems.cli import main
from tests.certs.keys.hardware import secret_file

pytestmark = pytest.mark.requirement("L2-KEYS")


def test_lists_are_renewed_with_what_they_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    pki = init_pki(tmp_path / "pki", now=now - timedelta(days=400))
    certificate = read_certificates(issue_device(pki, "lost").certificate)[0]
    revoke(pki, certificate, now=now - timedelta(days=390))
    assert main(["pki", "renew", str(pki.folder)]) == 0
    assert str(pki.trust.crls) in capsys.readouterr().out
    crls = read_crls(pki.trust.crls)
    assert all(crl.next_update_utc is not None and crl.next_update_utc > now for crl in crls)
    assert [entry.serial_number for crl in crls for entry in crl] == [certificate.serial_number]


def test_a_folder_without_a_pki_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pki", "renew", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"hems: {tmp_path}: there is no PKI; `hems pki init` makes one\n"
    )


def test_a_root_follows_another_step_by_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pki = init_pki(tmp_path / "pki")
    folder = str(pki.folder)
    for steps, code, said in (
        (["--end"], 0, "no other counts"),
        (["--switch"], 1, "no other root follows"),
        (["--days", "0"], 1, "a day at least"),
        (["--days", "30"], 0, "give them to every server"),
        (["--end"], 1, "switch first"),
        ([], 0, "when all servers have them"),
        (["--switch"], 0, "utility.pem: hangs under the new root now"),
        (["--end"], 1, "it cannot be given up before"),
    ):
        assert main(["pki", "roll-over", folder, *steps]) == code, steps
        told = capsys.readouterr()
        assert said in told.out + told.err, steps
    assert len(read_certificates(pki.trust.roots)) == 2


def test_the_keys_of_the_cas_are_kept_encrypted_from_the_start_or_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = str(secret_file(tmp_path, "a long and quiet secret").file)
    store = ["--store", "file", "--secret", secret]
    assert main(["pki", "init", str(tmp_path / "now"), "--store", "file"]) == 1
    assert "need a secret" in capsys.readouterr().err
    assert main(["pki", "init", str(tmp_path / "now"), *store]) == 0
    assert "plain" not in capsys.readouterr().out
    assert main(["pki", "init", str(tmp_path / "later")]) == 0
    assert "plain files, for tests and demos" in capsys.readouterr().out
    assert main(["pki", "keys", str(tmp_path / "later"), *store]) == 0
    for name in ("now", "later"):
        pki = open_pki(tmp_path / name)
        keys = sorted((pki.folder / "ca").glob("*.key"))
        assert len(keys) == 4
        assert not any("PRIVATE KEY-----" in path.read_text() for path in keys)
        capsys.readouterr()
        assert main(["pki", "keys", str(pki.folder)]) == 0
        assert capsys.readouterr().out.count("encrypted") == 4
        assert main(["pki", "renew", str(pki.folder)]) == 0
        read_certificates(issue_device(pki, "late").certificate)[0].verify_directly_issued_by(
            read_certificates(pki.folder / "ca" / "mica.pem")[0]
        )


def test_a_store_that_is_not_there_is_named_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, gone = tmp_path / "pki", tmp_path / "gone"
    assert main(["pki", "init", str(folder), "--store", "file", "--secret", str(gone)]) == 1
    assert str(gone) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    pki = init_pki(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["pki", "keys", str(folder), "--store", "file", "--secret", str(gone)]) == 1
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (pki.folder / "ca" / "keys.toml").write_text('store = "cloud"\n')
    assert main(["pki", "signer", str(folder)]) == 1
    assert "keys.toml: does not say which key store it is" in capsys.readouterr().err
