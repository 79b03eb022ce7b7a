"""Which lists count: those that vendor and service provider have both signed, octet by octet. Pure.

A repository's metadata says who signed which file; each role signs under a path of its own, so
that neither can speak for the other:

    vendors/NAME/FILE     the vendor's word
    approved/NAME/FILE    the service provider's word on the very same file
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Word:
    """What a role has signed of a file.

    Attributes:
        length: Octets.
        hashes: Hex digits, by algorithm.
    """

    length: int
    hashes: Mapping[str, str]


class Refusal(StrEnum):
    """Why a file does not count."""

    NO_VENDOR = "its vendor has not signed it"
    NO_CLIENT = "the service provider has not approved it"
    DIFFERENT = "vendor and service provider have signed two different files"


def refused(vendor: Word | None, client: Word | None) -> Refusal | None:
    """Return why a file does not count; None where it does."""
    if vendor is None:
        return Refusal.NO_VENDOR
    if client is None:
        return Refusal.NO_CLIENT
    if vendor.length != client.length or not _same(vendor.hashes, client.hashes):
        return Refusal.DIFFERENT
    return None


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """SHA-256 must be there on both sides: two that share no algorithm agree on nothing."""
    return "sha256" in one and dict(one) == dict(other)
