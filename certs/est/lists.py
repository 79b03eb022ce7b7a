"""The revocation lists beside a certificate in use, made new from the server that issued it."""

import asyncio
from collections.abc import Sequence

from cryptography import x509

from certs.est import client
from certs.est.answer import Issued
from certs.identity import IdentityFiles, Trust
from certs.pem import read_certificates, read_crls, write_crls


def trusted(present: IdentityFiles, trust: Trust) -> Issued:
    """Return what is trusted: the root that the present chain ends at, its CAs, their lists.

    Args:
        present: The certificate in use.
        trust: The roots and lists in use.

    Raises:
        CertificateError: A file is missing or damaged.
    """
    chain = read_certificates(present.certificate)
    roots = read_certificates(trust.roots)
    root = next((each for each in roots if each.subject == chain[-1].issuer), roots[0])
    return Issued(tuple(chain[1:]), root, tuple(read_crls(trust.crls)))


async def refresh(authority: str, present: IdentityFiles, trust: Trust) -> None:
    """Get the lists of today; those held stay where nothing newer came.

    Args:
        authority: HOST:PORT of the server.
        present: The certificate in use.
        trust: The roots and lists in use.

    Raises:
        EstError: They cannot be got.
        CertificateError: A file is missing or damaged, or cannot be written.
    """
    before = await asyncio.to_thread(trusted, present, trust)
    after = await client.fresh_lists(authority, before)
    if later(after.crls, before.crls):
        await asyncio.to_thread(write_crls, trust.crls, after.crls)


def later(
    after: Sequence[x509.CertificateRevocationList],
    before: Sequence[x509.CertificateRevocationList],
) -> bool:
    """Return whether lists are newer than others, and none of them is older or missing."""
    made = {each.issuer: each.last_update_utc for each in after}
    pairs = [(each.last_update_utc, made.get(each.issuer)) for each in before]
    return all(new is not None and new >= old for old, new in pairs) and any(
        new != old for old, new in pairs
    )
