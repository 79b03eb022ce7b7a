"""Economic demand response (BUC-6): less load while the wholesale price is above the net benefits.

An operator that pays for reduced load at the wholesale price publishes month by month the price
from which on that benefits all who buy: the net-benefits price. While the wholesale price exceeds
it, the home takes less: what can wait waits, and batteries give what the house lacks. They do not
feed in for it, since what is paid for is load that was not taken.

Who takes part decides how strong that word is. A home that offers what it can is asked at the rank
of what pays: comfort, cars that must be ready and the owner's own wishes come first. One that is
obliged by its agreement is asked at the rank of an accepted event; what is too cold already is
left alone even then.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from der.model import Control, DeviceState
from der.sentence import say
from programs.about import About, Latency
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.rules import SHEDDABLE

ID: Final = "economic"

ABOUT: Final = About(
    use_cases=("BUC-6",),
    title="Economic demand response",
    triggered_by="The wholesale price, when it exceeds the operator's net-benefits price",
    asks="What can wait waits, and batteries give what the house lacks.",
    ends="When the wholesale price is back under the threshold, but not before its least time.",
    carried_by=("A price series, or a TariffProfile", "The operator's monthly threshold"),
    clause="Market rules on paying for reduced load (net-benefits test)",
    latency=Latency.SECONDS,
    leaving="The home then uses what it wants at such times, and is paid for no reduction.",
)

_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class EconomicPolicy:
    """Whether prices ask for less load now.

    Attributes:
        since: Since when they do, UTC epoch seconds; None while they do not.
        why: One sentence for the owner.
        obliged: Whether the home is bound by its agreement to follow.
        exempt: Ids of devices that are left alone.
        valid_s: How long one statement lasts unless renewed, in s.
    """

    since: float | None = None
    why: str = say("Power is dear on the wholesale market")
    obliged: bool = False
    exempt: frozenset[str] = frozenset()
    valid_s: float = 60.0


def propose(inputs: Inputs, policy: EconomicPolicy) -> tuple[Proposal, ...]:
    """Return what prices ask for: every load that can wait stops, batteries even out.

    Args:
        inputs: The home and what is asked of it.
        policy: Whether prices ask for less load now.
    """
    if policy.since is None:
        return ()
    rank = Rank.ACCEPTED if policy.obliged else Rank.ECONOMY
    expires_at = inputs.now + policy.valid_s
    asked = Proposal(ID, rank, HOME, Bounds(), 0.0, expires_at, reason=policy.why)
    stop = Bounds(upper_w=0.0)
    return (
        asked,
        *(
            replace(asked, target=name, bounds=stop, preferred_w=None)
            for name, state in inputs.devices.items()
            if touches(state, policy) and name not in inputs.uncomfortable
        ),
    )


def touches(state: DeviceState, policy: EconomicPolicy) -> bool:
    """Return whether a device is asked to take less: a load that can wait, or a battery."""
    if state.spec.id in policy.exempt:
        return False
    return state.spec.control in SHEDDABLE or state.spec.control is Control.TARGET


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """So that prices about the threshold do not switch loads to and fro.

    Attributes:
        band: Share of the threshold by which a price must be below it again for an end.
        least_s: What has begun lasts at least this long.
        pause_s: What has ended does not begin again for this long.
        most_per_kwh: A price beyond this is taken for a mistake.
    """

    band: float = 0.02
    least_s: float = 15 * _MINUTE_S
    pause_s: float = 15 * _MINUTE_S
    most_per_kwh: float = 25.0


@dataclass(frozen=True, slots=True)
class Run:
    """Whether prices ask for less load.

    Attributes:
        since: Since when they do, UTC epoch seconds; None while they do not.
        ended: When they last ceased to.
        threshold: Net-benefits price that it began above, per kWh.
    """

    since: float | None = None
    ended: float = -math.inf
    threshold: float = 0.0


def fault(
    price: float | None, threshold: float | None, hysteresis: Hysteresis = Hysteresis()
) -> str:
    """Return in a clause why prices cannot be acted on; empty where they can.

    Args:
        price: Wholesale price per kWh; None where it is not known.
        threshold: Net-benefits price per kWh; None where it is not known.
        hysteresis: What is taken for a mistake.
    """
    if price is None:
        return say("the wholesale price is not known")
    if threshold is None:
        return say("no net-benefits price of this month is known")
    if not math.isfinite(price):
        return say("the wholesale price is {price:g}", price=price)
    if abs(price) > hysteresis.most_per_kwh:
        return say("a wholesale price of {price:g}/kWh cannot be", price=price)
    if not 0 < threshold <= hysteresis.most_per_kwh:
        return say("a net-benefits price of {threshold:g}/kWh cannot be", threshold=threshold)
    return ""


def follow(
    run: Run,
    price: float | None,
    threshold: float | None,
    now: float,
    hysteresis: Hysteresis = Hysteresis(),
) -> Run:
    """Return whether prices ask for less load now.

    A price that is not known, or cannot be, ends it at once: nobody pays for that.

    Args:
        run: As it was.
        price: Wholesale price per kWh; None where it is not known.
        threshold: Net-benefits price per kWh; None where it is not known.
        now: UTC epoch seconds.
        hysteresis: How long, and by how much.
    """
    over = Run(ended=now)
    if price is None or threshold is None or fault(price, threshold, hysteresis):
        return run if run.since is None else over
    if run.since is None:
        begins = price > threshold and now - run.ended >= hysteresis.pause_s
        return Run(now, run.ended, threshold) if begins else run
    cheap = price <= threshold * (1.0 - hysteresis.band)
    return over if cheap and now - run.since >= hysteresis.least_s else run
