"""What a server says once it listens: one line, a file for programs, and one for commands."""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from hems.access import private_file
from hems.headend import hrefs
from hems.headend.errors import SettingsError
from hems.headend.settings import HeadEndSettings

OPERATOR_FILE = "operator.json"
"""Beside the token, where the settings name no other file."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the running server is.

    Attributes:
        base_url: Origin of the 2030.5 server.
        operator_url: Origin of the operator's door.
        lfdi: The server certificate's LFDI.
        est: HOST:PORT of the EST server as homes reach it; empty for none.
        ocsp: URL of the OCSP responder as homes reach it; empty for none.
        cim: Origin of the door for the enterprise's messages; empty for none.
        console: Origin of the operator's door for other machines; empty for none.
        proxied: Origin at which a proxy passes on what homes ask; empty for none.
        telecontrol: HOST:PORT for control centres; empty for none, or where another worker listens.
    """

    base_url: str
    operator_url: str
    lfdi: str
    est: str = ""
    ocsp: str = ""
    cim: str = ""
    console: str = ""
    proxied: str = ""
    telecontrol: str = ""

    @property
    def dcap_url(self) -> str:
        """Where clients begin."""
        return self.base_url + hrefs.DCAP


def ready_line(addresses: Addresses) -> str:
    """Return the addresses as one line of JSON."""
    first = {"dcap": addresses.dcap_url, "operator": addresses.operator_url, "lfdi": addresses.lfdi}
    names = ("est", "ocsp", "cim", "console", "proxied", "telecontrol")
    return json.dumps(first | {name: at for name in names if (at := getattr(addresses, name))})


def tell(settings: HeadEndSettings, addresses: Addresses, token: str) -> None:
    """Write down where the server is, and how commands on this machine get in.

    Args:
        settings: Which files.
        addresses: Where it is.
        token: The machine's own, for the operator's door.

    Raises:
        SettingsError: The ready file cannot be written: somebody waits for it.
    """
    _tell_commands(settings, addresses, token)
    path = settings.ready_file
    if path is None:
        return
    try:
        draft = path.with_name(f".{path.name}.new")
        draft.write_text(ready_line(addresses) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise SettingsError(f"ready_file {path}: {error.strerror}") from error


def _tell_commands(settings: HeadEndSettings, addresses: Addresses, token: str) -> None:
    """Write the file for `--operator`; homes are served without it as well."""
    path = settings.operator_file or settings.token_file.with_name(OPERATOR_FILE)
    own = Path(f"{path}.{os.getpid()}")  # workers of one folder start at the same moment
    try:
        private_file.write(own, json.dumps({"url": addresses.operator_url, "token": token}))
        own.replace(path)
    except (OSError, private_file.ExposedError) as error:
        _log.warning("operator_file %s cannot be written, commands do not find it: %s", path, error)
