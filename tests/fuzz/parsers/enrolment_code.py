"""An enrolment code as people type it; changed behind its check sum, too."""

import random
from typing import Final

from certs.est.code import EnrolmentCode, _check, _digits, _octets, new_secret, read_code, server_of
from certs.est.errors import EstError
from tests.fuzz.parsers.parser import Parser, attempt, changed, same

WORDS: Final = (b"HEMS1:", b"hems1:", b"[::1]", b":8443:", b"-", b"\xc2\xb2", b"OIL", b"\n")


def examine(data: bytes) -> str:
    """Read a code; what is read is written and read once more."""
    text = data.decode("utf-8", "replace")
    found, words = attempt(lambda: read_code(text), EstError)
    if found is not None:
        same(read_code(found.text()), found, "the code written anew")
        same(server_of(found.authority), (found.host, found.port), "its server")
    return words


def seeds() -> list[bytes]:
    """Return codes of all kinds, as they are shown and as they are typed."""
    mark, secret = bytes(range(16)), new_secret()
    codes = [
        EnrolmentCode("utility.example", 8443, mark, secret, "111115").text(),
        EnrolmentCode("192.0.2.7", 443, mark, secret).text(),
        EnrolmentCode("fd00::7", 65535, mark, b"", "123455").text(),
        EnrolmentCode("u", 1, mark).text(),
    ]
    return [each.encode() for code in codes for each in (code, code.lower(), "\n ".join(code))]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a code with other octets in it and the check that fits them."""
    text = data.decode("utf-8", "replace")
    try:
        known = read_code(text)
        body = changed(_octets(known.text().rpartition(":")[2])[:-2], rng, ())
    except EstError:
        return changed(data, rng, WORDS)
    if rng.randrange(3) == 0:
        return changed(data, rng, WORDS)
    return f"HEMS1:{known.authority}:{_digits(body + _check(known.authority, body))}".encode()


PARSER: Final = Parser(examine, seeds, WORDS, mutated)
