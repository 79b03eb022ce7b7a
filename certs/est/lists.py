"""What is trusted beside a certificate in use, made new from the server that issued it.

Beside the file of the roots stands one of the links between them, NAME.links.pem, while the CA
changes its root: by them a hub knows until when the former one counts, whoever can be asked then.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from certs.errors import CertificateError
from certs.est import client
from certs.est.answer import Issued, chain_to, list_signed_by
from certs.est.roots import Anchors, current, signed_by, to_be_left
from certs.identity import IdentityFiles, Trust
from certs.pem import read_certificates, read_crls, write_certificates, write_crls


def trusted(present: IdentityFiles, trust: Trust) -> Issued:
    """Return what is trusted: roots, the CAs of the present chain, revocation lists.

    Args:
        present: The certificate in use.
        trust: The roots and lists in use.

    Raises:
        CertificateError: A file is missing or damaged.
    """
    chain = read_certificates(present.certificate)
    return Issued(tuple(chain[1:]), _anchors(trust), tuple(read_crls(trust.crls)))


async def refresh(
    authority: str,
    present: IdentityFiles,
    trust: Trust,
    now: Callable[[], float] = time.time,
) -> None:
    """Get the roots and lists of today; those held stay where nothing newer came.

    Where the CA changes its root, the certificate in use gets the intermediate CAs that lead to
    the new one, in time, and once the server has taken it so.

    Args:
        authority: HOST:PORT of the server.
        present: The certificate in use.
        trust: The roots and lists in use.
        now: UTC epoch seconds.

    Raises:
        EstError: They cannot be got, or the server does not take the certificate so.
        CertificateError: A file is missing or damaged, or cannot be written.
    """
    before = await asyncio.to_thread(trusted, present, trust)
    after = await client.fresh(authority, before, now())
    await asyncio.to_thread(keep, trust, after)
    chain = await asyncio.to_thread(_next_chain, present, after, now())
    if chain is None:
        return
    draft = replace(present, certificate=present.certificate.with_suffix(".moving"))
    try:
        await asyncio.to_thread(write_certificates, draft.certificate, chain)
        await client.prove(authority, after, draft)
        await asyncio.to_thread(draft.certificate.replace, present.certificate)
    except OSError as error:
        raise CertificateError(
            f"{present.certificate}: cannot be written: {error.strerror}"
        ) from error
    finally:
        draft.certificate.unlink(missing_ok=True)


def keep(trust: Trust, after: Issued) -> None:
    """Write roots, links and lists that came; what is held already is not written again.

    Lists first: whoever believes a new root needs its list.

    Raises:
        CertificateError: A file is missing or damaged, or cannot be written.
    """
    before = _anchors(trust)
    gone = [each for each in before.roots if each not in after.roots]
    held = read_crls(trust.crls)
    crls = merged([crl for crl in held if not _of(crl, gone)], after.crls)
    if crls != tuple(held):
        write_crls(trust.crls, crls)
    if after.anchors.links != before.links:
        _write_links(trust, after.anchors.links)
    if set(after.roots) != set(before.roots):
        write_certificates(trust.roots, after.roots)


def forget(present: IdentityFiles, trust: Trust, now: float) -> bool:
    """Forget roots whose time is over; returns whether there were any. Asks nobody.

    Args:
        present: The certificate in use.
        trust: The roots and lists in use.
        now: UTC epoch seconds.

    Raises:
        CertificateError: A file is missing or damaged, or cannot be written.
    """
    before = trusted(present, trust)
    after = current(before.anchors, datetime.fromtimestamp(now, UTC))
    if after == before.anchors:
        return False
    keep(trust, replace(before, anchors=after, crls=()))
    return True


def merged(
    before: Sequence[x509.CertificateRevocationList],
    after: Sequence[x509.CertificateRevocationList],
) -> tuple[x509.CertificateRevocationList, ...]:
    """Return the newest list of each CA; of two of one time the one that is held."""
    newest: dict[object, x509.CertificateRevocationList] = {}
    for each in (*before, *after):
        held = newest.get(mark := _mark(each))
        if held is None or each.last_update_utc > held.last_update_utc:
            newest[mark] = each
    return tuple(newest.values())


def links_file(trust: Trust) -> Path:
    """Return where the links between the roots of a file are kept."""
    return trust.roots.with_suffix(".links.pem")


def _anchors(trust: Trust) -> Anchors:
    roots, path = read_certificates(trust.roots), links_file(trust)
    roots.sort(key=lambda root: root.not_valid_before_utc, reverse=True)
    return Anchors(tuple(roots), tuple(read_certificates(path)) if path.exists() else ())


def _write_links(trust: Trust, links: Sequence[x509.Certificate]) -> None:
    path = links_file(trust)
    if links:
        write_certificates(path, links)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CertificateError(f"{path}: cannot be removed: {error.strerror}") from error


def _next_chain(
    present: IdentityFiles, after: Issued, now: float
) -> tuple[x509.Certificate, ...] | None:
    """Return the chain that is to be shown from now on; None for the present one."""
    chain = read_certificates(present.certificate)
    root = next((each for each in after.roots if signed_by(chain[-1], each)), None)
    at = datetime.fromtimestamp(now, UTC)
    if root is not None and not to_be_left(root, after.anchors, at):
        return None
    return chain_to(chain[0], after.chain, after.roots[:1])


def _mark(crl: x509.CertificateRevocationList) -> object:
    """Return what tells the lists of one CA's key from all others."""
    for extension in crl.extensions:
        if isinstance(extension.value, x509.AuthorityKeyIdentifier):
            return crl.issuer, extension.value.key_identifier
    return crl.issuer, None


def _of(crl: x509.CertificateRevocationList, roots: Sequence[x509.Certificate]) -> bool:
    return any(list_signed_by(crl, root) for root in roots)
