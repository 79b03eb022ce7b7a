"""How a command knows that a hub runs on its devices: a lock beside the devices file.

The lock ends with the process, however that ends; what is written in it is where the page is.
Beside it lies what lets a command of this machine in: a token that only the hub's user can read,
made anew at each start.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hems.access import private_file

_log = logging.getLogger(__name__)


@contextmanager
def announced(devices: Path, page: str, token: str) -> Iterator[None]:
    """Say that a hub runs on a devices file, while the context lasts.

    Where that cannot be said the hub runs all the same; commands must then be told by `--url`.

    Args:
        devices: The devices file; it need not be there.
        page: The page's address.
        token: What lets programs of this machine in.
    """
    path = _path(devices)
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        _log.info("%s: commands will not find this hub by it: %s", path, error.strerror)
        yield
        return
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _log.warning("another hub runs on %s as well", devices)
            yield
            return
        _leave_token(token_path(devices), token)
        os.ftruncate(number, 0)
        os.write(number, page.encode())
        yield
        os.ftruncate(number, 0)
        token_path(devices).unlink(missing_ok=True)
    finally:
        os.close(number)


def page_of(devices: Path) -> str | None:
    """Return where the page of the hub is that runs on a devices file; None if none runs."""
    try:
        with _path(devices).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().decode("utf-8", "replace") or None
            return None
    except OSError:
        return None


def unseen(devices: Path) -> bool:
    """Return whether this user cannot see if a hub runs: its lock is another's."""
    try:
        with _path(devices).open("rb"):
            return False
    except PermissionError:
        return True
    except OSError:
        return False


def token_path(devices: Path) -> Path:
    """Return where the token lies of the hub that runs on a devices file."""
    return devices.with_name(f".{devices.name}.token")


def code_path(devices: Path) -> Path:
    """Return where the code lies by which the first account can be made from elsewhere."""
    return devices.with_name(f".{devices.name}.setup-code")


def _leave_token(path: Path, token: str) -> None:
    try:
        private_file.write(path, token)
    except (OSError, private_file.ExposedError) as error:
        _log.warning("commands of this machine will have to log in: %s", error)


def _path(devices: Path) -> Path:
    return devices.with_name(f".{devices.name}.hub")
