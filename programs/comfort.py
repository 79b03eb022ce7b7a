"""The owner's direct wishes: a device's power kept to what the owner set, until a given time."""

from dataclasses import dataclass
from typing import Final

from programs.about import About
from programs.inputs import Inputs
from programs.owner import OwnerWish
from programs.proposal import Proposal, Rank

ID = "owner"

ABOUT: Final = About(
    use_cases=(),
    title="The owner's wishes",
    triggered_by="The owner, on the page or by a command",
    asks="One device runs at the power that the owner set.",
    ends="At the time that the owner gave, or when the wish is taken back.",
    leaving="It cannot be left: without a wish it asks nothing.",
)


@dataclass(frozen=True, slots=True)
class ComfortPolicy:
    """The wishes that stand."""

    wishes: tuple[OwnerWish, ...] = ()


def propose(inputs: Inputs, policy: ComfortPolicy) -> tuple[Proposal, ...]:
    """Return a proposal for each wish that has not ended and whose device is known.

    Args:
        inputs: The home and what is asked of it.
        policy: The wishes that stand.
    """
    return tuple(
        Proposal(
            ID,
            Rank.OWNER,
            wish.device,
            wish.bounds,
            wish.preferred_w,
            wish.until,
            reason=wish.reason,
        )
        for wish in policy.wishes
        if inputs.now < wish.until and wish.device in inputs.devices
    )
