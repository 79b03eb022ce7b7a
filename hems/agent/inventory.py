"""What the hub consists of: its software with its options, its machine, its devices."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

from certs.agent.machine import machine
from hems.agent.surface import InventoryView, PartView

_NAME: Final = "hems"
_MARK: Final = "extra =="
_FOR_MAKERS: Final = frozenset({"dev", "scenarios"})
"""Options of who makes the software, not of a hub."""


def inventory(features: Sequence[str] = (), devices: Sequence[PartView] = ()) -> InventoryView:
    """Return what this hub consists of.

    Args:
        features: That are on by its configuration.
        devices: Of the home.
    """
    here = machine()
    return InventoryView(
        software=version(_NAME),
        options=(*installed_options(), *features),
        maker=here.maker,
        model=here.model,
        hardware=here.hardware,
        serial=here.serial,
        system=here.system,
        kernel=here.kernel,
        python=here.python,
        openssl=here.openssl,
        devices=tuple(devices),
    )


def installed_options() -> tuple[str, ...]:
    """Return the software's optional parts that are installed with all that they need."""
    needed: dict[str, list[str]] = {}
    for requirement in requires(_NAME) or ():
        what, _, condition = requirement.partition(";")
        if _MARK in condition:
            option = condition.partition(_MARK)[2].strip().strip("\"'")
            needed.setdefault(option, []).append(_bare(what))
    return tuple(
        sorted(o for o, names in needed.items() if o not in _FOR_MAKERS and all(map(_there, names)))
    )


def _bare(requirement: str) -> str:
    """Return the name in a requirement ("tpm2-pytss>=3")."""
    for index, character in enumerate(requirement.strip()):
        if not (character.isalnum() or character in "-_."):
            return requirement.strip()[:index]
    return requirement.strip()


def _there(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
