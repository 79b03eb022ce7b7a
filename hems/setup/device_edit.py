"""Changing what the home knows of a device: pure, from the section as kept to the section after."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from der.model import Control, DeviceKind
from der.registry import CONTROLS
from der.sentence import Template, say
from hems.settings.device_section import DeviceSection
from hems.settings.device_table import watts
from hems.settings.devices_file import Value

NEVER: Final = 9
"""The essentiality of what is not shed but for the main breaker."""
LONGEST_NAME: Final = 60
_NO_COMFORT: Final = Template("{name} does not have a temperature to keep to.")
COMFORT: Final = frozenset({DeviceKind.THERMOSTAT, DeviceKind.HEAT_PUMP, DeviceKind.WATER_HEATER})
"""What people feel, and has bounds that they may set."""


class EditError(Exception):
    """A change that cannot be made; `str()` is one sentence for the owner."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be changed of a device; None for what stays as it is.

    Attributes:
        name: What the owner calls it.
        essentiality: 0 is shed first, 8 last, 9 never but for the main breaker.
        min_w: Least power in W, passive sign: what it may give at most is negative.
        max_w: Greatest power in W.
        comfort_low_c: Not colder than this.
        comfort_high_c: Not hotter than this.
    """

    name: str | None = None
    essentiality: int | None = None
    min_w: float | None = None
    max_w: float | None = None
    comfort_low_c: float | None = None
    comfort_high_c: float | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What of a device may be changed.

    Attributes:
        gives: Whether the most that it gives is a matter of choice.
        takes: Whether the most that it takes is.
        comfort: Whether it has bounds of comfort.
        essentiality: Whether it can be shed at all.
    """

    gives: bool
    takes: bool
    comfort: bool
    essentiality: bool


def choices(section: DeviceSection) -> Choices:
    """Return what of a device may be changed."""
    control = CONTROLS[section.kind]
    return Choices(
        gives=control in {Control.TARGET, Control.FLOOR},
        takes=control in {Control.TARGET, Control.CEILING, Control.SWITCH},
        comfort=section.kind in COMFORT or section.comfort_low is not None,
        essentiality=control in {Control.CEILING, Control.SWITCH},
    )


def edited(
    table: Mapping[str, Value], section: DeviceSection, edit: Edit, breaker_w: float
) -> dict[str, Value]:
    """Return a device's section of the devices file with a change.

    Args:
        table: As it stands.
        section: The same, checked.
        edit: What is to change.
        breaker_w: Greatest power in W that the main breaker carries.

    Raises:
        EditError: The device has no such thing, or it cannot be so.
    """
    may, after = choices(section), dict(table)
    if edit.name is not None:
        after["name"] = _name(edit.name)
    if edit.essentiality is not None:
        _allowed(section, Template("{name} does not have an essentiality."), has=may.essentiality)
        after["essentiality"] = edit.essentiality
        after.pop("keep", None)  # it would say 9 whatever stands beside it
    for key, power_w, has in (
        ("min", edit.min_w, may.gives),
        ("max", edit.max_w, may.takes),
    ):
        if power_w is not None:
            _allowed(section, Template("{name} does not have such a limit."), has=has)
            after[key] = _power(section.name, power_w, breaker_w)
    for key, celsius in (
        ("comfort_low", edit.comfort_low_c),
        ("comfort_high", edit.comfort_high_c),
    ):
        if celsius is not None:
            _allowed(section, _NO_COMFORT, has=may.comfort)
            after[key] = float(celsius)
    return after


def _name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or not plain.isprintable():
        raise EditError(say("A device needs a name that can be read."))
    if len(plain) > LONGEST_NAME:
        raise EditError(say("A name has at most {most} characters.", most=LONGEST_NAME))
    return plain


def _allowed(section: DeviceSection, lacks: Template, *, has: bool) -> None:
    if not has:
        raise EditError(lacks(name=section.name))


def _power(name: str, power_w: float, breaker_w: float) -> str:
    if not abs(power_w) <= breaker_w:  # a NaN fails this too
        raise EditError(
            say(
                "{name}: {power} W is more than the main breaker carries, {most} W.",
                name=name,
                power=f"{power_w:g}",
                most=f"{breaker_w:g}",
            )
        )
    return watts(power_w)


def free_id(wanted: str, taken: frozenset[str], longest: int) -> str:
    """Return an id that no device has: the one wanted, or with the next free number behind it."""
    if wanted not in taken:
        return wanted
    number = 2
    while (found := f"{wanted[: longest - len(str(number)) - 1]}_{number}") in taken:
        number += 1
    return found
