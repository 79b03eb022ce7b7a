"""A chain that a proxy has passed on is judged as OpenSSL would: never more leniently."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.errors import PeerError
from certs.hwname import HardwareName
from certs.issue import (
    FOREVER,
    Authority,
    Validity,
    issue_authority,
    issue_crl,
    issue_device,
    issue_service,
    new_key,
    revocation,
)
from certs.passed import check_passed
from certs.rules import Rules
from certs.verify import Role
from tests.examples import examples

pytestmark = [pytest.mark.requirement("L1-AUTH"), pytest.mark.requirement("PRO-2030.5")]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
VALID = Validity(datetime(2026, 1, 1, tzinfo=UTC), FOREVER)
PAST = Validity(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
COMING = Validity(datetime(2026, 7, 1, tzinfo=UTC), FOREVER)
WEEK = timedelta(days=7)
NAME = HardwareName("1.3.6.1.4.1.32473.1", b"1")

ROOT = issue_authority("root", VALID, path_length=2)
MCA = issue_authority("mca", VALID, issuer=ROOT, path_length=1)
MICA = issue_authority("mica", VALID, issuer=MCA, path_length=0)
FORGED_ROOT = issue_authority("root", VALID, path_length=2)
FORGED_MCA = issue_authority("mca", VALID, issuer=FORGED_ROOT, path_length=1)
FORGED_MICA = issue_authority("mica", VALID, issuer=FORGED_MCA, path_length=0)
TIGHT = issue_authority("tight", VALID, issuer=ROOT, path_length=0)
BELOW_TIGHT = issue_authority("below", VALID, issuer=TIGHT, path_length=0)
OLD = issue_authority("old", PAST, issuer=ROOT, path_length=0)
NAMED = issue_authority(
    "named", VALID, issuer=ROOT, path_length=0, permitted=[x509.DNSName("here.example")]
)
CAS = (ROOT, MCA, MICA, TIGHT, BELOW_TIGHT, OLD, NAMED)


def device(issuer: Authority, validity: Validity = VALID) -> x509.Certificate:
    return issue_device(issuer, new_key().public_key(), NAME, validity)


GOOD = device(MICA)
SERVICE_KEY = new_key()
SERVICE = Authority(
    issue_service(MICA, SERVICE_KEY.public_key(), "svc", ["127.0.0.1"], VALID), SERVICE_KEY
)


def listed(
    issuer: Authority, *revoked: x509.Certificate, at: datetime = NOW, key: Authority | None = None
) -> x509.CertificateRevocationList:
    """Return a list of a CA's; signed by another's key where one is given."""
    entries = [revocation(each.serial_number, at) for each in revoked]
    signer = issuer if key is None else Authority(issuer.certificate, key.key)
    return issue_crl(signer, entries, at, WEEK)


ALL = tuple(listed(each) for each in CAS)


def of(issuer: Authority) -> x509.CertificateRevocationList:
    return next(each for each in ALL if each.issuer == issuer.certificate.subject)


@dataclass(frozen=True)
class Case:
    """What is judged; as it stands it is good."""

    leaf: x509.Certificate = GOOD
    others: Sequence[x509.Certificate] = (MICA.certificate, MCA.certificate)
    roots: Sequence[x509.Certificate] = (ROOT.certificate,)
    crls: Sequence[x509.CertificateRevocationList] = field(default=ALL)

    def judge(self) -> float:
        rules = Rules(Role.CLIENT, self.roots, self.crls)
        return check_passed(self.leaf, self.others, rules, NOW.timestamp())

    def without(self, *issuers: Authority) -> "Case":
        gone = {each.certificate.subject for each in issuers}
        return replace(self, crls=[each for each in self.crls if each.issuer not in gone])

    def listing(self, *crls: x509.CertificateRevocationList) -> "Case":
        return replace(self, crls=[*self.crls, *crls])


def test_a_good_chain_holds_until_its_lists_run_out() -> None:
    assert Case().judge() == (NOW + WEEK).timestamp()
    short = Validity(VALID.not_before, NOW + timedelta(days=1))
    assert Case(device(MICA, short)).judge() == (NOW + timedelta(days=1)).timestamp()
    service = issue_service(MICA, new_key().public_key(), "aggregator", [], VALID)
    assert Case(service).judge() > NOW.timestamp()
    shuffled = (device(MCA), ROOT.certificate, MCA.certificate, TIGHT.certificate, MICA.certificate)
    assert Case(others=shuffled).judge() == (NOW + WEEK).timestamp(), "in any order"


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (Case(others=()), "of no CA that is known"),
        (Case(others=[MICA.certificate]), "CN=mica is of no CA"),
        (Case(roots=[FORGED_ROOT.certificate]), "CN=mca is of no CA"),
        (Case(roots=[]), "of no CA"),
        (Case(device(FORGED_MICA)), "of no CA"),
        (
            Case(
                device(FORGED_MICA),
                (FORGED_MICA.certificate, FORGED_MCA.certificate, FORGED_ROOT.certificate),
            ),
            "CN=root is of no CA",
        ),
        (Case().listing(listed(MICA, GOOD)), "is revoked"),
        (Case().listing(listed(MCA, MICA.certificate)), "CN=mica is revoked"),
        (Case().listing(listed(ROOT, MCA.certificate)), "CN=mca is revoked"),
        (Case().without(MICA), "could not be learned"),
        (Case().without(MCA), "CN=mica was revoked could not be learned"),
        (Case().without(ROOT), "CN=mca was revoked could not be learned"),
        (Case().without(MICA).listing(listed(MICA, key=MCA)), "could not be learned"),
        (
            Case().without(MICA).listing(listed(MICA, at=NOW - 2 * WEEK)),
            "could not be learned",
        ),
        (
            Case().without(MICA).listing(listed(MICA, at=NOW + 2 * WEEK)),
            "could not be learned",
        ),
        (Case(device(MICA, PAST)), "has expired"),
        (Case(device(MICA, COMING)), "not yet valid"),
        (Case(device(OLD), [OLD.certificate]), "CN=old has expired"),
        (
            Case(device(SERVICE), [SERVICE.certificate, MICA.certificate, MCA.certificate]),
            "may not",
        ),
        (
            Case(device(BELOW_TIGHT), [BELOW_TIGHT.certificate, TIGHT.certificate]),
            "too many CAs stand below CN=tight",
        ),
        (Case(device(NAMED), [NAMED.certificate]), "critical extension that is not understood"),
        (Case(MICA.certificate, [MCA.certificate]), "CN=mica is a CA's"),
        (Case(ROOT.certificate, []), "is a CA's"),
    ],
)
def test_one_fault_refuses_it(case: Case, says: str) -> None:
    with pytest.raises(PeerError, match=says):
        case.judge()


def test_a_name_alone_is_no_issuer() -> None:
    """A certificate that names a CA which never signed it."""
    stolen = Authority(MICA.certificate, new_key())
    with pytest.raises(PeerError, match="of no CA"):
        Case(device(stolen)).judge()


def test_a_damaged_certificate_is_refused() -> None:
    octets = bytearray(GOOD.public_bytes(Encoding.DER))
    octets[-3] ^= 1
    with pytest.raises(PeerError, match="of no CA"):
        Case(x509.load_der_x509_certificate(bytes(octets))).judge()


def test_an_odd_list_vouches_for_nothing() -> None:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(MICA.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + WEEK)
        .add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), True
        )
    )
    odd = builder.sign(MICA.key, hashes.SHA256())
    with pytest.raises(PeerError, match="could not be learned"):
        Case().without(MICA).listing(odd).judge()


# Against OpenSSL itself


def openssl_takes(case: Case, folder: Path) -> bool:
    """Whether `openssl verify` takes a chain, with a list of every CA."""
    files = {"leaf": [case.leaf], "others": case.others, "roots": case.roots}
    for name, items in files.items():
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in items)
        (folder / name).write_bytes(pem)
    lists = b"".join(each.public_bytes(Encoding.PEM) for each in case.crls)
    (folder / "crls").write_bytes(lists)
    command = ["openssl", "verify", "-crl_check_all", "-attime", str(int(NOW.timestamp()))]
    command += ["-CAfile", "roots", *(["-untrusted", "others"] if case.others else [])]
    command += ["-CRLfile", "crls", "leaf"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


ISSUERS = (*CAS, FORGED_ROOT, FORGED_MCA, FORGED_MICA, SERVICE)
LEAVES = [
    *(device(each, validity) for each in ISSUERS for validity in (VALID, PAST, COMING)),
    MICA.certificate,
    SERVICE.certificate,
]
LISTS = [
    *ALL,
    *(listed(each, *(leaf for leaf in LEAVES)) for each in (MICA, MCA, ROOT)),
    *(listed(each, at=NOW - 2 * WEEK) for each in CAS),
    *(listed(each, key=other) for each in (MICA, MCA) for other in (ROOT, FORGED_MICA)),
]
cases = st.builds(
    Case,
    st.sampled_from(LEAVES) | st.just(GOOD),
    st.lists(st.sampled_from([each.certificate for each in ISSUERS]), max_size=6, unique=True)
    | st.just((MICA.certificate, MCA.certificate)),
    st.sampled_from([[ROOT.certificate], [ROOT.certificate, FORGED_ROOT.certificate]]),
    st.lists(st.sampled_from(LISTS), max_size=3).map(lambda more: [*more, *ALL])
    | st.lists(st.sampled_from(LISTS), min_size=1, max_size=6),
)


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cases)
def test_what_openssl_refuses_is_refused(tmp_path: Path, case: Case) -> None:
    try:
        case.judge()
    except PeerError:
        return
    assert openssl_takes(case, tmp_path)


def test_what_openssl_takes_is_taken_where_our_rules_allow_it(tmp_path: Path) -> None:
    for issuer, others in ((MICA, Case().others), (TIGHT, [TIGHT.certificate])):
        case = Case(device(issuer), others)
        assert openssl_takes(case, tmp_path)
        case.judge()
    assert of(MICA) in ALL
