"""OCSP: questions that a responder gets, its answers, addresses in certificates, what is kept.

An input is a first octet that says which of them it is, and the rest as it came.
"""

import random
from datetime import timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from certs import issue
from certs.ocsp.answer import Status, read
from certs.ocsp.errors import OcspError
from certs.ocsp.question import Question, good_address, named
from hems.headend.ocsp.delegates import Answerer, Delegate, List, Named
from hems.headend.ocsp.responder import DeclinedError, answer, declined
from hems.server_memory import Memory, dump, load
from tests.fuzz.parsers.papers import AT, LASTING, NOW, authorities, device
from tests.fuzz.parsers.parser import Parser, attempt, changed, same

_QUESTION: Final = 0
_ANSWER: Final = 1
_ADDRESS: Final = 2
_MEMORY: Final = 3
_KINDS: Final = 4
_NONCE: Final = bytes(range(32))
_HOUR: Final = timedelta(hours=1)


class _Nobody(List):
    """A list that nobody is on."""

    def __init__(self) -> None:
        """Read no file."""

    def entry(self, serial_number: int) -> x509.RevokedCertificate | None:
        del serial_number
        return None


@cache
def _signer() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = issue.new_key()
    ca = authorities()[1]
    return issue.issue_responder(ca, key.public_key(), "responder", LASTING), key


@cache
def _asked() -> Question:
    return Question(device(), authorities()[1].certificate, _NONCE, hashes.SHA256())


@cache
def _answerers() -> dict[Named, Answerer]:
    answerer = Answerer(Delegate(*_signer()), _Nobody())
    digests = (hashes.SHA256(), hashes.SHA512())
    return {(d.name, *named(authorities()[1].certificate, d)): answerer for d in digests}


def examine(data: bytes) -> str:
    """Read a question, an answer, an address or what is remembered."""
    head, rest = (data[0], data[1:]) if data else (0, b"")
    match head % _KINDS:
        case 0:
            return _question(rest)
        case 1:
            found, words = attempt(lambda: read(rest, _asked(), NOW), OcspError)
            if found is not None:
                same(found.status in _signed_statuses(), other=True, what="a status")
                return f"{found.status.name} {words}"
            return words
        case 2:
            return "may be asked" if good_address(rest.decode("latin-1")) else "is not asked"
        case _:
            memory, words = attempt(lambda: load(rest.decode("utf-8", "replace")), ValueError)
            if memory is not None:
                same(load(dump(memory)), memory, "what is kept, written anew")
            return words


@cache
def _signed_statuses() -> frozenset[Status]:
    """Return what was ever signed: nothing else may be believed."""
    return frozenset({Status.GOOD, Status.REVOKED})


def _question(octets: bytes) -> str:
    known = {device().serial_number}
    who = _answerers()
    said, words = attempt(
        lambda: answer(octets, who, known.__contains__, NOW, _HOUR), DeclinedError
    )
    if said is not None:
        found = ocsp.load_der_ocsp_response(said)
        good = found.certificate_status is ocsp.OCSPCertStatus.GOOD
        same(good, found.serial_number in known, "who is known")
    return words


def _answers() -> list[bytes]:
    made = []
    for status in (ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED):
        asked, (certificate, key) = _asked(), _signer()
        gone = status is ocsp.OCSPCertStatus.REVOKED
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                asked.certificate,
                asked.issuer,
                asked.digest,
                status,
                AT,
                AT + _HOUR,
                AT if gone else None,
                None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, certificate)
            .certificates([certificate])
            .add_extension(x509.OCSPNonce(_NONCE), critical=False)
        )
        made.append(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    return [*made, declined(ocsp.OCSPResponseStatus.TRY_LATER)]


def seeds() -> list[bytes]:
    """Return some of each kind."""
    other = Question(device(), authorities()[0].certificate, _NONCE, hashes.SHA384())
    memory = Memory((device(),), (("ab", 1.0),), ("cd",))
    rows = [
        (_QUESTION, [_asked().octets(), other.octets(), bytes(5000)]),
        (_ANSWER, _answers()),
        (_ADDRESS, [b"http://ocsp.example/a", b"https://[::1]:8/", b"http://a:b/", b"ldap://x"]),
        (_MEMORY, [dump(memory).encode(), dump(Memory()).encode(), b"{}"]),
    ]
    return [bytes((kind,)) + each for kind, found in rows for each in found]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return an input of the same kind, changed."""
    return data[:1] + changed(data[1:], rng, WORDS)


WORDS: Final = (b"\x30\x00", b"\x30\x80", b"\x0a\x01\x06", b"\x18\x0f", b"\xa1\x02\x05\x00", b"@")
PARSER: Final = Parser(examine, seeds, WORDS, mutated)
