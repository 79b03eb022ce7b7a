"""How a command gets in at the running home's page, once the home has accounts.

By the token in HEMS_TOKEN, or else by the one that the hub leaves in a file that only its own
user can read, beside the devices file of the home that a command is about, or of the demo's. That
one goes to the very address that the hub has announced, and nowhere else.
"""

import argparse
import os
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hems.access import private_file
from hems.commands.first_start import DEFAULT, Place
from hems.commands.output import fail
from hems.commands.presence import page_of, token_path
from hems.settings import devices_file, settings_file
from hems.settings.toml_file import ConfigError, read_toml

TOKEN: Final = "HEMS_TOKEN"  # noqa: S105 - the name of a variable
HOME: Final = "HEMS_HOME"
PACKAGED: Final = Path("/var/lib/hems")
"""Where the Debian package has the home (`packaging/debian/hems.service`)."""
_DEMO: Final = Path("var/demo/hub") / DEFAULT
_OF_A_HOME: Final = (DEFAULT, settings_file.NAME, devices_file.DEFAULT)
"""A folder with one of these holds a home."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def credentials(url: str, devices: Path | None = None) -> Mapping[str, str]:
    """Return the headers that let a command in; none where it has nothing to show.

    Args:
        url: The page's address.
        devices: The home's devices file; None where the command does not know the home.
    """
    token = os.environ.get(TOKEN) or _of_this_machine(url, devices)
    return {"Authorization": f"Bearer {token}"} if token else {}


def hint(status: int) -> str:
    """Return what tells, in place of a refusal's full stop, how a command gets in; or nothing."""
    if status != HTTPStatus.UNAUTHORIZED:
        return ""
    return (
        ". This home has accounts: run the command as the hub's user, in the home's folder or "
        f"with {HOME} naming it, or set {TOKEN} (see `hems people token`)."
    )


def home_file() -> Path:
    """Return the configuration of the home that a command without one is about."""
    return home_folder(os.environ.get(HOME)) / DEFAULT


def home_folder(named: str | None, here: Path = Path(), packaged: Path = PACKAGED) -> Path:
    """Return the folder of the home that a command is about where it is told of none.

    Args:
        named: What the environment names; None or empty for nothing.
        here: The present folder.
        packaged: Where the package has the home.

    Returns:
        The one that is named; else this one if it holds a home, or else the package's.
    """
    if named:
        return Path(named)
    lived_in = any(_seen(here / name) for name in _OF_A_HOME)
    return here if lived_in or not _seen(packaged) else packaged


def place_of(options: argparse.Namespace) -> Place:
    """Return where the home is that a command is about: what it was told, or what it finds."""
    named = options.home
    return Place(options.config, home_folder(os.environ.get(HOME)) if named is None else named)


def unanswered(url: str, error: Exception) -> str:
    """Return the sentence for a page that does not answer, and where one is, if that is known.

    Args:
        url: Where it was asked.
        error: Why it could not be.
    """
    said = f"no home answers at {url}: {error}"
    for devices in _devices_files():
        page = page_of(devices)
        if page is not None and _place(page) != _place(url):
            return f"{said}; the hub of {devices.parent} has its page at {page}: name it by --url"
    return f"{said}; see that the hub runs (`hems doctor`), or name its page by --url"


def _of_this_machine(url: str, devices: Path | None) -> str | None:
    for each in (devices,) if devices is not None else _devices_files():
        page = page_of(each)
        if page is None or _place(page) != _place(url):
            continue
        try:
            return private_file.read(token_path(each)).strip()
        except FileNotFoundError:
            continue
        except PermissionError:  # another user's home: they have to log in like anybody
            continue
        except (OSError, private_file.ExposedError) as error:
            fail(str(error))
    return None


def _devices_files() -> Iterator[Path]:
    for path in (home_file(), _DEMO):
        try:
            yield devices_file.place(read_toml(path), path)
        except ConfigError:  # none there: perhaps a home that was set up on its page
            yield path.with_name(devices_file.DEFAULT).absolute()


def _seen(path: Path) -> bool:
    """Return whether something is there, as far as this user can see."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def _place(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    return parts.scheme, "this machine" if host in _LOOPBACK else host, port
