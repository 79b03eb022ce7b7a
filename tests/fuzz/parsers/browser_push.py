"""What a browser says of how it wants to be told: its push service's address and its keys.

An input is three lines: the address, the key, the secret.
"""

from typing import Final
from urllib.parse import urlsplit

from certs.issue import new_key
from hems.outward import public
from hems.push.address import check_endpoint
from hems.push.errors import BadSubscriptionError
from hems.push.sealing import check_keys, key_of, key_text, seal, to_base64url
from hems.push.subscription import Subscription
from tests.fuzz.parsers.parser import Parser, WrongError, attempt, same

_NEVER: Final = ("localhost", "127.0.0.1", "::1", "192.168.1.1", "10.0.0.1", "169.254.169.254")


def examine(data: bytes) -> str:
    """Check a subscription; what is taken can be sealed for, and leads out of the home."""
    lines = [*data.decode("utf-8", "replace").split("\n", 2), "", ""]
    endpoint, point, secret = lines[:3]
    where = _endpoint(endpoint)
    keys, what = attempt(lambda: check_keys(point, secret), BadSubscriptionError)
    if keys is not None:
        whose = Subscription(
            "1", "https://push.example/1", *keys, "ada", "phone", frozenset(), "en", None, 0.0
        )
        message = seal(b"news", whose)
        same(len(message) > len(b"news"), other=True, what="a sealed message")
    own, _ = attempt(lambda: key_of(point), ValueError)
    if own is not None:
        same(key_of(key_text(own)).private_numbers(), own.private_numbers(), "a key kept")
    return f"{where}; {what}"


def _endpoint(endpoint: str) -> str:
    def taken() -> bool:
        check_endpoint(endpoint)
        return True

    found, words = attempt(taken, BadSubscriptionError)
    if found is not None:
        host = urlsplit(endpoint).hostname or ""
        if host in _NEVER or not ("." in host or ":" in host):
            raise WrongError(f"{endpoint[:100]!r} leads into the home")
        if not host.isascii() or (host.replace(".", "").isdigit() and not public(host)):
            raise WrongError(f"{host!r} is an address that is not told as one")
    return words


def seeds() -> list[bytes]:
    """Return subscriptions as browsers make them, and such as are made to do harm."""
    key = new_key()
    numbers = key.public_key().public_numbers()
    octets = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    point = to_base64url(octets)
    places = (
        "https://fcm.googleapis.example/fcm/send/abc", "https://updates.push.example:443/x",
        "http://push.example/", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
        "https://user@push.example/", "https://push.example:8443/", "https://2130706433/",
        "https://[64:ff9b::a00:1]/", "https://127.1/", "https://0x7f.1/",
        "https://push.example#x", "https://[v1.x]/", "https://a]",
    )  # fmt: skip
    made = [f"{place}\n{point}\n{to_base64url(bytes(16))}" for place in places]
    made.append(f"{places[0]}\n{key_text(key)}\n=")
    return [each.encode() for each in made]


WORDS: Final = (
    b"https://", b"@", b"#", b"[", b"]", b":443", b":99999", b"0x7f.1", b"%00", b"=", b"-_",
    b"\xc2\xb2", b"\xe3\x80\x82", b"localhost", b"::ffff:127.0.0.1",
)  # fmt: skip
PARSER: Final = Parser(examine, seeds, WORDS)
