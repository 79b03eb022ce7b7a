"""When a second person must agree to an order, and who may be that; pure."""

from dataclasses import dataclass
from enum import StrEnum

from hems.headend.dispatch import Order
from hems.headend.orders.settings import FourEyesSettings, Kind
from hems.headend.orders.size import size_of
from hems.headend.records import Program

_KILO = 1_000.0


class ProposalState(StrEnum):
    """How a proposal stands."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """Nobody confirmed it in time."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that waits for a second person, or has waited.

    Attributes:
        id: Its name.
        order: What is asked, as the operator's door takes it (JSON), its start resolved.
        proposed_by: By whom.
        proposer: The same, as people are told apart; empty for the machine.
        proposed_at: When, epoch s.
        lapses_at: Until when it waits, epoch s, not included.
        why: Why it needs two.
        moves_w: How much power it would move, W, when it was proposed.
        homes: How many homes it was for then.
        reached: How many of them it would reach.
        decided_by: Who confirmed or withdrew it; empty for nobody.
        decided_at: When, epoch s; 0 for not yet.
        event: mRID of the event that came of it; empty for none.
        reason: Why it was withdrawn; may be empty.
    """

    id: str
    order: str
    proposed_by: str
    proposer: str
    proposed_at: float
    lapses_at: float
    why: str
    moves_w: float
    homes: int
    reached: int
    decided_by: str = ""
    decided_at: float = 0.0
    event: str = ""
    reason: str = ""

    def state(self, now: float) -> ProposalState:
        """Return how it stands at an epoch time."""
        if self.event:
            return ProposalState.CONFIRMED
        if self.decided_at:
            return ProposalState.WITHDRAWN
        return ProposalState.PROPOSED if now < self.lapses_at else ProposalState.LAPSED


def why_two(settings: FourEyesSettings, kind: Kind, reached: int, moves_w: float) -> str | None:
    """Return why an order needs two people; None where one is enough.

    Args:
        settings: From which size on.
        kind: What it is.
        reached: How many homes it reaches.
        moves_w: What they would move together, W.
    """
    if kind not in settings.kinds:
        return None
    if settings.above_homes is not None and reached > settings.above_homes:
        return f"it reaches {reached} homes, more than {settings.above_homes}"
    if settings.above_w is not None and moves_w > settings.above_w:
        return (
            f"it would move {moves_w / _KILO:.1f} kW, more than {settings.above_w / _KILO:.1f} kW"
        )
    return None


def judged(
    settings: FourEyesSettings, program: Program, order: Order, reached: int
) -> tuple[float, str | None]:
    """Return how much power an order would move, W, and why it needs two people, if it does.

    Args:
        settings: From which size on.
        program: What carries it.
        order: It.
        reached: How many homes it reaches.
    """
    size = size_of(order.values, order.duration_s or 1.0, settings.home_w)
    moves_w = size.moves_w * reached
    return moves_w, why_two(settings, Kind.of(program), reached, moves_w)


def why_not_confirm(proposal: Proposal, person: str, now: float) -> str | None:
    """Return why somebody may not confirm a proposal; None where they may.

    Args:
        proposal: It.
        person: Who, as people are told apart; empty for the machine, which is nobody.
        now: Epoch s.
    """
    state = proposal.state(now)
    if state is not ProposalState.PROPOSED:
        return f"it is {state.value} already"
    if not person:
        return "a person must confirm it: log in, or show a token of your own"
    return "who proposed an order cannot confirm it too" if person == proposal.proposer else None
