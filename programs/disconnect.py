"""Disconnection (part of BUC-11): generation and storage cease to energise, loads go on.

The set-point of zero takes effect within the cycle; it is what every driver can do. Opening an
inverter's own switch (SunSpec 703, IEEE 1547 "permit service") is the driver's matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.model import Control, DeviceState
from programs.proposal import Bounds, Proposal
from programs.rules import in_force, rank_of, wish
from programs.signal import Signal, SignalKind

ID = "disconnect"

_CEASE: Final = {Control.FLOOR: Bounds(lower_w=0.0), Control.TARGET: Bounds(0.0, 0.0)}
"""What ceasing means for what produces, by its control."""


@dataclass(frozen=True, slots=True)
class DisconnectPolicy:
    """What stays connected.

    Attributes:
        exempt: Ids of devices that the agreement leaves alone.
    """

    exempt: frozenset[str] = frozenset()


def propose(
    signals: Sequence[Signal],
    devices: Mapping[str, DeviceState],
    net_w: float | None,  # noqa: ARG001 (one signature for all programmes)
    now: float,
    policy: DisconnectPolicy,
) -> tuple[Proposal, ...]:
    """Return, for each disconnection in force, zero for every inverter and battery.

    Args:
        signals: All signals from outside.
        devices: The home's devices, by id.
        net_w: Net power at the meter in W, import positive; None while unknown.
        now: UTC epoch seconds.
        policy: What stays connected.
    """
    return tuple(
        wish(
            ID,
            signal,
            rank_of(signal),
            state.spec.id,
            _CEASE[state.spec.control],
            reason=f"{signal.program} asks generation and storage to disconnect",
        )
        for signal in in_force(signals, SignalKind.DISCONNECT, now)
        for state in devices.values()
        if state.spec.control in _CEASE and state.spec.id not in policy.exempt
    )
