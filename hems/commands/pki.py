"""`hems pki`: a public-key infrastructure on disk, its revocation lists, its root's successor."""

import argparse
from datetime import timedelta
from pathlib import Path

from certs import roll_over
from certs.cas import CRL_LASTS
from certs.errors import CertificateError
from certs.identity import lfdi, sfdi
from certs.keys.opening import Kind, StoreSettings
from certs.keys.secret import SecretPlace
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_signer, keep_keys_by, open_pki, renew_crls
from certs.roll_over import RollOver
from certs.signed import Purpose
from hems.commands.output import fail


def run(options: argparse.Namespace) -> int:
    """Run `hems pki`; returns the exit code."""
    folder: Path = options.folder
    try:
        match options.action:
            case "init":
                _init(folder, _store(options), options.ocsp)
            case "renew":
                _renew(open_pki(folder))
            case "signer":
                _signer(open_pki(folder), options.name, options.purpose)
            case "keys":
                _keys(open_pki(folder), _store(options))
            case _:
                _roll_over(open_pki(folder), options)
    except CertificateError as error:
        return fail(str(error))
    return 0


def _store(options: argparse.Namespace) -> StoreSettings:
    kind, secret = Kind(options.store), None
    if options.secret is not None:
        secret = SecretPlace(options.secret.absolute())
    if kind is Kind.FILE and secret is None:
        raise CertificateError("encrypted files need a secret: --secret FILE")
    if kind is Kind.PKCS11 and options.module is None:
        raise CertificateError("a token needs its PKCS #11 module: --module FILE")
    module = "" if options.module is None else str(options.module)
    return StoreSettings(kind, secret, module, options.token, options.tcti)


def _init(folder: Path, store: StoreSettings, ocsp: str | None) -> None:
    pki = init_pki(folder, store=store, ocsp=ocsp)
    own = lfdi(der(read_certificates(pki.identity("hub").certificate)[0]))
    print(f"{folder}: root, MCA, MICA and operational CA; identities `utility` and `hub`")
    if store.kind is Kind.PLAIN:
        print(
            f"{folder / 'ca'}: the CAs' keys are plain files, for tests and demos; "
            "`hems pki keys` moves them into a key store"
        )
    print(f"hub LFDI {own}")
    print(f"hub SFDI {sfdi(own)}")


def _renew(pki: Pki) -> None:
    renew_crls(pki)
    print(f"{pki.trust.crls}: the revocation lists hold for another {CRL_LASTS.days} days")


def _signer(pki: Pki, name: str, purpose: str) -> None:
    made = issue_signer(pki, name, [Purpose[purpose.upper()]])
    print(f"{made.certificate} and {made.key}: signs what is a {purpose}, and nothing else")


def _keys(pki: Pki, store: StoreSettings) -> None:
    if store.kind is Kind.PLAIN:
        for path in sorted(pki.ca.folder.rglob("*.key")):
            print(f"{path}: {pki.ca.keys.held(path)}")
        return
    for path in keep_keys_by(pki, store):
        print(f"{path}: moved; how it is held: {pki.ca.keys.held(path)}")
    print("Backups made before hold the plain keys still; on flash, old cells may too.")


def _roll_over(pki: Pki, options: argparse.Namespace) -> None:
    if options.switch:
        for path in roll_over.switch(pki):
            print(f"{path}: hangs under the new root now")
    elif options.end:
        roll_over.end(pki)
    else:
        roll_over.begin(pki, timedelta(days=options.days))
    _tell(pki, roll_over.standing(pki))


def _tell(pki: Pki, found: RollOver) -> None:
    name = found.new.subject.rfc4514_string()
    if found.former is None or found.ends is None:
        print(f"{name} is the root; no other counts")
        return
    former, until = found.former.subject.rfc4514_string(), f"{found.ends:%Y-%m-%d %H:%M}Z"
    print(f"{name} follows {former}, which homes believe until {until}")
    print(f"{pki.trust.roots} and {pki.trust.crls}: give them to every server that homes call")
    if found.switched:
        print(f"after {until}: `hems pki roll-over --end` erases the former root's key")
    else:
        print("when all servers have them: `hems pki roll-over --switch`")
