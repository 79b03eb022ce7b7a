"""How a key is held, in words for the owner."""

from pathlib import Path
from typing import assert_never

from certs.errors import CertificateError
from certs.keys.backend import Held
from certs.keys.store import KeyStore
from der.sentence import say
from hems.store.key_file import key_path


def kept_words(path: Path) -> str:
    """Return how the key of a file is held, or why nobody can tell; reads it."""
    try:
        return held_words(KeyStore().held(path), secret=KeyStore().secret(path))
    except CertificateError as error:
        return say("How its key is held cannot be told: {error}", error=error)


def store_words(store: Path) -> str:
    """Return how a store is locked, and where its key is; reads the key's file."""
    return say(
        "What the hub remembers of the home is encrypted on the disk. {how}",
        how=kept_words(key_path(store)),
    )


def held_words(held: Held, *, secret: bool = False) -> str:
    """Return what it means for the owner.

    Args:
        held: How it is held.
        secret: Whether it is a secret that must be in memory to be used, as that of the store.
    """
    match held:
        case Held.TOKEN if secret:
            return say(
                "Its key is locked by a security token, and is opened in memory only: without the "
                "token nobody opens it."
            )
        case Held.TPM if secret:
            return say(
                "Its key is locked by this machine's TPM, and is opened in memory only: on another "
                "machine nobody opens it."
            )
        case Held.PLAIN:
            return say(
                "Its key is a plain file on the hub: whoever gets at the disk or at an unlocked "
                "backup has the key."
            )
        case Held.ENCRYPTED:
            return say(
                "Its key is encrypted on the disk by a secret that is kept elsewhere, and is "
                "opened in memory only."
            )
        case Held.TOKEN:
            return say(
                "Its key is in a security token, which signs by itself: the key never leaves it."
            )
        case Held.TPM:
            return say(
                "Its key is in this machine's TPM, which signs by itself: the key never leaves it."
            )
        case _:
            assert_never(held)
