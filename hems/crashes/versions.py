"""Which versions run here: of the program, of what it is made of, and of the machine's system."""

import platform
import sqlite3
import ssl
from importlib.metadata import PackageNotFoundError, version
from typing import Final

_LIBRARIES: Final = (
    *("aiohttp", "alembic", "asyncpg", "cryptography", "highspy", "numpy"),
    *("ocpp", "pydantic", "pymodbus", "sqlalchemy", "sqlcipher3"),
)


def versions() -> tuple[str, ...]:
    """Return them, one line each; the machine's name is not among them."""
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return (
        f"hems {version('hems')}, Python {platform.python_version()}",
        f"{ssl.OPENSSL_VERSION}, SQLite {sqlite3.sqlite_version}",
        ", ".join(found),
        f"{platform.system()} {platform.release()}, {platform.machine()}",
        " ".join(platform.libc_ver()),
    )
