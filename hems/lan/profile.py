"""What a phone is given to trust the hub: the CA's certificate, and Apple's profile around it."""

import plistlib
import uuid
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.page import fingerprint

_SPACE: Final = uuid.UUID("8b0f5b0e-52b1-4b53-9c7a-5f0d0a7a3c11")
"""Ids of the profile are made of the certificate in this name space: the same one replaces it."""


def certificate_pem(authority: x509.Certificate) -> bytes:
    """Return the CA's certificate as Android, Windows, Linux and Firefox take it."""
    return authority.public_bytes(Encoding.PEM)


def apple_profile(authority: x509.Certificate, title: str, text: str) -> bytes:
    """Return a configuration profile with the CA's certificate for iOS and macOS.

    Args:
        authority: The CA's certificate.
        title: What the settings call it.
        text: What it is for, one sentence.
    """
    mark = fingerprint(authority).hex()
    inner, outer = (str(uuid.uuid5(_SPACE, f"{mark} {part}")).upper() for part in ("ca", "all"))
    certificate = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"hems.page.{mark[:16]}.ca",
        "PayloadUUID": inner,
        "PayloadDisplayName": title,
        "PayloadCertificateFileName": "home-energy.crt",
        "PayloadContent": authority.public_bytes(Encoding.DER),
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"hems.page.{mark[:16]}",
        "PayloadUUID": outer,
        "PayloadDisplayName": title,
        "PayloadDescription": text,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [certificate],
    }
    return plistlib.dumps(profile)
