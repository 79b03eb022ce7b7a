"""All programmes in one table, for the cycle that runs them and the page that lists them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from programs import (
    comfort,
    disconnect,
    duty_cycle,
    economy,
    emergency,
    energy_support,
    envelope,
    peak_shaving,
    ready_by,
    runs,
    safety,
    self_consumption,
    set_point,
    warmth,
)
from programs.comfort import ComfortPolicy
from programs.disconnect import DisconnectPolicy
from programs.duty_cycle import DutyCyclePolicy
from programs.economy import EconomyPolicy
from programs.emergency import EmergencyPolicy
from programs.energy_support import EnergySupportPolicy
from programs.envelope import EnvelopePolicy
from programs.inputs import Inputs
from programs.ownership import kept
from programs.peak_shaving import PeakShavingPolicy
from programs.proposal import Proposal
from programs.ready_by import ReadyByPolicy
from programs.runs import RunsPolicy
from programs.safety import SafetyPolicy
from programs.self_consumption import SelfConsumptionPolicy
from programs.warmth import WarmthPolicy


@dataclass(frozen=True, slots=True)
class Policies:
    """Every programme's policy; the defaults suit a single-phase home on a 63 A breaker."""

    safety: SafetyPolicy = SafetyPolicy()  # noqa: RUF009 (all frozen, so one instance serves)
    emergency: EmergencyPolicy = EmergencyPolicy()  # noqa: RUF009
    disconnect: DisconnectPolicy = DisconnectPolicy()  # noqa: RUF009
    envelope: EnvelopePolicy = EnvelopePolicy()  # noqa: RUF009
    peak_shaving: PeakShavingPolicy = PeakShavingPolicy()  # noqa: RUF009
    energy_support: EnergySupportPolicy = EnergySupportPolicy()  # noqa: RUF009
    duty_cycle: DutyCyclePolicy = DutyCyclePolicy()  # noqa: RUF009
    comfort: ComfortPolicy = ComfortPolicy()  # noqa: RUF009
    warmth: WarmthPolicy = WarmthPolicy()  # noqa: RUF009
    ready_by: ReadyByPolicy = ReadyByPolicy()  # noqa: RUF009
    runs: RunsPolicy = RunsPolicy()  # noqa: RUF009
    economy: EconomyPolicy = EconomyPolicy()  # noqa: RUF009
    self_consumption: SelfConsumptionPolicy = SelfConsumptionPolicy()  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme as listed.

    Attributes:
        id: As in `Proposal.source`.
        use_case: Its id in the requirements; empty for the home's own.
        title: What the owner reads.
        propose: Its rule, bound to its policy.
    """

    id: str
    use_case: str
    title: str
    propose: Callable[[Inputs, Policies], tuple[Proposal, ...]]


ALL: Final = (
    Programme(
        safety.ID_BREAKER,
        "",
        "Safety",
        lambda i, p: safety.propose(i, p.safety),
    ),
    Programme(
        emergency.ID,
        "BUC-7",
        "Emergency demand",
        lambda i, p: emergency.propose(i, p.emergency),
    ),
    Programme(
        disconnect.ID,
        "BUC-11",
        "Disconnection",
        lambda i, p: disconnect.propose(i, p.disconnect),
    ),
    Programme(
        envelope.ID,
        "BUC-11",
        "Operating envelope",
        lambda i, p: envelope.propose(i, p.envelope),
    ),
    Programme(
        peak_shaving.ID,
        "BUC-1",
        "Peak shaving",
        lambda i, p: peak_shaving.propose(i, p.peak_shaving),
    ),
    Programme(
        set_point.ID,
        "BUC-12",
        "Power set-point",
        lambda i, _: set_point.propose(i),
    ),
    Programme(
        energy_support.ID,
        "BUC-5",
        "Energy support",
        lambda i, p: energy_support.propose(i, p.energy_support),
    ),
    Programme(
        duty_cycle.ID,
        "BUC-5",
        "Duty cycle",
        lambda i, p: duty_cycle.propose(i, p.duty_cycle),
    ),
    Programme(
        comfort.ID,
        "",
        "The owner's wishes",
        lambda i, p: comfort.propose(i, p.comfort),
    ),
    Programme(
        warmth.ID,
        "",
        "Comfort of temperature",
        lambda i, p: warmth.propose(i, p.warmth),
    ),
    Programme(
        ready_by.ID,
        "",
        "Cars ready by their time",
        lambda i, p: ready_by.propose(i, p.ready_by),
    ),
    Programme(
        runs.ID,
        "",
        "Runs of appliances",
        lambda i, p: runs.propose(i, p.runs),
    ),
    Programme(
        economy.ID,
        "",
        "What pays",
        lambda i, p: economy.propose(i, p.economy, p.self_consumption),
    ),
    Programme(
        self_consumption.ID,
        "",
        "Self-consumption",
        lambda i, p: self_consumption.propose(i, p.self_consumption),
    ),
)
"""In order of what they are about; the ranks of their proposals, not this order, decide."""


def propose_all(inputs: Inputs, policies: Policies) -> tuple[Proposal, ...]:
    """Return what all programmes together ask for, of those devices that their word reaches."""
    asked = (p for programme in ALL for p in programme.propose(inputs, policies))
    return kept(asked, inputs.devices)
