"""Manifests: what is signed counts, and nothing else does."""

import base64
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from certs.manifest.check import check_manifest, sign_manifest
from certs.manifest.expected import Damaged, Expected, expected
from certs.manifest.installation import Installation
from certs.manifest.make import make_manifest
from certs.manifest.manifest import Entry, Manifest, ManifestError, Package, read_manifest
from certs.pem import read_certificates, read_crls, read_signing_key
from certs.pki import init_pki, issue_signer, revoke
from certs.signed import Purpose, SignatureError, sign_document
from tests.certs.agent.installed import PUBLISHER, Provider, release

pytestmark = [pytest.mark.requirement("L1-AGENT"), pytest.mark.requirement("L1-TAMPER")]

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


@pytest.fixture
def signed(provider: Provider, installation: Installation, tmp_path: Path) -> Path:
    path = tmp_path / "hems.manifest"
    provider.sign(installation, release(number=7), path)
    return path


def check(provider: Provider, path: Path, *, after_s: float = 0.0, least: int = 0) -> Manifest:
    trusted = read_certificates(provider.pki.trust.roots)
    return check_manifest(path, trusted, time.time() + after_s, least=least)


def test_what_the_provider_signed_counts(provider: Provider, signed: Path) -> None:
    found = check(provider, signed, least=7)
    assert (found.publisher, found.number) == (PUBLISHER, 7)
    assert [package.name for package in found.packages] == [
        "hems",
        "der",
        "programs",
        "web",
        "certs",
    ]
    assert [each.name for each in found.distributions] == ["other"]


def test_it_lists_each_file_with_its_digest(
    provider: Provider, signed: Path, installation: Installation
) -> None:
    listed = list(expected(check(provider, signed), installation))
    assert not [each for each in listed if isinstance(each, Damaged)]
    paths = {Path(each.path) for each in listed if isinstance(each, Expected)}
    everything = (installation.root, *installation.sites)
    assert paths == {p for top in everything for p in top.rglob("*") if p.is_file()}


def test_a_record_that_was_changed_is_found(
    provider: Provider, signed: Path, installation: Installation
) -> None:
    record = next(installation.sites[0].glob("*/RECORD"))
    record.write_text(record.read_text().replace("other.py,", "evil.py,"))
    listed = list(expected(check(provider, signed), installation))
    assert [each.path for each in listed if isinstance(each, Damaged)] == [str(record)]


@pytest.mark.parametrize(
    ("after_s", "least", "why"),
    [
        (2 * 86_400.0, 0, "has counted until"),
        (-86_400.0, 0, "does not count"),
        (0.0, 8, "number 7, but number 8 has been in use already"),
    ],
)
def test_a_manifest_of_another_time_is_refused(
    provider: Provider, signed: Path, after_s: float, least: int, why: str
) -> None:
    with pytest.raises(ManifestError, match=why) as refused:
        check(provider, signed, after_s=after_s, least=least)
    assert str(signed) in str(refused.value)


def test_another_provider_is_not_believed(signed: Path, tmp_path: Path) -> None:
    stranger = init_pki(tmp_path / "stranger")
    with pytest.raises(ManifestError, match="of no root that is trusted"):
        check_manifest(signed, read_certificates(stranger.trust.roots), time.time())


def test_who_may_sign_something_else_may_not_sign_a_manifest(
    provider: Provider, installation: Installation
) -> None:
    files = provider.pki.identity("other")
    manifest = make_manifest(installation, release())
    with pytest.raises(SignatureError, match="may not sign a hems-manifest"):
        sign_manifest(manifest, read_signing_key(files.key), read_certificates(files.certificate))


def test_a_document_of_another_kind_is_no_manifest(
    provider: Provider, installation: Installation, tmp_path: Path
) -> None:
    files, path = provider.pki.identity("other"), tmp_path / "bulletin"
    body = make_manifest(installation, release()).canonical()
    key, chain = read_signing_key(files.key), read_certificates(files.certificate)
    path.write_bytes(sign_document(body, Purpose.BULLETIN, key, chain))
    with pytest.raises(ManifestError, match="is no hems-manifest"):
        check(provider, path)


def test_a_revoked_provider_is_not_believed(installation: Installation, tmp_path: Path) -> None:
    pki = init_pki(tmp_path / "pki")
    files = issue_signer(pki, "provider", [Purpose.MANIFEST])
    path = tmp_path / "hems.manifest"
    Provider(pki).sign(installation, release(), path)
    revoke(pki, read_certificates(files.certificate)[0])
    with pytest.raises(ManifestError, match="revoked"):
        check_manifest(
            path, read_certificates(pki.trust.roots), time.time(), crls=read_crls(pki.trust.crls)
        )


def test_only_a_signed_and_current_list_vouches_for_a_provider(
    installation: Installation, tmp_path: Path
) -> None:
    pki, other = init_pki(tmp_path / "pki"), init_pki(tmp_path / "other")
    issue_signer(pki, "provider", [Purpose.MANIFEST])
    path = tmp_path / "hems.manifest"
    Provider(pki).sign(installation, release(), path)
    roots, lists = read_certificates(pki.trust.roots), read_crls(pki.trust.crls)

    def checked(crls: Sequence[x509.CertificateRevocationList], now: float) -> None:
        check_manifest(path, roots, now, crls=crls)

    checked(lists, time.time())
    with pytest.raises(ManifestError, match="no revocation list that its issuer signed"):
        checked(read_crls(other.trust.crls), time.time())
    for left_out in range(len(lists)):  # each authority between the signer and the root has one
        rest = [*lists[:left_out], *lists[left_out + 1 :]]
        issuers = {each.issuer for each in read_certificates(pki.identity("provider").certificate)}
        if lists[left_out].issuer in issuers:
            with pytest.raises(ManifestError, match="no revocation list that its issuer signed"):
                checked(rest, time.time())
    ends = min(each.next_update_utc.timestamp() for each in lists if each.next_update_utc)
    with pytest.raises(ManifestError, match=r"has run out|has counted until"):
        checked(lists, ends + 1)


@pytest.mark.parametrize("keep", [0, 1, 100, 2_000, -1])
def test_a_truncated_manifest_is_refused(provider: Provider, signed: Path, keep: int) -> None:
    content = signed.read_bytes()
    signed.write_bytes(content[:keep])
    with pytest.raises(ManifestError):
        check(provider, signed)


def test_a_changed_digest_is_refused(provider: Provider, signed: Path) -> None:
    head, body, mark = signed.read_bytes().split(b".")
    raw = json.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    raw["packages"][0]["files"][0]["sha256"] = "0" * 64
    other = base64.urlsafe_b64encode(json.dumps(raw).encode()).rstrip(b"=")
    signed.write_bytes(b".".join((head, other, mark)))
    with pytest.raises(ManifestError, match=r"not as .* signed it"):
        check(provider, signed)


def test_a_manifest_is_written_in_one_way(
    provider: Provider, installation: Installation, tmp_path: Path
) -> None:
    files, path = provider.pki.identity("provider"), tmp_path / "loose.manifest"
    body = json.dumps(json.loads(make_manifest(installation, release()).canonical()), indent=1)
    key, chain = read_signing_key(files.key), read_certificates(files.certificate)
    path.write_bytes(sign_document(body.encode(), Purpose.MANIFEST, key, chain))
    with pytest.raises(ManifestError, match="the one way"):
        check(provider, path)


def test_a_manifest_that_is_missing_is_refused(provider: Provider, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        check(provider, tmp_path / "none")


def listing(*paths: str) -> dict[str, object]:
    files = [{"path": path, "size": 1, "sha256": "0" * 64} for path in paths]
    return {"packages": [{"name": "hems", "files": files}]}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"number": 0}, "number"),
        ({"valid_until": 0}, "ends before it begins"),
        ({"boot": {"24": "0" * 64}}, "no register '24'"),
        ({"boot": {"7": "00"}}, "boot"),
        ({"format": 2}, "format"),
        ({"extra": 1}, "extra"),
        ({"packages": []}, "packages"),
        (listing("hems/../../x"), "leaves the installation"),
        (listing("/hems/x"), "no path within"),
        (listing("hems//x"), "the shortest way"),
        (listing("hems/x\n1 00 /y"), "no path within"),
        (listing("der/x"), "not in the package"),
        (listing("hems/x", "hems/x"), "listed twice"),
    ],
)
def test_what_cannot_be_is_refused(
    installation: Installation, change: dict[str, object], why: str
) -> None:
    raw = json.loads(make_manifest(installation, release()).canonical())
    with pytest.raises(ManifestError, match=why):
        read_manifest(json.dumps({**raw, **change}).encode(), Path("it"))


@given(
    number=st.integers(1, 2**63 - 1),
    size=st.integers(0, 2**40),
    sha256=HEX,
    boot=st.dictionaries(st.integers(0, 23).map(str), HEX),
)
def test_reading_what_was_written_gives_the_same(
    number: int, size: int, sha256: str, boot: dict[str, str]
) -> None:
    entry = Entry(path="hems/a.py", size=size, sha256=sha256)
    made = Manifest(
        name="hems",
        version="1",
        publisher="Ärger & Söhne",
        number=number,
        valid_from=0,
        valid_until=1,
        packages=(Package(name="hems", files=(entry,)),),
        boot=boot,
    )
    again = read_manifest(made.canonical(), Path("it"))
    assert again == made
    assert again.canonical() == made.canonical()
