"""Which answers of a responder are believed, and how long: rules without a network."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from hypothesis import given
from hypothesis import strategies as st

from certs import issue
from certs.issue import Validity
from certs.ocsp.answer import LONGEST, MOST_OCTETS, TOLERANCE, Status, read
from certs.ocsp.errors import DeclinedError, OcspError, UnbelievedError
from certs.ocsp.question import addresses, good_address, pairs
from certs.ocsp.timing import after_answer_s, after_failure_s
from hems.headend.ocsp.responder import declined
from tests.certs.ocsp_papers import (
    NOW,
    Draft,
    Signer,
    asked,
    authority,
    by_authority,
    delegated,
    leaf,
    not_delegated,
    service,
    stranger,
)

pytestmark = pytest.mark.requirement("L2-KEYS")

AT = NOW.timestamp()
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("signer", [by_authority, delegated])
@pytest.mark.parametrize("named", list(ocsp.OCSPResponderEncoding))
@pytest.mark.parametrize("status", list(ocsp.OCSPCertStatus))
def test_what_the_ca_or_its_delegate_says_is_believed(
    signer: Callable[[], Signer], named: ocsp.OCSPResponderEncoding, status: ocsp.OCSPCertStatus
) -> None:
    question = asked()
    draft = Draft(question, signer(), status=status, named=named, nonce=question.nonce)
    found = read(draft.octets(), question, AT)
    assert found.status is Status[status.name]
    assert (found.at, found.until) == (AT, AT + 3600.0)


def test_an_answer_without_a_nonce_is_believed_within_its_time() -> None:
    assert read(Draft(asked(), delegated()).octets(), asked(), AT).status is Status.GOOD


def test_its_ca_may_be_named_by_either_digest() -> None:
    older = hashes.SHA1()  # noqa: S303 - what older profiles name a CA by
    for digest in (older, hashes.SHA384(), hashes.SHA512()):
        question = replace(asked(), digest=digest)
        assert read(Draft(question, by_authority()).octets(), question, AT).status is Status.GOOD


def of_stranger() -> Signer:
    return delegated(stranger())


def by_stranger() -> Signer:
    return Signer(stranger().certificate, stranger().key)


def former() -> Signer:
    return delegated(validity=Validity(NOW - timedelta(days=9), NOW - TOLERANCE - SECOND))


def coming() -> Signer:
    return delegated(validity=Validity(NOW + TOLERANCE + SECOND, NOW + timedelta(days=9)))


@pytest.mark.parametrize("named", list(ocsp.OCSPResponderEncoding))
@pytest.mark.parametrize(
    ("signer", "said"),
    [
        (of_stranger, "not of the certificate's CA"),
        (by_stranger, "not of the certificate's CA|may not answer|not signed by"),
        (not_delegated, "may not answer for its CA"),
        (former, "does not hold now"),
        (coming, "does not hold now"),
    ],
)
def test_nobody_else_is_believed(
    signer: Callable[[], Signer], said: str, named: ocsp.OCSPResponderEncoding
) -> None:
    question = asked()
    octets = Draft(question, signer(), named=named, nonce=question.nonce).octets()
    with pytest.raises(UnbelievedError, match=said):
        read(octets, question, AT)


def test_whose_signature_only_names_the_ca_is_not_believed() -> None:
    """By the CA's own name and another key, with nothing that shows it."""
    named = ocsp.OCSPResponderEncoding.NAME
    for signer in (by_stranger(), of_stranger()):
        octets = Draft(asked(), signer, named=named, shown=False).octets()
        with pytest.raises(UnbelievedError, match="not signed by"):
            read(octets, asked(), AT)


def test_a_delegate_that_is_revoked_is_not_believed() -> None:
    signer = delegated()
    gone = issue.revocation(signer.certificate.serial_number, NOW)
    crl = issue.issue_crl(authority(), [gone], NOW, timedelta(days=1))
    octets = Draft(asked(), signer).octets()
    assert read(octets, asked(), AT).status is Status.GOOD
    with pytest.raises(UnbelievedError, match="revoked"):
        read(octets, asked(), AT, [crl])


def test_a_delegate_that_does_not_come_along_is_nobody() -> None:
    with pytest.raises(UnbelievedError, match="not signed by"):
        read(Draft(asked(), delegated(), shown=False).octets(), asked(), AT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"about": service()}, "another certificate"),
        ({"issuer": stranger().certificate}, "another CA"),
        ({"digest": hashes.SHA384()}, "another CA"),
        ({"nonce": b"\1" * 32}, "another question"),
        ({"nonce": b"\1"}, "another question"),
        ({"extension": (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0"), True)},
         "critical extension"),
    ],
)  # fmt: skip
def test_an_answer_to_something_else_is_not_believed(change: dict[str, Any], said: str) -> None:
    question = asked()
    octets = replace(Draft(question, by_authority()), **change).octets()
    with pytest.raises(UnbelievedError, match=said):
        read(octets, question, AT)


def test_an_answer_to_an_earlier_question_is_no_answer() -> None:
    """Somebody on the way gives what he has kept of before the revocation."""
    before = asked()
    kept = Draft(before, delegated(), nonce=before.nonce).octets()
    assert read(kept, before, AT).status is Status.GOOD
    with pytest.raises(UnbelievedError, match="nonce differs"):
        read(kept, asked(), AT)


@pytest.mark.parametrize(
    ("at", "until", "held"),
    [
        (timedelta(0), timedelta(hours=1), timedelta(hours=1)),
        (-timedelta(days=9), timedelta(0), timedelta(0)),
        (TOLERANCE, timedelta(hours=1), timedelta(hours=1)),
        (-timedelta(hours=1), -TOLERANCE, -TOLERANCE),
        (timedelta(0), timedelta(days=400), LONGEST),
        (-timedelta(hours=2), None, timedelta(hours=22)),
        (TOLERANCE + SECOND, timedelta(hours=1), None),
        (-timedelta(hours=1), -TOLERANCE - SECOND, None),
        (-timedelta(days=2), None, None),
    ],
)
def test_an_answer_counts_in_its_time_by_the_hubs_clock(
    at: timedelta, until: timedelta | None, held: timedelta | None
) -> None:
    ends = None if until is None else NOW + until
    octets = Draft(asked(), by_authority(), at=NOW + at, until=ends).octets()
    if held is None:
        with pytest.raises(UnbelievedError, match=r"held until|is to come"):
            read(octets, asked(), AT)
    else:
        assert read(octets, asked(), AT).until == (NOW + held).timestamp()


@pytest.mark.parametrize("status", [s for s in ocsp.OCSPResponseStatus if s.value])
def test_a_refusal_says_which(status: ocsp.OCSPResponseStatus) -> None:
    with pytest.raises(DeclinedError) as caught:
        read(declined(status), asked(), AT)
    assert caught.value.status is status


def test_what_is_too_long_is_not_read() -> None:
    with pytest.raises(UnbelievedError, match="longer than"):
        read(bytes(MOST_OCTETS + 1), asked(), AT)


GOOD = Draft(asked(), delegated()).octets()


@given(at=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_is_believed_to_say_otherwise(at: int, bit: int) -> None:
    octets = bytearray(GOOD)
    octets[at] ^= 1 << bit
    with suppress(OcspError):
        assert read(bytes(octets), asked(), AT).status is Status.GOOD


@given(octets=st.binary(max_size=200))
def test_garbage_is_an_error_with_words(octets: bytes) -> None:
    with pytest.raises(OcspError, match=r"\w"):
        read(octets, asked(), AT)


def _naming(*urls: str) -> x509.Certificate:
    descriptions = [
        x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url)
        )
        for url in urls
    ]
    key = issue.new_key()
    name = x509.Name([])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.AuthorityInformationAccess(descriptions), critical=False)
        .sign(key, hashes.SHA256())
    )


def test_only_http_is_asked() -> None:
    good = ["http://ocsp.example/", "https://[::1]:8/x", "http://10.0.0.1:80/ocsp?a=b"]
    bad = [
        "ldap://a/b",
        "file:///etc/passwd",
        "http:///x",
        "http://a@b/",
        "http://a:b/",
        "gopher:x",
    ]
    bad += ["http://a/ b", "http://a/\n", "http://" + "a" * 2000]
    assert addresses(_naming(*bad, *good)) == tuple(good)
    assert not any(good_address(each) for each in bad)
    assert addresses(leaf()) == ()


def test_a_root_is_not_asked_about() -> None:
    chain = [leaf(), authority().certificate]
    assert pairs(chain) == ((chain[0], chain[1]),)
    assert pairs(chain[1:]) == ()


@given(until=st.floats(-1e9, 1e9), chance=st.floats(0, 1))
def test_answers_are_renewed_in_time_and_not_too_often(until: float, chance: float) -> None:
    wait_s = after_answer_s(until, 0.0, chance)
    assert 60.0 <= wait_s <= 86_400.0
    assert until < 120.0 or wait_s < until


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_silent_responder_is_tried_ever_less(failures: int, chance: float) -> None:
    assert 45.0 <= after_failure_s(failures, chance) <= 4500.0
