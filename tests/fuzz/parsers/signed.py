"""Documents that are signed: an enterprise's word, a manifest; and what stands in a word.

An input is a first octet: even for a document as it came, odd for a body that is signed rightly,
for whoever signs may be wrong, too.
"""

import base64
import json
import random
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from certs import issue
from certs.signed import Purpose, SignatureError, sign_document, verify_document
from hems.bulletin import Bulletin, FirmwareList, Statistics, Vendors
from tests.fuzz.parsers.nasty import WORDS as NASTY
from tests.fuzz.parsers.nasty import json_changed
from tests.fuzz.parsers.papers import LASTING, NOW, authorities, crls
from tests.fuzz.parsers.parser import Parser, WrongError, attempt, changed, same

_MODELS: Final = (Bulletin, FirmwareList, Vendors, Statistics)


@cache
def _signer() -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
    ca, key = authorities()[1], issue.new_key()
    usages = [each.usage for each in Purpose]
    leaf = issue.issue_signer(ca, key.public_key(), "enterprise", usages, LASTING)
    return key, [leaf, ca.certificate]


def examine(data: bytes) -> str:
    """Check a document and read what it says; only what is signed as it stands is believed."""
    head, content = (data[0], data[1:]) if data else (0, b"")
    document = sign_document(content, Purpose.BULLETIN, *_signer()) if head % 2 else content
    roots = [authorities()[0].certificate]
    read = lambda: verify_document(document, Purpose.BULLETIN, roots, NOW, crls())  # noqa: E731
    found, words = attempt(read, SignatureError)
    if head % 2:
        same(None if found is None else found.body, content, "what was signed")
        return _said(content)
    if found is not None and found.body not in _bodies():
        raise WrongError("something is believed that nobody has signed")
    return words


def _said(content: bytes) -> str:
    taken = []
    for model in _MODELS:
        try:
            found = model.model_validate_json(content)
        except ValidationError as error:
            taken.append(str(error.error_count()))
            continue
        text = found.model_dump_json()
        same(model.model_validate_json(text), found, "a word written anew")
        taken.append(model.__name__)
    return " ".join(taken)


@cache
def _bodies() -> tuple[bytes, ...]:
    firmware = {"manufacturer": "Maker", "model": "X", "version": "1.2", "state": "latest"}
    alert = {"id": "A-1", "severity": "critical", "text": "Beware", "networks": ["192.0.2.0/24"]}
    bulletin = {
        "enterprise": "Utility",
        "number": 7,
        "issued": NOW,
        "expires": NOW + 86_400,
        "alerts": [alert, {**alert, "id": "A-2", "lfdis": ["0" * 40], "until": NOW + 60}],
        "devices": [{"trusted": False, "manufacturer": "Maker", "why": "Open to all"}],
        "firmware": [{"manufacturer": "Maker", "versions": ["1.0"], "below": "1.1", "why": "Old"}],
        "severities": {"replay": "warning"},
    }
    listed = {"vendor": "maker", "firmware": [firmware], "releases": []}
    day = {"day": "2026-03-01", "software": "0.1.0", "events": {"replay": 2}, "devices": []}
    documents = (bulletin, listed, {"vendors": ["maker"]}, day)
    return tuple(json.dumps(each).encode() for each in documents)


def seeds() -> list[bytes]:
    """Return what may be said, signed, and documents as they come."""
    signed = [sign_document(body, Purpose.BULLETIN, *_signer()) for body in _bodies()[:1]]
    other = sign_document(b"{}", Purpose.MANIFEST, *_signer())
    return [*(b"\1" + body for body in _bodies()), *(b"\0" + each for each in (*signed, other))]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a body changed as JSON, or a document with a header or signature changed within."""
    if data[:1] == b"\1":
        return b"\1" + (json_changed(data[1:], rng) if rng.randrange(3) else _octets(data, rng))
    parts = data[1:].split(b".")
    if len(parts) != 3 or not rng.randrange(4):
        return data[:1] + _octets(data, rng)
    at = rng.randrange(3)
    try:
        inner = base64.urlsafe_b64decode(parts[at] + b"==")
    except ValueError:
        return data[:1] + _octets(data, rng)
    inner = _header(inner, rng) if at == 0 and rng.randrange(3) else changed(inner, rng, WORDS)
    parts[at] = base64.urlsafe_b64encode(inner).rstrip(b"=")
    return data[:1] + b".".join(parts)


def _header(inner: bytes, rng: random.Random) -> bytes:
    """Change a header as JSON, or a certificate in it as DER."""
    try:
        header = json.loads(inner)
        given = [base64.b64decode(each) for each in header["x5c"]]
    except (ValueError, TypeError, KeyError):
        return json_changed(inner, rng)
    if rng.randrange(2):
        return json_changed(inner, rng)
    at = rng.randrange(len(given) or 1)
    given[at : at + 1] = [changed(each, rng, ()) for each in given[at : at + 1]]
    header["x5c"] = [base64.b64encode(each).decode() for each in given]
    return json.dumps(header).encode()


def _octets(data: bytes, rng: random.Random) -> bytes:
    return changed(data[1:], rng, WORDS)


WORDS: Final = (*NASTY, b"x5c", b"typ", b"alg", b"none", b"ES256", b"crit", b"..", b".")
PARSER: Final = Parser(examine, seeds, WORDS, mutated, rounds=25)
