"""The home as an island (BUC-14): while it stands alone, the forming inverter is its grid.

The tie, the inverter and the course of things belong to `hems.microgrid`; what the rest of the
home has to do is decided here. While the home is an island its net power is what the forming
inverter gives, bounded by what that can: loads are shed and the sun held back by the same rules as
under any other limit, least essential first. What the utility asks at the meter has no meaning
meanwhile. What the inverter can give is the island's main breaker: past it the home is dark for
all, so even what is marked gives way to it, last of all. Within a period of the voltage the
inverter balances the home alone, and it alone judges phasors: a hub that looks once a second can do
neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from der.model import Control, DeviceSpec, DeviceState
from der.sentence import say
from programs.about import About, Latency
from programs.inputs import Inputs
from programs.ownership import MOST_ESSENTIAL, essential
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.rules import SHEDDABLE, kilowatts
from programs.signal import Signal, SignalKind

ID: Final = "microgrid"

ABOUT: Final = About(
    use_cases=("BUC-14",),
    title="Microgrid",
    triggered_by="An outage that is measured, the owner, or a utility that parts the home from "
    "its grid and has permitted it to go on as an island",
    asks="The tie opens, a battery inverter forms the home's voltage, loads are shed to what it "
    "and the sun can give, least essential first, for as long as the outage is expected",
    ends="The grid is back and has been good for the time agreed: the inverter comes into step, "
    "the tie closes, loads return one by one",
    carried_by=("DERControl opModConnect", "DERControl opModEnergize"),
    clause="IEEE 1547-2018, 8.2 (intentional islands), 4.10 (entering service)",
    latency=Latency.MINUTES,
    leaving="Without it the home is dark for as long as its grid is",
)

MARKED: Final = MOST_ESSENTIAL
"""Essentiality of what is marked: medical devices and whatever else must run to the last."""

_VALID_S: Final = 900.0
"""For how long loads stay as they were told should the hub die on an island: were they all let go
within the minute, as after other events, the inverter would give up under them."""
_SPARE_W: Final = 300.0
"""What must be left over beside a load that others make room for."""
_BAND_W: Final = 100.0
"""How near to zero the tie's power is brought before a planned separation."""


@dataclass(frozen=True, slots=True)
class Island:
    """An island that is formed.

    Attributes:
        former: Id of the device that forms it.
        bounds: What it may give, positive, and take, negative, in W: the home's net power.
    """

    former: str
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Ramp:
    """How fast the home's import may rise again after it was connected.

    Attributes:
        from_w: Net power at first, W.
        since: UTC epoch seconds.
        until: When it is over.
        slope: W a second.
    """

    from_w: float
    since: float
    until: float
    slope: float


@dataclass(frozen=True, slots=True)
class MicrogridPolicy:
    """What the island's keeper has to say.

    Attributes:
        island: The island that is formed; None while there is none.
        withheld: Loads that may not run now, and why, by device id.
        parted: Whether the tie is known to be open, so that what the utility asks of the home at
            the meter has no meaning.
        rides_through: Whether a disconnection that the utility asks for is met by the tie, so that
            generation and storage need not cease.
        tie_to_zero: Whether the power through the tie is to be brought to zero.
        ramp: How import may rise; None where it is free.
    """

    island: Island | None = None
    withheld: Mapping[str, str] = field(default_factory=dict)
    parted: bool = False
    rides_through: bool = False
    tie_to_zero: bool = False
    ramp: Ramp | None = None

    def heard(self, signals: Sequence[Signal] | None) -> Sequence[Signal] | None:
        """Return what of the utility's signals counts for the home as it stands.

        Args:
            signals: All of them; None while they are not known, which an island need not wait for.
        """
        if self.parted:
            return ()
        if signals is not None and self.rides_through:
            return [s for s in signals if s.kind is not SignalKind.DISCONNECT]
        return signals


def propose(inputs: Inputs, policy: MicrogridPolicy) -> tuple[Proposal, ...]:
    """Return what an island, or the way to one and back, asks of the home.

    Args:
        inputs: The home; while it is an island, its net power is what the former gives.
        policy: The island as its keeper sees it.
    """
    until = inputs.now + _VALID_S
    held = {**_lesser(inputs, policy), **policy.withheld}
    proposals = [
        Proposal(ID, _reaching(spec), name, Bounds(upper_w=0.0), None, until, reason=why)
        for name, why in held.items()
        if name in inputs.devices and (spec := inputs.devices[name].spec).control in SHEDDABLE
    ]
    if policy.island is not None:
        bounds = policy.island.bounds
        reason = say(
            "The home is an island: its inverter gives at most {upper} and takes at most {lower}",
            upper=kilowatts(bounds.upper_w),
            lower=kilowatts(-bounds.lower_w),
        )
        proposals.append(Proposal(ID, Rank.SAFETY, HOME, bounds, None, until, reason=reason))
    if policy.tie_to_zero:
        reason = say("The home is about to part from the grid, so nothing is to flow between them")
        bounds = Bounds(-_BAND_W, _BAND_W)
        proposals.append(Proposal(ID, Rank.BINDING, HOME, bounds, 0.0, until, reason=reason))
    ramp = policy.ramp
    if ramp is not None and inputs.now < ramp.until:
        most_w = ramp.from_w + ramp.slope * max(inputs.now - ramp.since, 0.0)
        reason = say("The grid is back: the home takes power again little by little")
        bounds = Bounds(upper_w=most_w)
        proposals.append(Proposal(ID, Rank.ACCEPTED, HOME, bounds, None, ramp.until, reason=reason))
    return tuple(proposals)


def energising_order(specs: Sequence[DeviceSpec], first: Sequence[str] = ()) -> tuple[str, ...]:
    """Return in which order loads get power on a black start.

    Those that the owner named come first, then the most essential; among equals the smallest, and
    chargers last.

    Args:
        specs: The home's devices.
        first: Ids in the owner's order.
    """
    loads = [s for s in specs if s.control in SHEDDABLE]
    named = {name: place for place, name in enumerate(first)}

    def place(spec: DeviceSpec) -> tuple[int, int, bool, float, str]:
        car = spec.control is Control.CEILING
        return (named.get(spec.id, len(named)), -level(spec), car, spec.max_w, spec.id)

    return tuple(spec.id for spec in sorted(loads, key=place))


def level(spec: DeviceSpec) -> int:
    """Return how essential a load is: `MARKED` where it is kept whatever its number."""
    return MARKED if essential(spec) else spec.essentiality


def _reaching(spec: DeviceSpec) -> Rank:
    """Return the rank whose word reaches a load that has no power, or that has to wait for it."""
    return Rank.SAFETY if essential(spec) else Rank.EMERGENCY


def _lesser(inputs: Inputs, policy: MicrogridPolicy) -> Mapping[str, str]:
    """Return the loads that yield because a more essential one stands still for want of power.

    For what is marked all that is not marked yields at once. For others those yield that have to,
    the least essential first, where that makes enough room. What the inverter could never carry is
    not waited for: nobody would gain by it.
    """
    if policy.island is None:
        return {}
    loads = [
        state
        for name, state in inputs.devices.items()
        if state.spec.control in SHEDDABLE and name not in policy.withheld
    ]
    most_w = policy.island.bounds.upper_w
    waiting = [s for s in loads if _stopped(s) and _wants(s) and _least_w(s.spec) <= most_w]
    held: dict[str, str] = {}
    for load in sorted(waiting, key=lambda each: -level(each.spec)):
        spec = load.spec
        lesser = [s for s in loads if level(s.spec) < level(spec)]
        yields: Sequence[DeviceState] = ()
        if level(spec) >= MARKED:
            yields = lesser
        elif inputs.net_w is not None:
            room_w = most_w - inputs.net_w - _least_w(spec) - _SPARE_W
            yields = _making_room(lesser, room_w)
        why = say("{name} is more essential and waits for power", name=spec.name)
        held |= {s.spec.id: why for s in yields if s.spec.id not in held}
    return held


def _making_room(lesser: Sequence[DeviceState], room_w: float) -> Sequence[DeviceState]:
    """Return which loads yield, or stay off, so that there is room; none where it is no use.

    Args:
        lesser: Loads that are less essential.
        room_w: What is left over; negative where it is not enough.
    """
    yields = [s for s in lesser if _stopped(s)]
    for load in sorted(lesser, key=lambda each: each.spec.essentiality):
        if room_w >= 0:
            return yields
        if load.reading is not None and load.reading.power_w > 0:
            yields.append(load)
            room_w += load.reading.power_w
    return yields if room_w >= 0 else ()


def _wants(state: DeviceState) -> bool:
    reading = state.reading
    marked = level(state.spec) >= MARKED
    return marked or (reading is not None and reading.wants_power is not False)


def _least_w(spec: DeviceSpec) -> float:
    """Return the power that a load needs to run at all, W."""
    return spec.max_w if spec.control is Control.SWITCH else spec.least_on_w


def _stopped(state: DeviceState) -> bool:
    told = state.setpoint
    return told is not None and told.power_w < max(_least_w(state.spec), 1.0)
