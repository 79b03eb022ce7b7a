"""A device that the `py20305` library drives: it has what it was last told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from py20305.connectors.control_errors import ModeNotSupportedError
from py20305.events.dispatch import NullDispatcher
from py20305.models.csipaus.elements import doe_limits
from py20305.models.sep.sep import DefaultDercontrol, Dercontrol1, DercontrolBase
from py20305.xml.serialization import _context

from hems.sep2.rules.events import ModeValue

_NO_MODES: Final = frozenset(
    {"ramp_tms", "other_element", "any_attributes", "dercontrol_base_r2_3"}
)


@cache
def _names() -> dict[str, str]:
    """Return the names of modes in the standard by those of py20305's fields."""
    return {var.name: var.local_name for var in _context.build(DercontrolBase).get_all_vars()}


def modes_of(base: DercontrolBase) -> dict[str, ModeValue]:
    """Return what a control sets, by the standard's names: W, per cent, or a switch as 0 or 1."""
    found: dict[str, ModeValue] = {
        name: value * 10.0**multiplier for name, (value, multiplier) in doe_limits(base).items()
    }
    for name in DercontrolBase.model_fields:
        value = getattr(base, name, None)
        if value is not None and name not in _NO_MODES:
            found[_names()[name]] = _plain(value)
    return found


def _plain(value: object) -> ModeValue:
    if isinstance(value, bool):
        return float(value)
    plain = getattr(value, "value", None)
    if not isinstance(plain, int):
        return 1.0  # a curve, or a power factor: it is there
    multiplier = getattr(value, "multiplier", None)
    if multiplier is None:
        return plain / 100
    return float(plain * 10.0 ** getattr(multiplier, "value", multiplier))


@dataclass
class Device(NullDispatcher):
    """What the library hands its decisions to.

    Attributes:
        can: Modes that it carries out, by the standard's names; it refuses all others.
        news: Called whenever it was told something.
        held: What each EndDevice's device is set to, by EndDevice and mode.
        told: What it was set to, one after the other.
    """

    can: frozenset[str]
    news: Callable[[], None]
    held: dict[str, dict[str, ModeValue]] = field(default_factory=dict)
    told: list[dict[str, ModeValue]] = field(default_factory=list)

    async def apply_control(self, device_href: str, derc: Dercontrol1, curves: object) -> None:
        """Do what a control asks, if it can."""
        del curves
        asked = modes_of(derc.dercontrol_base)
        strange = asked.keys() - self.can
        if strange:
            raise ModeNotSupportedError(", ".join(sorted(strange)))
        self._set(device_href, asked)

    async def apply_default_control(
        self,
        device_href: str,
        dderc: DefaultDercontrol,
        curves: object,
        *,
        origin: str = "",
        cause_mrid: bytes | None = None,
    ) -> None:
        """Do what a default asks."""
        del curves, origin, cause_mrid
        self._set(device_href, modes_of(dderc.dercontrol_base))

    async def clear_control(self, device_href: str, *, cause_mrid: bytes | None = None) -> None:
        """Be free again."""
        del cause_mrid
        self.held[device_href] = {}
        self.news()

    async def disable_modes(
        self, device_href: str, modes: frozenset[str], *, cause_mrid: bytes | None = None
    ) -> None:
        """Be free of some modes."""
        del cause_mrid
        for mode in modes:
            self.held.setdefault(device_href, {}).pop(_names().get(mode, mode), None)
        self.news()

    def _set(self, device_href: str, modes: dict[str, ModeValue]) -> None:
        self.held.setdefault(device_href, {}).update(modes)
        self.told.append(modes)
        self.news()
