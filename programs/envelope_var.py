"""Reactive power and voltage of the envelope at the connection point (part of BUC-11).

All inverters together keep the home's reactive power between two bounds, and the voltage of each
phase between two more: at high voltage they first absorb reactive power, then the home exports
less; at low voltage they first inject some, then it imports less. Both begin before the bound is
reached and are at their full at the bound, so that the voltage passes it only where no means are
left. Where the two contradict one another, the bound on reactive power holds.

What others ask of the inverters (a Volt-VAR curve, a fixed power factor) is reckoned as it would be
at the present voltage and power. While that keeps inside the bounds, nothing is asked here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.curves import Curve, GridFunction
from der.model import DeviceState, Quality
from der.sentence import Quantity, say
from programs.about import About, Latency
from programs.following import along, var_of, voltage_share
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.rules import PRODUCING
from programs.support import (
    FixedFactor,
    FixedVar,
    Place,
    SupportWish,
    holds,
    shared,
    var_rating,
)

ID = "envelope-var"

ABOUT: Final = About(
    use_cases=("BUC-11",),
    title="Reactive power and voltage within limits",
    triggered_by="The connection agreement, or the owner: limits in the configuration",
    asks="Inverters absorb or inject reactive power, and in the end the home exports or imports "
    "less, so that reactive power and voltage at the connection point keep within their limits.",
    ends="Never while the limits are configured.",
    clause="Connection agreement; IEEE 1547-2018 5.3 and 5.4 for what inverters can do",
    latency=Latency.SECONDS,
    leaving="Inverters may then trip where the voltage is too high, and give nothing.",
)

_NOTICED_VAR: Final = 1.0
"""A smaller difference is none."""


@dataclass(frozen=True, slots=True)
class EnvelopeVarPolicy:
    """The limits at the connection point; None where there is none.

    Attributes:
        least_var: Least reactive power at the meter, var, absorbing positive.
        greatest_var: Greatest.
        least_v: Least voltage, phase to neutral, V.
        greatest_v: Greatest.
        binding: Whether they are the connection agreement's; else they are the owner's wish.
        nominal_v: Nominal voltage, phase to neutral.
        var_band: Share of the nominal voltage before a bound over which reactive power comes in;
            it is all used where the next band begins.
        power_band: The same for active power, the last before the bound.
        import_w: Import at nominal voltage, of which less is let in at low voltage, W.
        step_share: A change smaller than this share of an inverter's rating is not written.
        margin_share: Distance kept to the bounds on reactive power, as share of their width.
        valid_s: How long one statement lasts unless renewed, in s.
    """

    least_var: float | None = None
    greatest_var: float | None = None
    least_v: float | None = None
    greatest_v: float | None = None
    binding: bool = True
    nominal_v: float = 230.0
    var_band: float = 0.02
    power_band: float = 0.02
    import_w: float = 63.0 * 230.0
    step_share: float = 0.02
    margin_share: float = 0.02
    valid_s: float = 60.0

    @property
    def rank(self) -> Rank:
        """How strong its word is."""
        return Rank.BINDING if self.binding else Rank.OWNER


def pressed(inputs: Inputs, policy: EnvelopeVarPolicy) -> tuple[float, float]:
    """Return how near the voltage is to its bounds: shares of reactive and of active power used.

    Returns:
        Each 0 to 1 at high voltage, 0 to -1 at low; 0 where the voltage is unknown or well inside.
    """
    low_v, high_v = _extremes(inputs)
    if low_v is None or high_v is None:
        return 0.0, 0.0
    bands = policy.var_band * policy.nominal_v, policy.power_band * policy.nominal_v
    if policy.greatest_v is not None and (near := high_v - policy.greatest_v + sum(bands)) > 0:
        return min(near / bands[0], 1.0), min(max((near - bands[0]) / bands[1], 0.0), 1.0)
    if policy.least_v is not None and (near := policy.least_v + sum(bands) - low_v) > 0:
        return -min(near / bands[0], 1.0), -min(max((near - bands[0]) / bands[1], 0.0), 1.0)
    return 0.0, 0.0


def _extremes(inputs: Inputs) -> tuple[float | None, float | None]:
    """Return the voltages of the lowest and of the highest phase; each has to keep its bound."""
    sensed = inputs.sensed
    if sensed.level_v is None:
        return None, None
    return sensed.level_v - sensed.below_v, sensed.level_v + sensed.above_v


def propose(inputs: Inputs, policy: EnvelopeVarPolicy) -> tuple[Proposal, ...]:
    """Return the bound on export or import where reactive power alone does not hold the voltage.

    Args:
        inputs: The home and what is asked of it.
        policy: The limits.
    """
    _, share = pressed(inputs, policy)
    if not share:
        return ()
    low_v, high_v = _extremes(inputs)
    level = Quantity(f"{high_v if share > 0 else low_v:.0f}", "V")
    if share > 0:
        able_w = -sum(d.spec.min_w for d in inputs.devices.values() if d.spec.control in PRODUCING)
        bounds = Bounds(lower_w=-(1.0 - share) * able_w)
        reason = say("The voltage is high ({level}), so less is fed into the grid", level=level)
    else:
        bounds = Bounds(upper_w=(1.0 + share) * policy.import_w)
        reason = say("The voltage is low ({level}), so less is taken from the grid", level=level)
    expires_at = inputs.now + policy.valid_s
    return (Proposal(ID, policy.rank, HOME, bounds, None, expires_at, reason=reason),)


def propose_support(
    inputs: Inputs, policy: EnvelopeVarPolicy, wishes: Sequence[SupportWish]
) -> tuple[SupportWish, ...]:
    """Return what inverters hold where what others ask of them leaves the bounds.

    Args:
        inputs: The home and what is asked of it.
        policy: The limits.
        wishes: What others ask.
    """
    able = [
        d
        for d in inputs.devices.values()
        if d.spec.control in PRODUCING
        and d.spec.min_w < 0
        and d.quality is not Quality.LOST
        and holds(inputs.options.get(d.spec.id))
    ]
    expected = _expected(inputs, policy, wishes)
    free_var = sum(expected.get(d.spec.id, 0.0) for d in able)
    share, _ = pressed(inputs, policy)
    wanted_var = free_var
    if share:
        most_var = sum(
            var_rating(d, inputs.options.get(d.spec.id), absorbs=share > 0) for d in able
        )
        asked_var = share * most_var
        wanted_var = max(wanted_var, asked_var) if share > 0 else min(wanted_var, asked_var)
    others_var = sum(var for name, var in expected.items() if name not in {d.spec.id for d in able})
    kept_var = _kept(wanted_var, others_var, inputs.sensed.base_var, policy)
    if abs(kept_var - free_var) < _NOTICED_VAR:
        return ()
    reason = (
        say("The voltage is to keep within its limits")
        if kept_var == wanted_var
        else say("Reactive power at the connection is to keep within its limits")
    )
    return tuple(
        SupportWish(
            ID,
            policy.rank,
            device,
            FixedVar(
                float(round(var)),
                policy.step_share
                * var_rating(inputs.devices[device], inputs.options.get(device), absorbs=var > 0),
            ),
            math.inf,  # of equal rank it counts before whatever led out of the bounds
            inputs.now + policy.valid_s,
            reason=reason,
            steered=True,
        )
        for device, var in shared(kept_var, able, inputs.options).items()
    )


def _kept(
    wanted_var: float, others_var: float, base_var: float | None, policy: EnvelopeVarPolicy
) -> float:
    """Return the reactive power of the inverters that keeps the meter's inside the bounds."""
    if base_var is None:
        return wanted_var
    low = -math.inf if policy.least_var is None else policy.least_var
    high = math.inf if policy.greatest_var is None else policy.greatest_var
    if math.isinf(high - low):
        margin = policy.margin_share * min(abs(low), abs(high))
        margin = 0.0 if math.isinf(margin) else margin
    else:
        margin = policy.margin_share * (high - low)
    rest_var = base_var + others_var
    return min(max(wanted_var, low + margin - rest_var), high - margin - rest_var)


def _expected(
    inputs: Inputs, policy: EnvelopeVarPolicy, wishes: Sequence[SupportWish]
) -> Mapping[str, float]:
    """Return the reactive power of each inverter by what others ask of it, var.

    One of which nothing is asked moves what it was last seen to move only if it cannot be told.
    """
    found: dict[str, float] = {}
    for state in inputs.devices.values():
        told = holds(inputs.options.get(state.spec.id))
        reading = state.reading
        if state.spec.control in PRODUCING and reading is not None and not told:
            found[state.spec.id] = reading.reactive_var or 0.0
    asked = [w for w in wishes if w.place is Place.REACTIVE and w.device in inputs.devices]
    for wish in sorted(asked, key=lambda w: (w.rank, -w.starts_at), reverse=True):
        found[wish.device] = _moves(wish, inputs.devices[wish.device], inputs, policy)
    return found


def _moves(
    wish: SupportWish, device: DeviceState, inputs: Inputs, policy: EnvelopeVarPolicy
) -> float:
    """Return the reactive power that a wish has a device move now."""
    what, options = wish.what, inputs.options.get(device.spec.id)
    power_w = 0.0 if device.reading is None else device.reading.power_w
    if isinstance(what, FixedVar):
        return what.reactive_var
    if isinstance(what, FixedFactor):
        factor = what.charging if power_w > 0 else what.producing
        var = math.copysign(abs(power_w) * math.tan(math.acos(abs(factor))), factor)
        rating_var = var_rating(device, options, absorbs=var > 0)
        return min(max(var, -rating_var), rating_var)
    if not isinstance(what, Curve):
        return 0.0
    x = power_w / -device.spec.min_w
    if what.function is GridFunction.VOLT_VAR:
        share = voltage_share(what, inputs.sensed, policy.nominal_v)
        if share is None:
            return 0.0
        x = share
    return var_of(along(what.points, x), what.of, device, options)
