"""What a utility answers with: told by what it is, refused where it is another home's."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from certs.pem import read_certificates
from certs.pki import Pki, init_pki, sign_request
from hems.settings.config import load
from hems.settings.settings_file import place, write
from hems.setup.editing import Editor
from hems.setup.enrolment import EnrolmentError, install, read
from hems.setup.identity import KeyRing, identity_of


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return init_pki(tmp_path_factory.mktemp("utility") / "pki")


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    found = KeyRing(tmp_path)
    found.prepare()
    return found


def pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def answer(pki: Pki, ring: KeyRing) -> bytes:
    request = x509.load_pem_x509_csr(ring.request("Rosenweg"))
    chain = sign_request(pki, request, "hub-1")
    return pem([*reversed(chain), *read_certificates(pki.trust.roots)]) + (
        pki.trust.crls.read_bytes()
    )


@pytest.mark.requirement("LC-COMMISSION", "PRO-2030.5")
def test_an_answer_in_any_order_makes_a_utility(pki: Pki, ring: KeyRing) -> None:
    key = ring.key.read_bytes()
    said = b"Server: https://127.0.0.1:8443/dcap\nEdition: 2023\n"
    section = install(ring, read(said + answer(pki, ring)), "", "", "")
    path = ring.home / "hems.toml"
    write(place(path), {}, 0.0)
    assert Editor(path).put("utility", section) == []
    (utility,) = load(path).utility
    assert (utility.url, utility.edition) == ("https://127.0.0.1:8443/dcap", "2023")
    assert utility.pin == ring.pin()
    assert utility.key.stat().st_mode & 0o777 == 0o600
    identity = identity_of(utility.certificate, utility.pin)
    assert len(identity.lfdi) == 40
    assert identity.lfdi in identity.text
    assert identity.picture.startswith(b"<svg")
    assert b"style=" not in identity.picture
    assert ring.key.read_bytes() == key, "the key was made once"
    assert len(read_certificates(utility.certificate)) == 3


def test_what_the_owner_says_holds_before_the_answer(pki: Pki, ring: KeyRing) -> None:
    given_ = read(b"Server: https://other/dcap\nPIN: 111115\n" + answer(pki, ring))
    section = install(ring, given_, "https://mine/dcap", "", "csip")
    assert section["url"] == "https://mine/dcap"
    assert section["pin"] == "111115"
    assert section["edition"] == "csip"


def test_each_answer_goes_into_a_folder_of_its_own(pki: Pki, ring: KeyRing) -> None:
    first = install(ring, read(answer(pki, ring)), "", "", "")
    second = install(ring, read(answer(pki, ring)), "", "", "")
    assert first["certificate"] != second["certificate"]
    assert (ring.home / str(first["certificate"])).exists()


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("nothing", "no certificate"),
        ("another", "another request"),
        ("rootless", "root certificate"),
        ("crlless", "revocation lists"),
        ("torn", "damaged"),
        ("rsa", "does not belong"),
    ],
)
def test_what_is_missing_is_said(pki: Pki, ring: KeyRing, part: str, said: str) -> None:
    whole = answer(pki, ring)
    root = pem(read_certificates(pki.trust.roots))
    crls = pki.trust.crls.read_bytes()
    hub = pki.identity("hub").certificate.read_bytes()
    contents = {
        "nothing": b"hello",
        "another": hub + root + crls,
        "rootless": whole.replace(root, b""),
        "crlless": whole.replace(crls, b""),
        "torn": whole.replace(b"MII", b"XXX", 1),
        "rsa": whole + b"-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n",
    }
    with pytest.raises(EnrolmentError, match=said):
        install(ring, read(contents[part]), "", "", "")
    assert not list(ring.folder.glob("utility-*"))


@given(st.binary(max_size=400))
def test_garbage_is_never_taken_for_a_certificate(content: bytes) -> None:
    part = b"-----BEGIN CERTIFICATE-----\n" + content + b"\n-----END CERTIFICATE-----"
    with pytest.raises(EnrolmentError, match="damaged"):
        read(part)
