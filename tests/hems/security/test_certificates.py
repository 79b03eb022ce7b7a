"""The hub's certificates: what each says, when it ends, and what cannot be read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certs.identity import lfdi
from certs.issue import Validity
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_device, issue_service, revoke
from hems.security.certificates import SOON_S, CertificateFile, files, look, standing
from hems.security.surface import CertificateUse, Renewal, Standing
from hems.settings.config import load

pytestmark = pytest.mark.requirement("L2-KEYS", "ROLE-UI")

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return init_pki(tmp_path_factory.mktemp("pki") / "pki", now=NOW)


def test_of_an_own_chain_the_first_one_counts(pki: Pki) -> None:
    path = issue_device(pki, "my-hub").certificate
    first, *rest = read_certificates(path)
    assert rest
    (view,) = look(CertificateFile(CertificateUse.UTILITY, "grid", path), NOW.timestamp())
    assert view.lfdi == lfdi(der(first))
    assert view.fingerprint.replace(":", "").startswith(view.lfdi)
    assert view.ends_at is None  # a device's certificate has no end
    assert view.error == ""


def test_of_roots_each_counts(pki: Pki) -> None:
    root = CertificateFile(CertificateUse.UTILITY_ROOT, "grid", pki.trust.roots)
    (view,) = look(root, NOW.timestamp() + 1)
    (certificate,) = read_certificates(pki.trust.roots)
    name = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    assert (view.subject, view.issuer, view.lfdi) == (name, name, "")


def test_one_that_ends_soon_or_has_ended(pki: Pki) -> None:
    end = NOW + timedelta(365)
    door = issue_service(pki, "door", hosts=["door.example"], validity=Validity(NOW, end))
    file = CertificateFile(CertificateUse.RECIPIENTS, "", door.certificate)
    seen = [look(file, (end + by).timestamp())[0] for by in (-timedelta(60), -timedelta(3))]
    assert [view.standing for view in seen] == [Standing.GOOD, Standing.SOON]
    (over,) = look(file, (end + timedelta(3)).timestamp())
    assert over.standing is Standing.OVER
    assert over.ends_at == end.timestamp()


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "hub.pem"
    if damage is not None:
        path.write_bytes(damage)
    (view,) = look(CertificateFile(CertificateUse.CHARGERS, "", path), NOW.timestamp())
    assert view.standing is Standing.UNREADABLE
    assert str(path) in view.error


def test_an_own_certificate_that_was_revoked_is_told(pki: Pki) -> None:
    hub = pki.identity("hub")
    file = CertificateFile(
        CertificateUse.UTILITY, "", hub.certificate, Renewal.FOLLOWED, hub.key, pki.trust.crls
    )
    assert look(file, NOW.timestamp())[0].standing is Standing.GOOD
    revoke(pki, read_certificates(hub.certificate)[0])
    (view,) = look(file, NOW.timestamp())
    assert (view.standing, bool(view.key)) == (Standing.REVOKED, True)


def test_what_the_hub_renews_itself_is_told_only_when_it_is_late(pki: Pki) -> None:
    end = NOW + timedelta(30)
    page = issue_service(pki, "page", hosts=["hub.example"], validity=Validity(NOW, end))
    file = CertificateFile(CertificateUse.PAGE, "", page.certificate, Renewal.ITSELF)
    seen = [look(file, (end - timedelta(days)).timestamp())[0].standing for days in (20, 6, 4)]
    assert seen == [Standing.GOOD, Standing.GOOD, Standing.SOON]


def test_standing_at_its_bounds() -> None:
    found = [standing(10.0, 1e9, at) for at in (9.9, 10.0, 1e9 - SOON_S, 1e9 - SOON_S + 1, 1e9)]
    good, soon = Standing.GOOD, Standing.SOON
    assert found == [Standing.EARLY, good, good, soon, Standing.OVER]


def test_every_certificate_of_a_configuration_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    path.write_text(
        """
[web]
host = "192.168.1.2"
keys = "p"

[utility]
certificate = "u.pem"
key = "u.key"
trust = "u-root.pem"
crls = "crls.pem"
pin = "111115"

[visibility]
certificate = "v.pem"
key = "v.key"
trust = "v-root.pem"
crls = "crls.pem"

[ocpp]
certificate = "o.pem"
key = "o.key"
trust = "o-root.pem"

[mqtt]
trust = "m-root.pem"

[regulation.signal]
host = "signal.example"
topic = "home"
trust = "s-root.pem"
certificate = "s.pem"
key = "s.key"

[[device]]
id = "meter"
kind = "meter"
name = "Grid meter"
driver = "sunspec"
port = 802
transport = "tls"
tls_trust = "d-root.pem"
tls_certificate = "d.pem"
tls_key = "d.key"
""",
        encoding="utf-8",
    )
    found = {(f.use, f.of): (f.path.name, f.renewal) for f in files(load(path))}
    assert {use for use, _ in found} == set(CertificateUse) - {CertificateUse.UTILITY_SERVER}
    names = [
        "u",
        "u-root",
        "v",
        "v-root",
        "o",
        "o-root",
        "m-root",
        "s",
        "s-root",
        "d",
        "d-root",
        "page",
        "authority",
    ]
    assert sorted(name for name, _ in found.values()) == sorted(f"{n}.pem" for n in names)
    assert found[CertificateUse.UTILITY, "utility"] == ("u.pem", Renewal.FOLLOWED)
    assert found[CertificateUse.DEVICE, "Grid meter"] == ("d.pem", Renewal.START)
