"""`hems keys`: where the hub's keys are held; makes, moves, tries, renews and erases them."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from certs.errors import CertificateError
from certs.keys.opening import key_store
from certs.keys.store import KeyStore, fingerprint
from hems.commands import store_key
from hems.commands.output import fail
from hems.commands.way_in import place_of
from hems.security.certificates import files
from hems.security.key_watch import key_files
from hems.security.key_words import kept_words
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.store.errors import StoreError


def run(options: argparse.Namespace) -> int:
    """Run `hems keys`; returns the exit code."""
    try:
        path = place_of(options).path
        config = load(path)
        store = key_store(config.keys.settings)
        match options.what:
            case "list":
                return _list(config)
            case "check":
                return _check(config, store)
            case "make":
                return _make(store, options.file)
            case "move":
                return _move(config, store, options.file)
            case "release":
                return store_key.release(config, path.parent.absolute(), store)
            case "renew-store":
                return store_key.renew(config, path.parent.absolute(), store)
            case _:
                return _erase(config, store, options.file, yes=options.yes)
    except (ConfigError, CertificateError, StoreError) as error:
        return fail(str(error))


def _named(config: Config) -> Sequence[Path]:
    return tuple(dict.fromkeys(each.key for each in files(config) if each.key is not None))


def _list(config: Config) -> int:
    print(f"key store: {config.keys.store}")
    for path in _named(config):
        print(f"{path}: {kept_words(path)}")
    return store_key.show(config)


def _check(config: Config, store: KeyStore) -> int:
    kept = [path for path in key_files(config) if path.exists()]
    store.check(kept)
    for path in kept:
        store.sign(path, b"a try")
        print(f"{path}: signs; public key SHA-256 {fingerprint(store.public(path))}")
    return store_key.check(config, store)


def _make(store: KeyStore, path: Path) -> int:
    public = store.make(path)
    print(f"{path}: made; public key SHA-256 {fingerprint(public)}")
    print(kept_words(path))
    return 0


def _move(config: Config, store: KeyStore, wanted: Sequence[Path]) -> int:
    usable = {path.resolve() for path in key_files(config)}
    driven = {path.resolve() for path in _named(config)} - usable
    for path in wanted:
        if path.resolve() in driven:
            return fail(f"{path}: what uses this key reads plain files only")
    for path in wanted or (*key_files(config), *store_key.files(config)):
        moved = store.move(path)
        print(f"{path}: {'moved' if moved else 'is there already'}. {kept_words(path)}")
    print("Backups made before hold the plain keys still; on flash, old cells may too.")
    return 0


def _erase(config: Config, store: KeyStore, path: Path, *, yes: bool) -> int:
    in_use = {each.resolve() for each in (*_named(config), *store_key.files(config))}
    if path.resolve() in in_use and not yes:
        return fail(f"{path}: the hub uses this key; to erase it all the same, add --yes")
    erased = store.erase(path)
    print(f"{erased.path}: erased, {erased.size} octets written over")
    print(
        f"proof: {erased.elsewhere}"
        if erased.elsewhere
        else "On flash the disk may keep old cells until it clears them."
    )
    return 0
