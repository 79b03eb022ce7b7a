"""What the machine says of itself: maker, model, version and serial number, and its system."""

import platform
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DMI: Final = {
    "maker": ("sys_vendor", "board_vendor"),
    "model": ("product_name", "board_name"),
    "hardware": ("product_version", "board_version"),
    "serial": ("product_serial", "board_serial"),
}
"""Files of the firmware's tables (SMBIOS) as Linux shows them, those that say most first."""
_TREE: Final = {"model": "model", "serial": "serial-number", "hardware": "compatible"}
"""Properties of a board's device tree."""
_SAYS_NOTHING: Final = frozenset(
    {"", "none", "default string", "not specified", "not applicable", "to be filled by o.e.m."}
)
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine; what it does not say is empty.

    Attributes:
        maker: Who made it.
        model: Its model.
        hardware: Version of it.
        serial: Its serial number, where that may be read.
        system: Name and version of its system.
        kernel: Version of its kernel.
        python: Version of Python.
        openssl: Version of OpenSSL.
    """

    maker: str
    model: str
    hardware: str
    serial: str
    system: str
    kernel: str
    python: str
    openssl: str


def machine(top: Path = Path("/")) -> Machine:
    """Return what this machine is.

    Args:
        top: Where the system's files are.
    """
    told = dict.fromkeys(_DMI, "")
    tree = top / "sys/firmware/devicetree/base"
    for name, file in _TREE.items():
        told[name] = _first(tree / file)
    if not any(told.values()):
        for name, files in _DMI.items():
            said = (_first(top / "sys/class/dmi/id" / file) for file in files)
            told[name] = next((each for each in said if each), "")
    return Machine(
        **told,
        system=_system(top / "etc/os-release"),
        kernel=platform.release(),
        python=platform.python_version(),
        openssl=ssl.OPENSSL_VERSION,
    )


def _first(path: Path) -> str:
    """Return the first text of a file; a device tree ends each by a NUL."""
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST)
    except OSError:
        return ""
    text = content.split(b"\0")[0].decode(errors="replace").strip()
    return "" if text.lower() in _SAYS_NOTHING else text


def _system(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.system()
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip().strip('"')
    return platform.system()
