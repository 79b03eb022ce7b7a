"""Safety: the main breaker's limit, and what is safe while the meter cannot be read.

The breaker's limit is stated for the home and, where it has several phases, for each of them. The
latter counts where the meter tells the phases apart; else they are taken as balanced.

Without the meter nobody knows what the home draws, so the home keeps, by what was last known of its
own draw, to a part of what the breaker carries, and nothing moves upwards: a car charges at its
least, and whatever was restricted stays as restricted as it was. Storage idles; but one that
discharges when the meter falls silent may go on with that, or with less of it, where a limit on
the home's last known draw still needs it once the loads have given way.
"""

from dataclasses import dataclass, replace
from typing import Final

from der.model import Control, DeviceState, Phase
from der.sentence import say
from programs.about import About, Latency
from programs.inputs import Inputs
from programs.proposal import HOME, PHASES, Bounds, Proposal, Rank
from programs.rules import kilowatts

ID_BREAKER = "main-breaker"
ID_METER = "meter-lost"

ABOUT: Final = About(
    use_cases=(),
    title="Safety",
    triggered_by="The home itself, always",
    asks="Power through the main breaker stays within what it carries, on each phase; nothing "
    "rises while the meter cannot be read.",
    ends="Never.",
    latency=Latency.SECONDS,
    leaving="It cannot be left: it keeps the main breaker from tripping.",
)


@dataclass(frozen=True, slots=True)
class SafetyPolicy:
    """The home's connection.

    Attributes:
        breaker_a: Rated current of the main breaker in A, for each phase.
        voltage_v: Nominal voltage, phase to neutral, in V.
        phases: Number of phases.
        valid_s: How long one statement lasts unless renewed, in s.
        blind_share: Share of the breaker's limit that the home keeps to while its meter is lost;
            the rest is for what nobody sees.
    """

    breaker_a: float = 63.0
    voltage_v: float = 230.0
    phases: int = 1
    valid_s: float = 60.0
    blind_share: float = 0.5

    @property
    def limit_w(self) -> float:
        """Greatest power through the main breaker in W, either way, all phases together."""
        return self.phase_w * self.phases

    @property
    def phase_w(self) -> float:
        """The same of one phase."""
        return self.breaker_a * self.voltage_v


def propose(inputs: Inputs, policy: SafetyPolicy) -> tuple[Proposal, ...]:
    """Return the breaker's limit, and a bound for each device while the meter is lost.

    Args:
        inputs: The home and what is asked of it.
        policy: The home's connection.
    """
    expires_at = inputs.now + policy.valid_s
    limit_w = policy.limit_w
    breaker = Proposal(
        ID_BREAKER,
        Rank.SAFETY,
        HOME,
        Bounds(-limit_w, limit_w),
        None,
        expires_at,
        reason=say("The main breaker carries at most {limit}", limit=kilowatts(limit_w)),
    )
    if inputs.net_w is not None:
        return (breaker, *_each_phase(breaker, policy))
    blind_w = policy.blind_share * limit_w
    blind = replace(
        breaker,
        source=ID_METER,
        bounds=Bounds(-blind_w, blind_w),
        reason=say(
            "The meter cannot be read, so the home keeps to {blind}", blind=kilowatts(blind_w)
        ),
    )
    careful = [
        Proposal(
            ID_METER,
            Rank.SAFETY,
            state.spec.id,
            bounds,
            0.0 if state.spec.control is Control.TARGET else None,
            expires_at,
            reason=say("The meter cannot be read, so nothing may rise"),
        )
        for state in inputs.devices.values()
        if (bounds := _careful(state)) is not None
    ]
    return (breaker, blind, *careful)


def _each_phase(breaker: Proposal, policy: SafetyPolicy) -> tuple[Proposal, ...]:
    """Return the limit of each phase where the home has several."""
    if policy.phases == 1:
        return ()
    bounds = Bounds(-policy.phase_w, policy.phase_w)
    limit = kilowatts(policy.phase_w)
    return tuple(
        replace(
            breaker,
            target=PHASES[phase],
            bounds=bounds,
            reason=say(
                "The main breaker carries at most {limit} on phase {phase}",
                limit=limit,
                phase=phase,
            ),
        )
        for phase in tuple(Phase)[: policy.phases]
    )


def _careful(state: DeviceState) -> Bounds | None:
    """Return what a device keeps to while the home's draw is unknown; None for no change."""
    told_w = None if state.setpoint is None else state.setpoint.power_w
    match state.spec.control:
        case Control.TARGET:
            return Bounds(min(told_w or 0.0, 0.0), 0.0)
        case Control.CEILING:
            least_w = state.spec.least_on_w
            return Bounds(upper_w=least_w if told_w is None else min(told_w, least_w))
        case Control.SWITCH:
            return None if told_w is None else Bounds(upper_w=told_w)
        case Control.FLOOR:
            return None if told_w is None else Bounds(lower_w=told_w)
        case Control.NONE:
            return None
