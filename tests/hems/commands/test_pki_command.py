"""`hems pki` from the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.pem import read_certificates, read_crls
from certs.pki import init_pki, issue_device, revoke
from hems.cli import main

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
