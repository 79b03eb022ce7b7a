"""Comfort of temperature: what has left its bounds is let run until it is back within them.

The wish has the owner's rank: what pays never keeps a heater off below its bound, while binding and
accepted limits may, where no other load can yield in its place (`hems.cem.loads` takes those with
such a wish last). An owner who stops a device by hand is believed: that wish has the same rank and
stands.
"""

from dataclasses import dataclass
from typing import Final

from der.model import Comfort, Control, DeviceState
from der.sentence import say
from programs.about import About
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal, Rank

ID = "warmth"

ABOUT: Final = About(
    use_cases=(),
    title="Comfort of temperature",
    triggered_by="A measured temperature that has left its bounds",
    asks="The heater, or the cooler, runs until the temperature is back.",
    ends="When the temperature is back within its bounds.",
    leaving="It cannot be left; wider comfort bounds in the configuration make it ask less.",
)


@dataclass(frozen=True, slots=True)
class WarmthPolicy:
    """How the wish is stated.

    Attributes:
        valid_s: How long one statement lasts unless renewed, in s.
    """

    valid_s: float = 60.0


def propose(inputs: Inputs, policy: WarmthPolicy) -> tuple[Proposal, ...]:
    """Return the wish to run for each device that is out of its comfort bounds.

    Args:
        inputs: The home and what is asked of it.
        policy: How the wish is stated.
    """
    return tuple(
        Proposal(
            ID,
            Rank.OWNER,
            state.spec.id,
            Bounds(lower_w=state.spec.max_w),
            None,
            inputs.now + policy.valid_s,
            reason=_reason(state.spec.comfort),
        )
        for state in _feeling(inputs)
        if state.spec.comfort is not None
    )


def _feeling(inputs: Inputs) -> list[DeviceState]:
    return [
        state
        for name, state in inputs.devices.items()
        if name in inputs.uncomfortable and state.spec.control is Control.SWITCH
    ]


def _reason(comfort: Comfort) -> str:
    if comfort.cools:
        return say("It is warmer than the {high:g} degC that are wanted", high=comfort.high_c)
    return say("It is colder than the {low:g} degC that are wanted", low=comfort.low_c)
