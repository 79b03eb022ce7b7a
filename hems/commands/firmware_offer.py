"""`hems headend firmware`: the provider's and the vendors' side of the firmware lists."""

import argparse

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import ValidationError

from certs.errors import CertificateError
from hems.bulletin import LIST, Firmware, FirmwareList, Package, Release, State
from hems.commands.output import fail
from hems.headend.errors import HeadEndError
from hems.headend.firmware.offers import Which, listed, offered, released, withdrawn
from hems.headend.firmware.repository import FirmwareError, FirmwareRepository
from hems.software import archive


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    repository = FirmwareRepository(options.folder)
    try:
        match options.what:
            case "init":
                repository.make(root_keys=options.root_keys, threshold=options.threshold)
                print(f"{repository.root_file}: give this to the hubs ([firmware] root)")
            case "add-vendor":
                repository.add_vendor(options.vendor, _public(options))
                print(f"{options.vendor} may sign; `publish` tells the hubs")
            case "offer":
                _offer(repository, options)
            case "withdraw":
                which = Which(options.version, options.manufacturer, options.model)
                found = withdrawn(_list(repository, options.vendor), which, options.why)
                repository.sign(options.vendor, {LIST: _octets(found)})
                print(f"{options.version} is withdrawn; `approve` and `publish` tell the hubs")
            case "approve":
                files = ", ".join(repository.approve(options.vendor))
                print(f"approved of {options.vendor}: {files}; `publish` tells the hubs")
            case "publish":
                _publish(repository)
            case _:
                _show(repository)
    except (HeadEndError, CertificateError, archive.ArchiveError) as error:
        return fail(str(error))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return fail(f"{'.'.join(str(each) for each in first['loc'])}: {first['msg']}")
    except OSError as error:
        return fail(f"{error.filename or options.folder}: {error.strerror}")
    return 0


def _offer(repository: FirmwareRepository, options: argparse.Namespace) -> None:
    before, state = _list(repository, options.vendor), State(options.state)
    files: dict[str, bytes] = {}
    if options.manufacturer:
        entry = Firmware(
            manufacturer=options.manufacturer,
            model=options.model,
            version=options.version,
            state=state,
            advisory=options.advisory,
        )
        found = offered(before, entry)
    else:
        if options.file is None:
            raise FirmwareError("a release of the hub's own software needs its package: --file")
        files[options.file.name] = options.file.read_bytes()
        package = Release(
            version=options.version,
            file=options.file.name,
            state=state,
            advisory=options.advisory,
            packages=_packages(before, options),
        )
        found = released(before, package)
    repository.sign(options.vendor, {**files, LIST: _octets(found)})
    print(f"{options.version} is offered; `approve` and `publish` tell the hubs")


def _packages(before: FirmwareList, options: argparse.Namespace) -> tuple[Package, ...]:
    """Return the archives of a version for all kinds of machine, the one that is offered too."""
    others = [
        each
        for release in before.releases
        if release.version == options.version
        for each in release.packages
        if each.file != options.file.name
    ]
    own = [archive.read(options.file)] if options.file.suffix == ".tar" else []
    for each in own:
        if each.file != options.file.name:
            raise FirmwareError(f"{options.file}: it was packed as {each.file}")
    return (*others, *own)


def _publish(repository: FirmwareRepository) -> None:
    repository.publish()
    print("published; hubs believe it for a week")
    for vendor in repository.vendors:
        if not repository.approved(vendor):
            print(f"{vendor}: not approved as it stands, so hubs keep what was approved before")


def _show(repository: FirmwareRepository) -> None:
    for vendor in repository.vendors:
        approved = "approved" if repository.approved(vendor) else "not approved as it stands"
        print(f"{vendor}: {approved}")
        found = _list(repository, vendor)
        for each in found.firmware:
            print(f"    {each.manufacturer} {each.model} {each.version}: {each.state}")
        for package in found.releases:
            print(f"    {package.file} {package.version}: {package.state}")


def _list(repository: FirmwareRepository, vendor: str) -> FirmwareList:
    return listed(repository.read(vendor, LIST), vendor)


def _octets(found: FirmwareList) -> bytes:
    return found.model_dump_json(indent=1).encode()


def _public(options: argparse.Namespace) -> ec.EllipticCurvePublicKey | None:
    if options.public is None:
        return None
    try:
        key = load_pem_public_key(options.public.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise FirmwareError(f"{options.public}: no public key in it") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise FirmwareError(f"{options.public}: no key on P-256")
    return key
