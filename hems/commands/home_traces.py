"""What of a home must not be found any more once it is erased: read before that is done."""

import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel

from certs.errors import CertificateError
from certs.keys.backend import Held
from certs.keys.opening import key_store
from certs.keys.store import KeyStore
from certs.pem import read_key
from hems.archive import wipe
from hems.archive.belongings import Belongings
from hems.archive.traces import Trace
from hems.security.certificates import files, look
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.store.cipher import Error, StoreFile, opened
from hems.store.errors import StoreError
from hems.store.key_file import read_key as read_store_key

_KEY = "key material"
_PEM_LINE = 1
"""Of a PEM file's base64: the first says what kind of key it is, as that of all others does."""


def traces(path: Path, belongings: Belongings) -> tuple[Trace, ...]:
    """Return what is to be looked for; what cannot be read any more cannot be looked for.

    Args:
        path: The home's configuration file.
        belongings: What belongs to the home.
    """
    found = list(_of_keys(belongings))
    try:
        config = load(path)
    except ConfigError:
        return tuple(found)
    return (*found, *_of_home(config), *_of_store(config))


def _of_home(config: Config) -> Iterator[Trace]:
    yield Trace("home's name", config.home.name.encode())
    for password in _passwords(config):
        yield Trace("password", password.encode())
    for utility in config.utility:
        for pin in (utility.pin, *(each.pin for each in utility.member)):
            yield Trace("PIN", f'"{pin}"'.encode())  # six digits alone are anywhere by chance
    now = time.time()
    for file in files(config):
        for view in look(file, now):
            for form in (view.lfdi, view.lfdi.lower()):
                yield Trace("LFDI", form.encode())


def _passwords(section: BaseModel) -> Iterator[str]:
    """Yield the passwords of a configuration."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, BaseModel):
                yield from _passwords(each)
            elif name == "password":
                yield str(each)


def _of_store(config: Config) -> Iterator[Trace]:
    store = config.store.path
    try:
        key = read_store_key(store, key_store(config.keys.settings))
        yield Trace(_KEY, key.secret)
        yield Trace(_KEY, key.secret.hex().encode())
        with opened(StoreFile(store, key), read_only=True) as reader:
            names = reader.execute("SELECT name FROM people").fetchall()
    except (CertificateError, StoreError, Error):
        return
    for (name,) in names:
        yield Trace("account name", str(name).encode())


def _of_keys(belongings: Belongings) -> Iterator[Trace]:
    for path in wipe.doomed(belongings):
        try:
            if KeyStore().held(path) is not Held.PLAIN:
                continue
            lines = [line for line in path.read_bytes().splitlines() if not line.startswith(b"-")]
            yield from (Trace(_KEY, line) for line in lines[_PEM_LINE : _PEM_LINE + 1])
            key = read_key(path)
        except (CertificateError, OSError):
            continue  # none, or another secret than a private key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            value = key.private_numbers().private_value
            yield Trace(_KEY, value.to_bytes((key.key_size + 7) // 8, "big"))
