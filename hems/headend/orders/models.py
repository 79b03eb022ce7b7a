"""What the operator's door takes and gives of orders and proposals, as JSON."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from hems.headend.operator_asks import In
from hems.headend.operator_models import BarredOut
from hems.headend.orders.contracts import Barring
from hems.headend.orders.four_eyes import Proposal, ProposalState
from hems.headend.orders.weighing import Weighed

_ORDER = TypeAdapter(dict[str, JsonValue])


class WithdrawIn(In):
    """Why a proposal is taken back."""

    reason: Annotated[str, Field(max_length=500)] = ""


class PreviewOut(BaseModel):
    """What an order would do."""

    program: str
    group: str | None
    homes: int
    """How many it is for."""
    reached: int
    barred: list[BarredOut]
    moves_w: float
    """How much power those reached would move at most, as far as that can be told."""
    needs_second: bool
    why_second: str | None

    @classmethod
    def of(cls, weighed: Weighed) -> Self:
        """Take a record over."""
        return cls(
            program=weighed.program.name,
            group=weighed.group,
            homes=weighed.homes,
            reached=weighed.reached,
            barred=barred_out(weighed.barred),
            moves_w=weighed.moves_w,
            needs_second=weighed.why_two is not None,
            why_second=weighed.why_two,
        )


class ProposalOut(BaseModel):
    """An order that waits for a second person, or has waited."""

    id: str
    state: ProposalState
    order: dict[str, JsonValue]
    """As `POST /events` takes it; without a start it begins when it is confirmed."""
    proposed_by: str
    proposed_at: float
    lapses_at: float
    why: str
    moves_w: float
    homes: int
    reached: int
    decided_by: str | None
    decided_at: float | None
    event: str | None
    reason: str

    @classmethod
    def of(cls, proposal: Proposal, state: ProposalState) -> Self:
        """Take a record over."""
        return cls(
            id=proposal.id,
            state=state,
            order=_ORDER.validate_json(proposal.order),
            proposed_by=proposal.proposed_by,
            proposed_at=proposal.proposed_at,
            lapses_at=proposal.lapses_at,
            why=proposal.why,
            moves_w=proposal.moves_w,
            homes=proposal.homes,
            reached=proposal.reached,
            decided_by=proposal.decided_by or None,
            decided_at=proposal.decided_at or None,
            event=proposal.event or None,
            reason=proposal.reason,
        )


class ProposalsOut(BaseModel):
    """Proposals, the latest first."""

    proposals: list[ProposalOut]


def barred_out(barred: Sequence[Barring]) -> list[BarredOut]:
    """Take records over."""
    return [BarredOut(why=each.why, homes=each.homes) for each in barred]
