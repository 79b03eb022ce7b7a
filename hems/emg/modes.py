"""Which control modes a home can carry out, from what its devices can do; all others are refused.

A mode counts as carried out where something here can be told to change what it limits, and where
that can be measured: a limit at the connection point is nothing without a meter there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from der.commands import Ability, DeviceOptions
from der.curves import GridFunction
from der.model import Control, DeviceKind, DeviceSpec
from hems.emg import functions
from hems.emg.ratings import Ratings
from hems.emg.translate import SUPPORTED, meaning
from programs.signal import SignalKind


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a kind of signal takes: one device with one of these controls, and maybe the meter."""

    controls: frozenset[Control]
    meter: bool = False
    produces: bool = False
    """Whether the device must be one that can give power."""


_LESS_LOAD: Final = frozenset({Control.CEILING, Control.SWITCH})
_LESS_IMPORT: Final = _LESS_LOAD | {Control.TARGET}
_LESS_OUTPUT: Final = frozenset({Control.FLOOR, Control.TARGET})

_NEEDS: Final[Mapping[SignalKind, _Needs]] = MappingProxyType(
    {
        SignalKind.IMPORT_LIMIT: _Needs(_LESS_IMPORT, meter=True),
        SignalKind.EXPORT_LIMIT: _Needs(_LESS_OUTPUT, meter=True, produces=True),
        SignalKind.LOAD_LIMIT: _Needs(_LESS_LOAD, meter=True),
        SignalKind.GENERATION_LIMIT: _Needs(_LESS_OUTPUT, produces=True),
        SignalKind.SHED: _Needs(_LESS_IMPORT, meter=True),
        SignalKind.ENERGY: _Needs(_LESS_IMPORT, meter=True),
        SignalKind.DUTY_CYCLE: _Needs(_LESS_LOAD),
        SignalKind.DISCONNECT: _Needs(_LESS_OUTPUT, produces=True),
        SignalKind.STORAGE_POWER: _Needs(frozenset({Control.TARGET})),
        SignalKind.DER_POWER: _Needs(frozenset({Control.TARGET})),
    }
)


_CAN_RUN: Final[Mapping[SignalKind, GridFunction]] = MappingProxyType(
    dict(functions.CURVES.values()) | {SignalKind.FREQUENCY_DROOP: GridFunction.FREQUENCY_DROOP}
)
_BY_VAR: Final = frozenset({SignalKind.VOLT_VAR, SignalKind.WATT_VAR})
"""Functions that the hub follows itself where a device can be told a reactive power."""
_BY_POWER: Final = frozenset(
    {SignalKind.VOLT_WATT, SignalKind.FREQUENCY_WATT, SignalKind.FREQUENCY_DROOP}
)
"""Functions that the hub follows itself by bounding active power."""


def modes(
    specs: Iterable[DeviceSpec], options: Mapping[str, DeviceOptions] | None = None
) -> frozenset[str]:
    """Return the 2030.5 names of the modes that a home with these devices carries out.

    Args:
        specs: Its devices.
        options: What devices say that they can do, by id; None for nothing. A grid function needs
            a device that runs it, or what the hub can follow it by.
    """
    devices = tuple(specs)
    able = {kind for kind, needs in _NEEDS.items() if _met(needs, devices)}
    supporting = [
        (spec, said)
        for spec in devices
        if spec.control in _LESS_OUTPUT
        and spec.min_w < 0
        and (said := (options or {}).get(spec.id)) is not None
    ]
    return frozenset(mode for mode in SUPPORTED if _kind(mode) in able) | frozenset(
        mode
        for mode in functions.SUPPORTED
        if any(_supports(mode, spec, said) for spec, said in supporting)
    )


def _supports(mode: str, spec: DeviceSpec, options: DeviceOptions) -> bool:
    """Return whether a mode that is a grid function can be carried out with a device."""
    kind, reactive = functions.kind_of(mode), Ability.REACTIVE in options.abilities
    if kind is SignalKind.CHARGING_FACTOR:
        return reactive and spec.max_w > 0
    if kind is None or kind not in _CAN_RUN:
        return reactive
    if _CAN_RUN[kind] in options.functions - options.untimed:
        return True
    return reactive if kind in _BY_VAR else kind in _BY_POWER


def _kind(mode: str) -> SignalKind | None:
    """Return what a mode asks at its strictest: nothing at all, or off."""
    asked = meaning(mode, 0.0, Ratings(0.0))
    return None if asked is None else asked[0]


def _met(needs: _Needs, devices: tuple[DeviceSpec, ...]) -> bool:
    measured = any(d.kind is DeviceKind.METER for d in devices)
    return (measured or not needs.meter) and any(
        d.control in needs.controls and (d.min_w < 0 or not needs.produces) for d in devices
    )
