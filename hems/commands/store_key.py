"""What `hems keys` does with the key of the hub's store."""

from pathlib import Path

from certs.keys.store import KeyStore
from hems.commands.occupied import OccupiedError, occupied
from hems.commands.output import fail
from hems.commands.presence import page_of
from hems.security.key_words import kept_words
from hems.settings.config import Config
from hems.store.age import forget
from hems.store.cipher import StoreFile
from hems.store.errors import StoreKeyError
from hems.store.key_file import key_path, read_key
from hems.store.opening import openable
from hems.store.opening import renew as renewed


def files(config: Config) -> tuple[Path, ...]:
    """Return the file of the store's key; none while there is no store."""
    path = key_path(config.store.path)
    return (path,) if path.exists() else ()


def show(config: Config) -> int:
    """Say how the key is held; returns the exit code."""
    for path in files(config):
        print(f"{path}: the store's key. {kept_words(path)}")
    return 0


def check(config: Config, keys: KeyStore) -> int:
    """See whether the key opens the store; returns the exit code."""
    for path in files(config):
        keys.unseal(path)
        if not openable(config.store.path, keys):
            raise StoreKeyError(f"{path}: it is not the key of {config.store.path}")
        print(f"{path}: opens the store")
    return 0


def release(config: Config, folder: Path, keys: KeyStore) -> int:
    """Have the key be a plain file; returns the exit code. The hub must not run.

    Args:
        config: The home's settings.
        folder: The home's.
        keys: What holds the key.
    """
    store = config.store.path
    try:
        with occupied(folder):
            for path in files(config):
                if store.exists():
                    forget(StoreFile(store, read_key(store, keys)), keys)
                done = keys.release(path)
                said = "released" if done else "is plain already"
                print(f"{path}: {said}. {kept_words(path)}")
                print(
                    "Name the other key store in [keys] now: the next start has that one hold the "
                    "key."
                )
    except OccupiedError as error:
        return fail(str(error))
    return 0


def renew(config: Config, folder: Path, keys: KeyStore) -> int:
    """Have the store be under a new key; returns the exit code. The hub must not run.

    Args:
        config: The home's settings.
        folder: The home's.
        keys: What holds the key.
    """
    page = page_of(config.home.devices)
    if page is not None:
        return fail(f"the hub is running: stop it first; its page is {page}")
    if not files(config):
        return fail(f"{config.store.path}: there is no key of a store to renew")
    try:
        with occupied(folder):
            renewed(config.store.path, keys)
    except OccupiedError as error:
        return fail(str(error))
    print(f"{config.store.path}: is under a new key; the former one is erased")
    print("Backups made before have keys of their own, and open as before.")
    return 0
