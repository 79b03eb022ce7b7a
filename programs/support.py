"""Support wishes: what somebody asks a device to do for the grid beside its active power.

The second door of the house. A `Proposal` bounds power in watts; a `SupportWish` has a device run
a grid function by itself, or hold a reactive power or a power factor. One arbiter
(`hems.cem.supports`) turns them into commands, by device and place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from der.commands import Ability, DeviceOptions
from der.curves import GridFunction, GridSupport
from der.model import DeviceState, Quality
from der.sentence import Quantity, Sentence, say
from programs.inputs import Inputs
from programs.proposal import Rank
from programs.rules import PRODUCING, about, rank_of
from programs.signal import Signal


class Place(StrEnum):
    """What of a device a function takes up: one at a time in each (IEEE 1547-2018, 5.3 and 5.4).

    The reactive functions exclude one another; volt-watt and frequency functions run beside them.
    """

    REACTIVE = "reactive"
    VOLT_WATT = "volt-watt"
    FREQUENCY = "frequency"


PLACES: Final[Mapping[GridFunction, Place]] = {
    GridFunction.VOLT_VAR: Place.REACTIVE,
    GridFunction.WATT_VAR: Place.REACTIVE,
    GridFunction.VOLT_WATT: Place.VOLT_WATT,
    GridFunction.FREQUENCY_DROOP: Place.FREQUENCY,
    GridFunction.FREQUENCY_WATT: Place.FREQUENCY,
}


@dataclass(frozen=True, slots=True)
class FixedVar:
    """Hold a reactive power.

    Attributes:
        reactive_var: In var, absorbing positive.
        tolerance_var: A device that holds a value no further away than this is let be; for values
            that follow a measurement.
    """

    reactive_var: float
    tolerance_var: float = 0.0


@dataclass(frozen=True, slots=True)
class FixedFactor:
    """Hold a power factor: its magnitude, positive where reactive power is absorbed.

    Attributes:
        producing: While active power is given.
        charging: While it is taken.
    """

    producing: float = 1.0
    charging: float = 1.0


What: TypeAlias = GridSupport | FixedVar | FixedFactor


@dataclass(frozen=True, slots=True)
class SupportWish:
    """A wish about what one device does for the grid.

    Attributes:
        source: Which programme asks, as in `Proposal.source`.
        rank: How strong the wish is.
        device: Its id.
        what: What it is to run or hold.
        starts_at: Since when it is asked, UTC epoch seconds: of equals the latest counts.
        expires_at: After which the wish is void.
        cause: mRID of the event behind it; empty if none.
        reason: One sentence for the owner.
        steered: Whether the hub decides the value anew as it measures: then it lapses soon.
    """

    source: str
    rank: Rank
    device: str
    what: What
    starts_at: float
    expires_at: float
    cause: str = ""
    reason: str = ""
    steered: bool = False

    @property
    def place(self) -> Place:
        """What of the device it takes up."""
        return place_of(self.what)


def place_of(what: What) -> Place:
    """Return what of a device something takes up."""
    return PLACES[what.function] if isinstance(what, GridSupport) else Place.REACTIVE


_SHARE_OF_VA: Final = 0.44
"""Reactive power that a category B inverter can move, as share of its apparent power (IEEE
1547-2018, table 7); taken where a device does not say what it can."""


def runs(options: DeviceOptions | None, function: GridFunction) -> bool:
    """Return whether a device runs a function by itself, and ends it by itself."""
    return options is not None and function in options.functions - options.untimed


def holds(options: DeviceOptions | None) -> bool:
    """Return whether a device can be told a reactive power."""
    return options is not None and Ability.REACTIVE in options.abilities


def reached_by(signal: Signal, inputs: Inputs) -> Sequence[DeviceState]:
    """Return the devices that a signal is about and that can produce or store, present ones."""
    return [
        device
        for device in about(signal, inputs.devices)
        if device.spec.control in PRODUCING
        and device.spec.min_w < 0
        and device.quality is not Quality.LOST
    ]


def var_rating(device: DeviceState, options: DeviceOptions | None, *, absorbs: bool) -> float:
    """Return the greatest reactive power of a device either way, var, positive."""
    said = None
    if options is not None:
        said = options.absorbed_var if absorbs else options.injected_var
    return _SHARE_OF_VA * -device.spec.min_w if said is None else said


def shared(
    total_var: float, devices: Sequence[DeviceState], options: Mapping[str, DeviceOptions]
) -> Mapping[str, float]:
    """Return each device's part of a reactive power, by its rating in that direction.

    Args:
        total_var: What they are to move together, absorbing positive; what is beyond their
            ratings is left out.
        devices: Those that can hold a reactive power.
        options: What each device can do.
    """
    absorbs = total_var > 0
    ratings = {d.spec.id: var_rating(d, options.get(d.spec.id), absorbs=absorbs) for d in devices}
    whole_var = sum(ratings.values())
    if not whole_var:
        return {}
    within_var = min(max(total_var, -whole_var), whole_var)
    return {name: within_var * rating / whole_var for name, rating in ratings.items()}


def support(
    source: str, signal: Signal, device: str, what: What, reason: str, *, steered: bool = False
) -> SupportWish:
    """Return the wish that a signal gives rise to; it is void when the signal ends."""
    return SupportWish(
        source,
        rank_of(signal),
        device,
        what,
        signal.starts_at,
        signal.ends_at,
        signal.event,
        reason,
        steered,
    )


def run_or(
    source: str,
    signal: Signal,
    inputs: Inputs,
    reason: str,
    instead: Callable[[DeviceState, DeviceOptions], What | None] = lambda _device, _options: None,
) -> tuple[SupportWish, ...]:
    """Ask each device that a signal is about to run the signal's function.

    Args:
        source: The programme.
        signal: What is asked; without settings nothing is.
        inputs: The home.
        reason: One sentence for the owner.
        instead: What a device without the function is to hold, as the hub would have it now; None
            for nothing.
    """
    if signal.settings is None:
        return ()
    wishes = []
    for device in reached_by(signal, inputs):
        options = inputs.options.get(device.spec.id)
        if options is None:
            continue
        if runs(options, signal.settings.function):
            wishes.append(support(source, signal, device.spec.id, signal.settings, reason))
        elif holds(options) and (held := instead(device, options)) is not None:
            words = say(
                "{reason}; the hub does it, for {name} cannot by itself",
                reason=reason,
                name=device.spec.name,
            )
            wishes.append(support(source, signal, device.spec.id, held, words, steered=True))
    return tuple(wishes)


_NAMES: Final[Mapping[GridFunction, str]] = {
    GridFunction.VOLT_VAR: say("holds the voltage by reactive power (Volt-VAR)"),
    GridFunction.WATT_VAR: say("sets reactive power by its active power (Watt-VAR)"),
    GridFunction.VOLT_WATT: say("gives less as the voltage rises (Volt-Watt)"),
    GridFunction.FREQUENCY_DROOP: say("moves its power with the frequency (droop)"),
    GridFunction.FREQUENCY_WATT: say("moves its power with the frequency, along a curve"),
}


def in_words(what: What) -> str:
    """Return what a device does, for a sentence that begins with the device."""
    if isinstance(what, GridSupport):
        return _NAMES[what.function]
    if isinstance(what, FixedVar):
        if not what.reactive_var:
            return say("moves no reactive power")
        size = Quantity(f"{abs(what.reactive_var):.0f}", "var")
        absorbs = what.reactive_var > 0
        return say("absorbs {size}", size=size) if absorbs else say("injects {size}", size=size)
    if what.producing == what.charging:
        return _factor(what.producing)
    producing, charging = _factor(what.producing), _factor(what.charging)
    return say("{producing}; {charging}", producing=producing, charging=charging)


def _factor(factor: float) -> Sentence:
    size = abs(factor)
    if size == 1.0:
        return say("holds a power factor of {factor:g}", factor=size)
    if factor > 0:
        return say("holds a power factor of {factor:g}, absorbing", factor=size)
    return say("holds a power factor of {factor:g}, injecting", factor=size)
