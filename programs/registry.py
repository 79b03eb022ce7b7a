"""All programmes in one table, for the cycle that runs them and the page that lists them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from programs import (
    comfort,
    disconnect,
    duty_cycle,
    economic,
    economy,
    emergency,
    energy_support,
    envelope,
    envelope_var,
    frequency,
    frequency_watt,
    microgrid,
    peak_shaving,
    reactive,
    ready_by,
    regulation,
    reserve,
    runs,
    safety,
    self_consumption,
    set_point,
    slope,
    volt_var,
    volt_watt,
    warmth,
    watt_var,
)
from programs.about import About
from programs.comfort import ComfortPolicy
from programs.disconnect import DisconnectPolicy
from programs.duty_cycle import DutyCyclePolicy
from programs.economic import EconomicPolicy
from programs.economy import EconomyPolicy
from programs.emergency import EmergencyPolicy
from programs.energy_support import EnergySupportPolicy
from programs.envelope import EnvelopePolicy
from programs.envelope_var import EnvelopeVarPolicy
from programs.inputs import Inputs
from programs.microgrid import MicrogridPolicy
from programs.ownership import kept, reached
from programs.peak_shaving import PeakShavingPolicy
from programs.proposal import Proposal
from programs.ready_by import ReadyByPolicy
from programs.regulation import RegulationPolicy
from programs.reserve import ReservePolicy
from programs.runs import RunsPolicy
from programs.safety import SafetyPolicy
from programs.self_consumption import SelfConsumptionPolicy
from programs.signal import SignalKind
from programs.slope import SlopePolicy
from programs.support import SupportWish
from programs.volt_var import VoltVarPolicy
from programs.volt_watt import VoltWattPolicy
from programs.warmth import WarmthPolicy
from programs.watt_var import WattVarPolicy


@dataclass(frozen=True, slots=True)
class Policies:
    """Every programme's policy; the defaults suit a single-phase home on a 63 A breaker.

    Attributes:
        left: Ids of the programmes that the owner has left: what they would ask by themselves,
            with no event behind it, is not asked.
    """

    safety: SafetyPolicy = SafetyPolicy()  # noqa: RUF009 (all frozen, so one instance serves)
    emergency: EmergencyPolicy = EmergencyPolicy()  # noqa: RUF009
    microgrid: MicrogridPolicy = MicrogridPolicy()  # noqa: RUF009
    disconnect: DisconnectPolicy = DisconnectPolicy()  # noqa: RUF009
    envelope: EnvelopePolicy = EnvelopePolicy()  # noqa: RUF009
    peak_shaving: PeakShavingPolicy = PeakShavingPolicy()  # noqa: RUF009
    energy_support: EnergySupportPolicy = EnergySupportPolicy()  # noqa: RUF009
    duty_cycle: DutyCyclePolicy = DutyCyclePolicy()  # noqa: RUF009
    reserve: ReservePolicy = ReservePolicy()  # noqa: RUF009
    regulation: RegulationPolicy = RegulationPolicy()  # noqa: RUF009
    comfort: ComfortPolicy = ComfortPolicy()  # noqa: RUF009
    warmth: WarmthPolicy = WarmthPolicy()  # noqa: RUF009
    ready_by: ReadyByPolicy = ReadyByPolicy()  # noqa: RUF009
    runs: RunsPolicy = RunsPolicy()  # noqa: RUF009
    economic: EconomicPolicy = EconomicPolicy()  # noqa: RUF009
    economy: EconomyPolicy = EconomyPolicy()  # noqa: RUF009
    self_consumption: SelfConsumptionPolicy = SelfConsumptionPolicy()  # noqa: RUF009
    slope: SlopePolicy = SlopePolicy()  # noqa: RUF009
    volt_var: VoltVarPolicy = VoltVarPolicy()  # noqa: RUF009
    volt_watt: VoltWattPolicy = VoltWattPolicy()  # noqa: RUF009
    watt_var: WattVarPolicy = WattVarPolicy()  # noqa: RUF009
    envelope_var: EnvelopeVarPolicy = EnvelopeVarPolicy()  # noqa: RUF009
    left: frozenset[str] = frozenset()


class Manner(StrEnum):
    """Who decides whether a home takes part in a programme."""

    ALWAYS = "always"
    """Part of every home; it cannot be left."""
    AGREED = "agreed"
    """The utility's agreement: the home takes part unless the owner leaves, and each event binds
    or may be left as the agreement, or the event itself, says."""
    CHOSEN = "chosen"
    """The owner joins and leaves it; nobody else is concerned."""


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme as listed.

    Attributes:
        id: As in `Proposal.source`.
        about: What a person reads about it.
        propose: Its rule, bound to its policy; None where a part with memory acts for it, or it
            asks no power of anybody.
        support: Its rule about what devices do for the grid beside their power; None without.
        manner: Who decides whether the home takes part.
        kinds: What signals it answers: an event is its own by these.
        joined: Whether a home takes part where neither configuration nor owner says so.
    """

    id: str
    about: About
    propose: Callable[[Inputs, Policies], tuple[Proposal, ...]] | None
    manner: Manner = Manner.AGREED
    kinds: frozenset[SignalKind] = frozenset()
    joined: bool = True
    support: Callable[[Inputs, Policies], tuple[SupportWish, ...]] | None = None

    @property
    def use_case(self) -> str:
        """The first of its ids in the requirements; empty for the home's own."""
        return next(iter(self.about.use_cases), "")

    @property
    def title(self) -> str:
        """What the owner reads."""
        return self.about.title


ALL: Final = (
    Programme(
        safety.ID_BREAKER,
        safety.ABOUT,
        lambda i, p: safety.propose(i, p.safety),
        Manner.ALWAYS,
    ),
    Programme(
        emergency.ID,
        emergency.ABOUT,
        lambda i, p: emergency.propose(i, p.emergency),
        kinds=frozenset({SignalKind.SHED}),
    ),
    Programme(
        microgrid.ID,
        microgrid.ABOUT,
        lambda i, p: microgrid.propose(i, p.microgrid),
        Manner.ALWAYS,
    ),
    Programme(
        disconnect.ID,
        disconnect.ABOUT,
        lambda i, p: disconnect.propose(i, p.disconnect),
        kinds=frozenset({SignalKind.DISCONNECT}),
    ),
    Programme(
        envelope.ID,
        envelope.ABOUT,
        lambda i, p: envelope.propose(i, p.envelope),
        kinds=frozenset({SignalKind.EXPORT_LIMIT, SignalKind.GENERATION_LIMIT}),
    ),
    Programme(
        peak_shaving.ID,
        peak_shaving.ABOUT,
        lambda i, p: peak_shaving.propose(i, p.peak_shaving),
        kinds=frozenset({SignalKind.IMPORT_LIMIT, SignalKind.LOAD_LIMIT}),
    ),
    Programme(
        set_point.ID,
        set_point.ABOUT,
        lambda i, _: set_point.propose(i),
        kinds=frozenset({SignalKind.STORAGE_POWER, SignalKind.DER_POWER}),
    ),
    Programme(
        reactive.ID,
        reactive.ABOUT,
        None,
        kinds=frozenset(
            {SignalKind.REACTIVE_POWER, SignalKind.POWER_FACTOR, SignalKind.CHARGING_FACTOR}
        ),
        support=lambda i, _: reactive.propose_support(i),
    ),
    Programme(
        volt_var.ID,
        volt_var.ABOUT,
        None,
        kinds=frozenset({SignalKind.VOLT_VAR}),
        support=lambda i, p: volt_var.propose_support(i, p.volt_var),
    ),
    Programme(
        watt_var.ID,
        watt_var.ABOUT,
        None,
        kinds=frozenset({SignalKind.WATT_VAR}),
        support=lambda i, p: watt_var.propose_support(i, p.watt_var),
    ),
    Programme(
        volt_watt.ID,
        volt_watt.ABOUT,
        lambda i, p: volt_watt.propose(i, p.volt_watt),
        kinds=frozenset({SignalKind.VOLT_WATT}),
        support=lambda i, _: volt_watt.propose_support(i),
    ),
    Programme(
        frequency_watt.ID,
        frequency_watt.ABOUT,
        lambda i, _: frequency_watt.propose(i),
        kinds=frozenset({SignalKind.FREQUENCY_WATT, SignalKind.FREQUENCY_DROOP}),
        support=lambda i, _: frequency_watt.propose_support(i),
    ),
    Programme(
        envelope_var.ID,
        envelope_var.ABOUT,
        lambda i, p: envelope_var.propose(i, p.envelope_var),
        Manner.ALWAYS,
    ),
    Programme(
        energy_support.ID,
        energy_support.ABOUT,
        lambda i, p: energy_support.propose(i, p.energy_support),
        kinds=frozenset({SignalKind.ENERGY}),
    ),
    Programme(
        duty_cycle.ID,
        duty_cycle.ABOUT,
        lambda i, p: duty_cycle.propose(i, p.duty_cycle),
        kinds=frozenset({SignalKind.DUTY_CYCLE}),
    ),
    Programme(
        reserve.ID,
        reserve.ABOUT,
        lambda i, p: reserve.propose(i, p.reserve),
    ),
    Programme(
        slope.ID,
        slope.ABOUT,
        lambda i, p: slope.propose(i, p.slope),
        kinds=frozenset({SignalKind.SLOPE}),
    ),
    Programme(
        frequency.ID,
        frequency.ABOUT,
        None,
        Manner.CHOSEN,
    ),
    Programme(
        regulation.ID,
        regulation.ABOUT,
        lambda i, p: regulation.propose(i, p.regulation),
        Manner.CHOSEN,
        support=lambda i, p: regulation.propose_support(i, p.regulation),
    ),
    Programme(
        comfort.ID,
        comfort.ABOUT,
        lambda i, p: comfort.propose(i, p.comfort),
        Manner.ALWAYS,
    ),
    Programme(
        warmth.ID,
        warmth.ABOUT,
        lambda i, p: warmth.propose(i, p.warmth),
        Manner.ALWAYS,
    ),
    Programme(
        ready_by.ID,
        ready_by.ABOUT,
        lambda i, p: ready_by.propose(i, p.ready_by),
        Manner.ALWAYS,
    ),
    Programme(
        runs.ID,
        runs.ABOUT,
        lambda i, p: runs.propose(i, p.runs),
        Manner.ALWAYS,
    ),
    Programme(
        economic.ID,
        economic.ABOUT,
        lambda i, p: economic.propose(i, p.economic),
        Manner.CHOSEN,
        joined=False,
    ),
    Programme(
        economy.ID,
        economy.ABOUT,
        lambda i, p: economy.propose(i, p.economy, p.self_consumption),
        Manner.CHOSEN,
    ),
    Programme(
        self_consumption.ID,
        self_consumption.ABOUT,
        lambda i, p: self_consumption.propose(i, p.self_consumption),
        Manner.CHOSEN,
    ),
)
"""In order of what they are about; the ranks of their proposals, not this order, decide."""

BY_ID: Final[Mapping[str, Programme]] = MappingProxyType({p.id: p for p in ALL})

BY_KIND: Final[Mapping[SignalKind, Programme]] = MappingProxyType(
    {kind: programme for programme in ALL for kind in programme.kinds}
)
"""Whose event it is, by what it asks; what is missing is asked by a part of the home itself."""


def apart(policies: Policies) -> Policies:
    """Return the policies of a home that is parted from its grid.

    What was agreed, or wanted, of the power at the meter has no meaning while nothing flows there:
    an agreed limit on export would keep the sun out of an island's battery.
    """
    return replace(
        policies,
        envelope=EnvelopePolicy(),
        envelope_var=EnvelopeVarPolicy(),
        peak_shaving=PeakShavingPolicy(),
        slope=SlopePolicy(),
        economic=EconomicPolicy(),
    )


def propose_all(inputs: Inputs, policies: Policies) -> tuple[Proposal, ...]:
    """Return what all programmes together ask for, of those devices that their word reaches.

    A programme that the owner has left asks nothing by itself. Its events are left one by one, by
    whoever takes part for the home; what has an event behind it is therefore asked.
    """
    asked = (
        proposal
        for programme in ALL
        if programme.propose is not None
        for proposal in programme.propose(inputs, policies)
        if proposal.cause or programme.id not in policies.left
    )
    return kept(asked, inputs.devices)


def propose_support(inputs: Inputs, policies: Policies) -> tuple[SupportWish, ...]:
    """Return what all programmes ask devices to do for the grid, beside their active power.

    The envelope comes last: it is about what the others ask together.
    """
    asked = [
        wish
        for programme in ALL
        if programme.support is not None
        for wish in programme.support(inputs, policies)
        if wish.cause or programme.id not in policies.left
    ]
    envelope_asks = envelope_var.propose_support(inputs, policies.envelope_var, asked)
    return tuple(
        wish
        for wish in (*asked, *envelope_asks)
        if reached(inputs.devices[wish.device].spec, wish.rank)
    )
