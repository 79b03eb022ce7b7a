"""Disconnection (part of BUC-11): generation and storage cease to energise, loads go on.

The set-point of zero takes effect within the cycle; it is what every driver can do. A device with a
switch of its own (SunSpec 703, IEEE 1547 "permit service") then opens it, so that it is seen to be
off the grid, and closes it when the signal ends.
"""

from dataclasses import dataclass, replace
from typing import Final

from der.model import Control
from der.sentence import say
from programs.about import About, Latency
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal
from programs.rules import about, in_force, rank_of, wish
from programs.signal import SignalKind

ID = "disconnect"

ABOUT: Final = About(
    use_cases=("BUC-11",),
    title="Disconnection",
    triggered_by="The utility, by an event",
    asks="Generation and storage cease to energise the grid; loads go on.",
    ends="With the event, or when it is cancelled; each device then does what it did before.",
    carried_by=("DERControl opModConnect", "DERControl opModEnergize"),
    clause="IEEE 2030.5, DER function set: DERControlBase; IEEE 1547-2018, cease to energise",
    latency=Latency.SECONDS,
    leaving="Generation and storage then go on feeding a grid that has asked for none.",
)

_CEASE: Final = {Control.FLOOR: Bounds(lower_w=0.0), Control.TARGET: Bounds(0.0, 0.0)}
"""What ceasing means for what produces, by its control."""


@dataclass(frozen=True, slots=True)
class DisconnectPolicy:
    """What stays connected.

    Attributes:
        exempt: Ids of devices that the agreement leaves alone.
    """

    exempt: frozenset[str] = frozenset()


def propose(inputs: Inputs, policy: DisconnectPolicy) -> tuple[Proposal, ...]:
    """Return, for each disconnection in force, zero for every inverter and battery.

    Args:
        inputs: The home and what is asked of it.
        policy: What stays connected.
    """
    return tuple(
        replace(
            wish(
                ID,
                signal,
                rank_of(signal),
                state.spec.id,
                _CEASE[state.spec.control],
                reason=say(
                    "{program} asks generation and storage to disconnect", program=signal.program
                ),
            ),
            disconnect=True,
        )
        for signal in in_force(inputs.signals, SignalKind.DISCONNECT, inputs.now)
        for state in about(signal, inputs.devices)
        if state.spec.control in _CEASE and state.spec.id not in policy.exempt
    )
