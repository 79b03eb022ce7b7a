"""The PKI on disk: its shape, its permissions, and that nothing in it is overwritten or lost."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from certs.ca_files import AUTHORITIES
from certs.errors import CertificateError, PkiError, PkiExistsError
from certs.hwname import HardwareName
from certs.issue import DEVICE_GENERIC, TEST_POLICY
from certs.pem import read_certificates, read_crls
from certs.pki import (
    HARDWARE_TYPE,
    Pki,
    init_pki,
    issue_device,
    issue_service,
    open_pki,
    renew_crls,
    revoke,
)
from certs.verify import hardware_name

pytestmark = pytest.mark.requirement("L3-ROOT")


@pytest.mark.requirement("PRO-2030.5")
def test_a_device_certificate_has_the_shape_of_2030_5(pki: Pki) -> None:
    files = issue_device(pki, "battery-1", serial="SN0042")
    device, mica, mca = read_certificates(files.certificate)
    assert device.subject.rdns == []
    assert device.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert hardware_name(device) == HardwareName(HARDWARE_TYPE, b"SN0042")
    extensions = {extension.oid: extension for extension in device.extensions}
    assert extensions[ExtensionOID.SUBJECT_ALTERNATIVE_NAME].critical
    policies = extensions[ExtensionOID.CERTIFICATE_POLICIES]
    assert policies.critical
    assert isinstance(policies.value, x509.CertificatePolicies)
    assert [p.policy_identifier for p in policies.value] == [DEVICE_GENERIC, TEST_POLICY]
    assert ExtensionOID.EXTENDED_KEY_USAGE not in extensions
    root = read_certificates(pki.trust.roots)[0]
    for child, parent in ((device, mica), (mica, mca), (mca, root), (root, root)):
        child.verify_directly_issued_by(parent)


@pytest.mark.requirement("L2-KEYS")
def test_keys_are_readable_by_their_owner_only(pki: Pki) -> None:
    keys = list(pki.folder.rglob("*.key"))
    assert len(keys) == len(AUTHORITIES) + 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert not list(pki.folder.rglob(".*.*"))


def test_a_second_init_refuses_and_changes_nothing(pki: Pki) -> None:
    before = {path: path.read_bytes() for path in pki.folder.rglob("*") if path.is_file()}
    with pytest.raises(PkiExistsError, match="not overwritten"):
        init_pki(pki.folder)
    assert before == {p: p.read_bytes() for p in pki.folder.rglob("*") if p.is_file()}


def test_an_empty_folder_is_taken_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert open_pki(init_pki(tmp_path / "empty").folder).trust.roots.is_file()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(PkiExistsError):
        init_pki(tmp_path / "file")
    with pytest.raises(PkiError, match="cannot be made"):
        init_pki(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_init_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="DNSName"):
        init_pki(tmp_path / "pki", hosts=["b\u00fccher.example"])
    assert list(tmp_path.iterdir()) == []


def test_an_identity_is_not_overwritten(pki: Pki) -> None:
    files = issue_device(pki, "twice")
    before = files.key.read_bytes()
    with pytest.raises(PkiExistsError, match="kept as it is"):
        issue_device(pki, "twice")
    with pytest.raises(PkiExistsError):
        issue_service(pki, "twice", hosts=[])
    assert files.key.read_bytes() == before


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "x" * 65, "tab\t"])
def test_a_name_that_could_leave_the_folder_is_refused(pki: Pki, name: str) -> None:
    with pytest.raises(PkiError, match="not a name for an identity"):
        issue_device(pki, name)


@pytest.mark.requirement("L2-KEYS")
def test_a_revocation_stays_over_later_ones_and_renewals(pki: Pki) -> None:
    first, second = (
        read_certificates(issue_device(pki, name).certificate)[0] for name in ("a", "b")
    )
    revoke(pki, first)
    revoke(pki, second)
    revoke(pki, first)
    renew_crls(pki)
    mica = read_crls(pki.crl("mica"))[0]
    assert [entry.serial_number for entry in mica] == [first.serial_number, second.serial_number]
    assert len(read_crls(pki.trust.crls)) == len(AUTHORITIES)
    number = mica.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    assert number == 4  # first issue, two revocations, one renewal; the repeat made none


def test_a_stranger_s_certificate_cannot_be_revoked(pki: Pki, tmp_path: Path) -> None:
    other = init_pki(tmp_path / "other")  # its CAs have the same names, but other keys
    with pytest.raises(PkiError, match="no CA in it has issued"):
        revoke(pki, read_certificates(other.identity("hub").certificate)[0])


def test_a_folder_without_a_pki_is_named(tmp_path: Path) -> None:
    with pytest.raises(PkiError, match="there is no PKI"):
        open_pki(tmp_path)


def test_a_damaged_ca_key_is_named(pki: Pki) -> None:
    key = pki.folder / "ca" / "mica.key"
    key.write_text("garbage")
    with pytest.raises(CertificateError, match=r"mica\.key: no usable PEM private key"):
        issue_device(pki, "late")


def test_a_root_needs_no_policies(pki: Pki) -> None:
    root = read_certificates(pki.trust.roots)[0]
    with pytest.raises(x509.ExtensionNotFound):
        root.extensions.get_extension_for_class(x509.CertificatePolicies)
