"""Under which names the hub is known on the home's network, and which of two hubs keeps one."""

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

LABEL: Final = "hems"
DOMAIN: Final = "local"
"""The domain of multicast DNS (RFC 6762)."""
MOST: Final = 9
"""So many hubs in one house get a name of their own."""
_INSTANCE_OCTETS: Final = 63
_UNFIT: Final = re.compile(r"[^a-z0-9-]+")


def label(number: int) -> str:
    """Return the name that is tried as the `number`-th, without its domain."""
    return LABEL if number == 1 else f"{LABEL}-{number}"


def all_labels() -> list[str]:
    """Return every name that a hub may come to have, without its domain."""
    return [label(number) for number in range(1, MOST + 1)]


def host_names(machine: str) -> list[str]:
    """Return the names that a machine's host name gives it; none if it gives none."""
    name = _UNFIT.sub("-", machine.lower().partition(".")[0]).strip("-")
    return [name, f"{name}.{DOMAIN}"] if name and name != "localhost" else []


def served_names(
    taken: str, machine: str, extra: Iterable[str], addresses: Iterable[str]
) -> tuple[str, ...]:
    """Return all names under which browsers may ask for the page, the one to tell people first.

    The machine's own name comes last: not every network knows it.

    Args:
        taken: The label that the hub has on the network; empty if none.
        machine: The machine's host name.
        extra: Names of the configuration.
        addresses: IP addresses of the machine.
    """
    own = [f"{taken}.{DOMAIN}"] if taken else []
    names = [*own, *extra, *addresses, *host_names(machine)]
    return tuple(dict.fromkeys(names))


def instance(title: str, taken: str) -> str:
    """Return what DNS-SD browsers show: at most 63 octets, nothing unprintable (RFC 6763, 4.1.1).

    Args:
        title: What the home is called.
        taken: The label that the hub has on the network.
    """
    plain = "".join(letter for letter in title if letter.isprintable()).strip()
    short = plain.encode()[: _INSTANCE_OCTETS - len(taken) - 3].decode(errors="ignore").strip()
    return f"{short} ({taken})" if short else taken


def keeps(ours: Collection[str], theirs: Collection[str]) -> bool:
    """Return whether we keep a name that another machine uses too: the lowest address wins.

    Both sides reckon the same, so that one of them goes.

    Args:
        ours: Our IP addresses.
        theirs: Those that the other gives for the name.
    """
    return not theirs or (bool(ours) and _least(ours) < _least(theirs))


def _least(addresses: Collection[str]) -> tuple[int, int]:
    parsed = [ipaddress.ip_address(address) for address in addresses]
    return min((address.version, int(address)) for address in parsed)


def spoken(digest: bytes, words: int = 6) -> str:
    """Return the beginning of a digest in syllables that can be read out and compared.

    Each word is 16 bits: five letters, consonants (four bits) and vowels (two bits) in turn, the
    highest bits first.

    Args:
        digest: At least `2 * words` octets.
        words: How many; six are 96 bits, which nobody meets by trying.
    """
    pairs: Sequence[int] = [
        int.from_bytes(digest[2 * number : 2 * number + 2], "big") for number in range(words)
    ]
    return " ".join(map(_word, pairs))


_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aiou"


def _word(value: int) -> str:
    return (
        _CONSONANTS[value >> 12 & 15]
        + _VOWELS[value >> 10 & 3]
        + _CONSONANTS[value >> 6 & 15]
        + _VOWELS[value >> 4 & 3]
        + _CONSONANTS[value & 15]
    )


def in_pairs(digest: bytes) -> str:
    """Return a digest as systems show fingerprints: "AB:CD:…"."""
    return digest.hex(":").upper()
