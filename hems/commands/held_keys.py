"""The keys of a home that are in hardware, where erasing files does not reach them."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from certs.errors import CertificateError
from certs.keys.backend import Held
from certs.keys.envelope import decode
from certs.keys.erasing import overwrite
from certs.keys.opening import key_store
from certs.keys.store import KeyStore
from hems.archive import wipe
from hems.archive.belongings import Belongings
from hems.settings.config import load
from hems.settings.toml_file import ConfigError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HeldProof:
    """What came of erasing them.

    Attributes:
        gone: What was done, one sentence a key.
        left: What could not be erased, each with the reason.
    """

    gone: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def erase_held(path: Path, belongings: Belongings) -> HeldProof:
    """Erase a home's keys in hardware, used or not any more; before its files are. Blocks.

    Args:
        path: The home's configuration file.
        belongings: What belongs to the home.
    """
    held = [each for each in dict.fromkeys(wipe.doomed(belongings)) if _in_hardware(each)]
    if not held:
        return HeldProof()
    try:
        store = key_store(load(path).keys.settings)
    except (ConfigError, CertificateError) as error:
        return HeldProof(left=tuple(f"{each}: {_place(each)}: {error}" for each in held))
    gone, left = [], []
    for each in held:
        try:
            gone.append(f"{each}: {store.erase(each).elsewhere}")
        except CertificateError as error:
            left.append(f"{each}: {_place(each)}: {error}")
    return HeldProof(tuple(gone), tuple(left))


def erase_former(path: Path, former: Iterable[Path]) -> None:
    """Erase the keys of files that a backup has replaced for good. Blocks.

    Args:
        path: The home's configuration file.
        former: The files, which are removed next; what is no key among them is left.
    """
    keys = [each for each in former if _is_key(each)]
    held = [each for each in keys if _in_hardware(each)]
    for each in keys:
        if each not in held:
            _write_over(each)
    if not held:
        return
    try:
        store = key_store(load(path).keys.settings)
        for each in held:
            _log.info("%s: %s", each, store.erase(each).elsewhere)
    except (ConfigError, CertificateError) as error:
        _log.warning("a former key stays in hardware: %s", error)


def _write_over(path: Path) -> None:
    try:
        overwrite(path)
    except CertificateError as error:
        _log.warning("a former key is removed, and not written over: %s", error)


def _place(path: Path) -> str:
    """Return where in the hardware a key is, for whoever is to erase it by other means."""
    try:
        return f"its key in hardware ({decode(path.read_bytes()).fields[0].hex()})"
    except (OSError, ValueError, IndexError):
        return "its key in hardware"


def _is_key(path: Path) -> bool:
    try:
        KeyStore().held(path)
    except CertificateError:
        return False
    return True


def _in_hardware(path: Path) -> bool:
    try:
        return KeyStore().held(path) in {Held.TOKEN, Held.TPM}
    except CertificateError:
        return False  # no key
