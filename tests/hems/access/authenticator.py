"""A phone with passkeys, as far as the hub can tell: WebAuthn's device side in software."""

import base64
import hashlib
import json
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from hems.access.passkeys import Asked, Made, Signed

PRESENT = 0x01
VERIFIED = 0x04
ATTESTED = 0x40


@dataclass
class Phone:
    """A device that holds one passkey.

    Attributes:
        origin: What the browser says that the page is.
        flags: What the device says of who holds it.
        count: How often it says that it has signed.
        steps: By how much that grows each time.
        site: For which name it signs; empty for the one that is asked for.
    """

    origin: str
    flags: int = PRESENT | VERIFIED
    count: int = 0
    steps: int = 1
    site: str = ""
    credential: bytes = b"a passkey of a test"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, asked: Asked) -> Made:
        """Make the passkey."""
        numbers = self.key.public_key().public_numbers()
        public = {
            1: 2,
            3: -7,
            -1: 1,
            -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big"),
        }
        length = len(self.credential).to_bytes(2, "big")
        attested = bytes(16) + length + self.credential + cbor2.dumps(public)
        about = self._about(asked, self.flags | ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": about})
        client = self._client("webauthn.create", asked)
        return Made(text(self.credential), text(client), text(attestation))

    def sign(self, asked: Asked) -> Signed:
        """Answer by the passkey."""
        self.count += self.steps
        about, client = self._about(asked, self.flags), self._client("webauthn.get", asked)
        signed = about + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return Signed(text(self.credential), text(client), text(about), text(signature))

    def _about(self, asked: Asked, flags: int) -> bytes:
        site = (self.site or asked.site).encode()
        return hashlib.sha256(site).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, asked: Asked) -> bytes:
        said = {"type": kind, "challenge": asked.challenge, "origin": self.origin}
        return json.dumps(said).encode()


def text(content: bytes) -> str:
    """Return binary as browsers write it."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
