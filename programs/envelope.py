"""Operating envelope (part of BUC-11): what flows at the connection point keeps inside limits.

A limit on export is about the meter; a limit on generation is about all that produces behind it,
batteries that discharge included (CSIP-AUS opModExpLimW and opModGenLimW). Together with peak
shaving's limits on import and load they are the envelope at the connection point.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from der.model import Phase
from der.sentence import say
from programs.about import About, Latency
from programs.energy_window import EnergyWindow
from programs.inputs import Inputs
from programs.proposal import HOME, PHASES, Bounds, Proposal, Rank
from programs.rules import generation_floor, in_force, kilowatts, rank_of, wish
from programs.signal import SignalKind

ID = "envelope"

ABOUT: Final = About(
    use_cases=("BUC-11",),
    title="Operating envelope",
    triggered_by="The utility, by an event or a default control; or the connection agreement",
    asks="The home feeds in, or generates, no more than a limit; by agreement it also takes no "
    "more, keeps each phase inside one, and so much energy within a time.",
    ends="With the event, or when it is cancelled; default control and agreement then hold.",
    carried_by=(
        "DERControl opModExpLimW",
        "DERControl opModGenLimW",
        "DERControl opModMaxLimWInject",
        "DERControl opModMaxLimW",
    ),
    clause="IEEE 2030.5, DER function set: DERControlBase; CSIP-AUS, connection-point limits",
    latency=Latency.SECONDS,
    leaving="The home then feeds in all that it makes and does not use.",
)


@dataclass(frozen=True, slots=True)
class EnvelopePolicy:
    """What the connection agreement says; each None where it says nothing of it.

    Attributes:
        fixed_export_w: Injection in W that is never exceeded, whatever is signalled.
        fixed_import_w: Import in W that is never exceeded.
        phase_export_w: Injection in W on each single phase.
        phase_import_w: Import in W on each single phase.
        phases: Phases of the connection.
        import_energy: The windows that run on energy taken, each with what was taken in it.
        export_energy: The same of energy given.
        fixed_export_valid_s: How long one statement of these limits lasts unless renewed.
    """

    fixed_export_w: float | None = None
    fixed_import_w: float | None = None
    phase_export_w: float | None = None
    phase_import_w: float | None = None
    phases: int = 1
    import_energy: tuple[EnergyWindow, ...] = ()
    export_energy: tuple[EnergyWindow, ...] = ()
    fixed_export_valid_s: float = 60.0


def propose(inputs: Inputs, policy: EnvelopePolicy) -> tuple[Proposal, ...]:
    """Return a lower bound for each limit on export or generation in force.

    Args:
        inputs: The home and what is asked of it.
        policy: What the connection agreement says.
    """
    proposals = [
        wish(
            ID,
            signal,
            rank_of(signal),
            HOME,
            Bounds(lower_w=-signal.value),
            reason=say(
                "{program} asks to feed at most {power} into the grid",
                program=signal.program,
                power=kilowatts(signal.value),
            ),
        )
        for signal in in_force(inputs.signals, SignalKind.EXPORT_LIMIT, inputs.now)
    ]
    for signal in in_force(inputs.signals, SignalKind.GENERATION_LIMIT, inputs.now):
        reason = say(
            "{program} asks to generate at most {power} in all",
            program=signal.program,
            power=kilowatts(signal.value),
        )
        proposals += generation_floor(ID, signal, signal.value, inputs.devices, reason)
    return (*proposals, *_agreed(inputs.now, policy))


def _agreed(now: float, policy: EnvelopePolicy) -> Iterator[Proposal]:
    """Yield what the connection agreement binds the home to now."""
    expires_at = now + policy.fixed_export_valid_s
    for target, bounds, reason in (*_powers(policy), *_energies(now, policy)):
        yield Proposal(ID, Rank.BINDING, target, bounds, None, expires_at, reason=reason)


def _powers(policy: EnvelopePolicy) -> Iterator[tuple[str, Bounds, str]]:
    """Yield target, bounds and reason of each agreed power."""
    phases = {PHASES[phase]: str(phase) for phase in tuple(Phase)[: policy.phases]}
    whole = (policy.fixed_import_w, policy.fixed_export_w)
    single = (policy.phase_import_w, policy.phase_export_w)
    named = {HOME: ("", *whole)} | {t: (phase, *single) for t, phase in phases.items()}
    for target, (phase, most_w, least_w) in named.items():
        if least_w is not None:
            power = kilowatts(least_w)
            reason = (
                say("Phase {phase} may export at most {power}", phase=phase, power=power)
                if phase
                else say("The connection may export at most {power}", power=power)
            )
            yield target, Bounds(lower_w=-least_w), reason
        if most_w is not None:
            power = kilowatts(most_w)
            reason = (
                say("Phase {phase} may import at most {power}", phase=phase, power=power)
                if phase
                else say("The connection may import at most {power}", power=power)
            )
            yield target, Bounds(upper_w=most_w), reason


def _energies(now: float, policy: EnvelopePolicy) -> Iterator[tuple[str, Bounds, str]]:
    """Yield target, bounds and reason of each agreed energy whose window runs."""
    for window in policy.import_energy:
        if window.starts_at <= now < window.ends_at:
            reason = say("The connection may import {energy}", energy=_energy(window))
            yield HOME, Bounds(upper_w=window.left_w(now)), reason
    for window in policy.export_energy:
        if window.starts_at <= now < window.ends_at:
            reason = say("The connection may export {energy}", energy=_energy(window))
            yield HOME, Bounds(lower_w=-window.left_w(now)), reason


def _energy(window: EnergyWindow) -> str:
    left_wh = max(window.limit_wh - window.used_wh, 0.0)
    hours = (window.ends_at - window.starts_at) / 3600.0
    return say(
        "{limit:.3g} kWh in {hours:.3g} h, of which {left:.3g} kWh are left",
        limit=window.limit_wh / 1000,
        hours=hours,
        left=left_wh / 1000,
    )
