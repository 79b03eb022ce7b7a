"""Bodies and times of EST, pure: read back as written, garbage refused, renewal in good time."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import tlv
from certs.est.errors import EstError
from certs.est.timing import renew_at, wait_s
from certs.est.wire import (
    certs_only,
    crls_only,
    in_base64,
    read_certs_only,
    read_crls_only,
    read_wishes,
    wishes_body,
)
from certs.issue import FOREVER
from certs.pem import read_certificates, read_crls
from certs.pki import Pki, init_pki

DAY_S = 86400.0
EC_KEY, RSA, P256, P384 = (
    "1.2.840.10045.2.1",
    "1.2.840.113549.1.1.1",
    "1.2.840.10045.3.1.7",
    "1.3.132.0.34",
)
SHA256, SHA384, CHALLENGE = "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.113549.1.9.7"


def test_certificates_and_lists_come_back_as_they_went(pki: Pki) -> None:
    chain = read_certificates(pki.identity("hub").certificate)
    assert set(read_certs_only(certs_only(chain))) == set(chain)
    crls = read_crls(pki.trust.crls)
    assert list(read_crls_only(crls_only(crls))) == crls
    assert max(map(len, certs_only(chain).split(b"\r\n"))) <= 76


@pytest.mark.requirement("LC-TEST")
def test_one_kind_is_not_the_other(pki: Pki) -> None:
    chain, crls = (
        read_certificates(pki.identity("hub").certificate),
        read_crls(pki.trust.crls),
    )
    with pytest.raises(EstError):
        read_crls_only(certs_only(chain))
    with pytest.raises(EstError):
        read_certs_only(crls_only(crls))
    with pytest.raises(EstError):
        read_certs_only(certs_only(chain)[:-40])


@pytest.mark.requirement("LC-TEST")
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(base64.b64encode)))
def test_garbage_is_one_error(body: bytes) -> None:
    for read in (read_certs_only, read_crls_only, read_wishes):
        with suppress(EstError):  # and no other error
            read(body)


@pytest.mark.requirement("LC-TEST")
@given(st.data())
def test_one_flipped_octet_is_an_error_or_harmless(pki_body: bytes, data: st.DataObject) -> None:
    der = bytearray(base64.b64decode(pki_body))
    der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(EstError):  # and no other error
        read_certs_only(in_base64(bytes(der)))


@pytest.fixture(scope="module")
def pki_body(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = init_pki(tmp_path_factory.mktemp("p") / "pki")
    return certs_only(read_certificates(made.identity("hub").certificate))


def wishes(*parts: bytes) -> bytes:
    return in_base64(tlv.tlv(tlv.SEQUENCE, b"".join(parts)))


def attribute(name: str, *values: str) -> bytes:
    inner = tlv.tlv(tlv.SET, b"".join(map(tlv.oid, values)))
    return tlv.tlv(tlv.SEQUENCE, tlv.oid(name) + inner)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (wishes_body(), (True, True, False)),
        (wishes(), (True, True, False)),
        (wishes(attribute(EC_KEY, P384)), (False, True, False)),
        (wishes(attribute(EC_KEY, P384, P256)), (True, True, False)),
        (wishes(attribute(RSA)), (False, True, False)),
        (wishes(tlv.oid(SHA384)), (True, False, False)),
        (wishes(tlv.oid(SHA384), tlv.oid(SHA256)), (True, True, False)),
        (wishes(tlv.oid(CHALLENGE)), (True, True, True)),
    ],
)
def test_wishes(body: bytes, expected: tuple[bool, bool, bool]) -> None:
    found = read_wishes(body)
    assert (found.p256, found.sha256, found.linked) == expected


@given(st.floats(0, 4e9), st.floats(60, 30 * 365 * DAY_S), st.floats(0, 1), st.floats(0, 1))
def test_renewed_after_two_thirds_and_well_before_the_end(
    begins: float, life_s: float, one: float, other: float
) -> None:
    ends = begins + life_s
    at, later = sorted((renew_at(begins, ends, each) or 0.0) for each in (one, other))
    slack = 1e-6 * max(1.0, ends)
    assert begins + life_s * 2 / 3 - slack <= at <= later <= begins + life_s * 0.75 + slack


def test_what_never_ends_is_never_renewed() -> None:
    assert renew_at(1.7e9, FOREVER.timestamp(), 0.5) is None
    with pytest.raises(ValueError, match="chance"):
        renew_at(0.0, 1.0, 1.1)


@given(st.integers(1, 400), st.floats(0, 1), st.floats(-1e7, 1e8), st.floats(0, 1e6))
def test_tries_come_further_apart_but_never_too_late(
    failures: int, chance: float, left_s: float, asked_s: float
) -> None:
    waited = wait_s(failures, chance, left_s, asked_s)
    assert 10.0 <= waited <= DAY_S
    assert waited >= min(asked_s, DAY_S)
    if asked_s == 0.0 and left_s > 80.0:
        assert waited <= left_s / 8 + 1e-6
    assert wait_s(failures + 1, chance, left_s, asked_s) >= waited - 1e-9


def test_the_first_waits_are_short() -> None:
    assert [wait_s(n, 1.0, 30 * DAY_S) for n in (1, 2, 3, 30)] == [60.0, 120.0, 240.0, DAY_S]
    assert wait_s(9, 1.0, 0.0) == 15360.0, "an end that is over hurries nobody"
