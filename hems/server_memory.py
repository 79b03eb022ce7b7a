"""What is remembered of a utility's server over a restart: its chain, and what OCSP said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict

from certs.pem import UNREADABLE

_STRICT: Final = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered.

    Attributes:
        chain: The server's, as it was verified last; empty for none.
        good_until: UTC epoch seconds until which OCSP vouches, by `certs.standing.mark`.
        revoked: The marks of those that OCSP called revoked, the latest last.
    """

    chain: Sequence[x509.Certificate] = ()
    good_until: tuple[tuple[str, float], ...] = ()
    revoked: tuple[str, ...] = ()


class _Kept(BaseModel):
    model_config = _STRICT

    chain: str
    good_until: dict[str, float]
    revoked: tuple[str, ...]


def dump(memory: Memory) -> str:
    """Return what is remembered as text."""
    chain = "".join(each.public_bytes(Encoding.PEM).decode() for each in memory.chain)
    kept = _Kept(chain=chain, good_until=dict(memory.good_until), revoked=memory.revoked)
    return kept.model_dump_json()


def load(text: str) -> Memory:
    """Return what `dump` wrote.

    Raises:
        ValueError: The text is something else.
    """
    try:
        kept = _Kept.model_validate_json(text)
        chain = x509.load_pem_x509_certificates(kept.chain.encode()) if kept.chain else []
    except UNREADABLE as error:  # pydantic's is a ValueError
        raise ValueError("what was kept of the server's certificates is damaged") from error
    return Memory(tuple(chain), tuple(kept.good_until.items()), kept.revoked)
