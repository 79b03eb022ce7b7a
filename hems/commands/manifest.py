"""`hems manifest`: makes, signs and checks the list of what the software consists of."""

import argparse
import secrets
import subprocess  # only this program itself is started
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

from certs.agent.tree import Listed, Scope, Tree
from certs.errors import CertificateError
from certs.manifest.check import check_manifest, sign_manifest
from certs.manifest.expected import Damaged, expected
from certs.manifest.installation import Installation
from certs.manifest.make import Release, make_manifest
from certs.manifest.manifest import Manifest, ManifestError, read_manifest
from certs.pem import read_certificates, read_signing_key, write_file
from hems.agent.letters import BootWord
from hems.commands.output import fail

_DAY_S: Final = 86_400
_BACKDATED_S: Final = 3_600
_ASKED_WITHIN_S: Final = 60.0
_MOST_SHOWN: Final = 20
_NONCE: Final = 32


def run(options: argparse.Namespace) -> int:
    """Run `hems manifest`; returns the exit code."""
    try:
        match options.what:
            case "make":
                return _make(options)
            case "sign":
                return _sign(options)
            case _:
                return _check(options)
    except CertificateError as error:
        return fail(str(error))


def _make(options: argparse.Namespace) -> int:
    now = int(time.time())
    release = Release(
        version=version("hems"),
        publisher=options.publisher,
        number=options.number,
        valid_from=now - _BACKDATED_S,
        valid_until=now + options.days * _DAY_S,
        compiled=options.compiled,
        closed=not options.open,
        boot=_boot(options.boot) if options.boot else {},
    )
    manifest = make_manifest(Installation.present(), release)
    write_file(options.out.absolute(), manifest.canonical(), mode=0o644)
    files = sum(len(package.files) for package in manifest.packages)
    others = len(manifest.distributions)
    print(f"{options.out}: {files} files, {others} distributions; not signed yet")
    return 0


def _boot(tcti: str) -> dict[str, str]:
    """Return what the TPM's registers hold now."""
    command = (sys.executable, "-m", "certs.agent.look_boot", tcti, secrets.token_hex(_NONCE))
    try:
        done = subprocess.run(  # noqa: S603 - see above
            command, check=True, capture_output=True, timeout=_ASKED_WITHIN_S
        )
        found = BootWord.model_validate_json(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ManifestError(f"the TPM ({tcti}) cannot be asked: {error}") from error
    if found.error:
        raise ManifestError(found.error)
    return found.registers


def _sign(options: argparse.Namespace) -> int:
    try:
        body = options.file.read_bytes()
    except OSError as error:
        return fail(f"{options.file}: cannot be read: {error.strerror}")
    manifest = read_manifest(body, options.file)
    chain, key = read_certificates(options.certificate), read_signing_key(options.key)
    write_file(options.out.absolute(), sign_manifest(manifest, key, chain), mode=0o644)
    print(f"{options.out}: {_named(manifest)}, signed")
    return 0


def _check(options: argparse.Namespace) -> int:
    roots = read_certificates(options.roots)
    manifest = check_manifest(options.file, roots, time.time(), least=options.least)
    print(f"{options.file}: {_named(manifest)}")
    wrong = measured(manifest, Installation.present())
    for each in wrong[:_MOST_SHOWN]:
        print(each)
    if wrong:
        return fail(f"the installed software is not what was signed: {len(wrong)} files differ")
    print("the installed software is what was signed")
    return 0


def measured(manifest: Manifest, installation: Installation) -> list[str]:
    """Return what of an installation is not as a manifest has it, a line each; reads all files."""
    folders: dict[str, dict[str, tuple[int, bytes]]] = {}
    found = []
    for each in expected(manifest, installation):
        if isinstance(each, Damaged):
            found.append(f"changed: {each.path}")
            continue
        path = Path(each.path)
        listed = folders.setdefault(str(path.parent), {})
        listed[path.name] = (each.size, bytes.fromhex(each.sha256))
    root = installation.root
    packages = [str(root / package.name) for package in manifest.packages]
    own: dict[str, Listed] = {
        folder: listed
        for folder, listed in folders.items()
        if any(Path(folder).is_relative_to(package) for package in packages)
    }
    ignored = frozenset(str(root / each) for each in manifest.ignored)
    others: dict[str, Listed] = {f: e for f, e in folders.items() if f not in own}
    sites = [str(site) for site in installation.sites] if others else []
    for scope in (
        Scope(packages, own, ignored, compiled=manifest.compiled),
        Scope(
            sites,
            others,
            ignored | frozenset(packages),
            compiled=manifest.compiled,
            closed=manifest.closed,
        ),
    ):
        tree = Tree(scope)
        for _ in tree.sweep(0.0):
            pass
        found += [f"{wrong.what}: {wrong.path}" for wrong in tree.wrong]
    return found


def _named(manifest: Manifest) -> str:
    return (
        f"{manifest.name} {manifest.version}, number {manifest.number}, by {manifest.publisher}, "
        f"until {time.strftime('%Y-%m-%d', time.gmtime(manifest.valid_until))}"
    )
