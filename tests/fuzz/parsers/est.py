"""What an EST server answers with, and what a hub asks of it: base64, PKCS #7, PKCS #10, DER.

An input is a first octet that says which of them it is, and DER that is put into base64; or, for
an odd octet, base64 as it came.
"""

import random
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from certs import tlv
from certs.est.errors import EstError
from certs.est.request import request_body
from certs.est.roots import Anchors, learned
from certs.est.transport import server_time
from certs.est.wire import (
    Wishes,
    certs_only,
    crls_only,
    in_base64,
    out_of_base64,
    read_certs_only,
    read_crls_only,
    read_wishes,
    wishes_body,
)
from certs.hwname import read_hardware_name
from hems.headend.errors import RequestError
from hems.headend.est.policy import judged
from tests.fuzz.parsers.papers import NAME, authorities, crls, device, device_key
from tests.fuzz.parsers.parser import Parser, attempt, changed, same

_CERTS: Final = 0
_CRLS: Final = 1
_WISHES: Final = 2
_REQUEST: Final = 3
_NAME: Final = 4
_DATE: Final = 5
_KINDS: Final = 6


def examine(data: bytes) -> str:
    """Read an answer, a request or a name."""
    head, rest = (data[0], data[1:]) if data else (0, b"")
    kind = head // 2 % _KINDS
    body = rest if head % 2 else in_base64(rest)
    match kind:
        case 0:
            return _certificates(body)
        case 1:
            found, words = attempt(lambda: read_crls_only(body), EstError)
            same(found is None or len(found) > 0, other=True, what="lists")
            return words
        case 2:
            return attempt(lambda: read_wishes(body), EstError)[1]
        case 3:
            asked, words = attempt(lambda: judged(body), RequestError)
            if asked is not None:
                same(asked.key.curve.name, ec.SECP256R1.name, "curve")
            return words
        case 4:
            return _hardware(rest)
        case _:
            at = server_time(rest.decode("latin-1"))
            return "a date" if at is not None else "no date"


def _certificates(body: bytes) -> str:
    found, words = attempt(lambda: read_certs_only(body), EstError)
    for each in found or ():
        _ = each.subject.rfc4514_string(), list(each.extensions), each.public_key()
    root = authorities()[0].certificate
    held = Anchors((root,))
    believed = learned(held, found or (), (), root.not_valid_before_utc)
    same(believed.roots, held.roots, "roots, of which nobody has signed another")
    return words


def _hardware(der: bytes) -> str:
    found, words = attempt(lambda: read_hardware_name(der), ValueError)
    if found is not None:
        same(found.other_name().value, der, "a name written anew")
    return words


def _head(kind: int, *, raw: bool = False) -> bytes:
    return bytes((2 * kind + raw,))


def seeds() -> list[bytes]:
    """Return an answer and a request of each kind, as DER and as they stand on the wire."""
    root, ca = authorities()
    chain = certs_only([device(), ca.certificate, root.certificate])
    asked = request_body(device_key(), NAME, Wishes())
    tied = request_body(device_key(), NAME, Wishes(linked=True), b"\x01" * 12)
    bodies = (
        (_CERTS, chain),
        (_REQUEST, tied),
        (_CRLS, crls_only(crls())),
        (_WISHES, wishes_body()),
    )
    made = [_head(k) + out_of_base64(b) for k, b in (*bodies, (_REQUEST, asked))]
    made += [_head(k, raw=True) + b for k, b in (*bodies, (_REQUEST, asked))]
    names = [NAME.other_name().value, tlv.tlv(tlv.SEQUENCE, tlv.oid("2.999.3"))]
    made += [_head(_NAME) + each for each in names]
    made += [_head(_DATE) + each for each in (b"Sun, 01 Mar 2026 12:00:00 GMT", b"1", b",,,")]
    return made


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return an input with an element of its DER cut out, doubled, or of another tag or length."""
    head, body = data[:1], bytearray(data[1:])
    if not body or rng.randrange(3):
        return head + changed(bytes(body), rng, WORDS)
    tags = [at for at, octet in enumerate(body[:-1]) if octet in _TAGS]
    if not tags:
        return head + changed(bytes(body), rng, WORDS)
    at = rng.choice(tags)
    if rng.randrange(2):
        body[at] = rng.choice(_TAGS)
    else:
        body[at + 1] = rng.choice((0, 0x7F, 0x80, 0x81, 0x84, 0xFF))
    return head + bytes(body)


_TAGS: Final = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x17, 0x18, 0x30, 0x31, 0xA0, 0xA1, 0xA3)
WORDS: Final = (b"\x30\x00", b"\x30\x80", b"\x06\x00", b"\x02\x01\x00", b"\x30\x84\xff\xff\xff\xff")
PARSER: Final = Parser(examine, seeds, WORDS, mutated)
