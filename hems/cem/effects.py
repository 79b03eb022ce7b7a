"""What the cycle tells others: each image with its decision, and each write with its outcome."""

from dataclasses import dataclass
from typing import Protocol

from hems.cem.arbiter import Decision
from hems.image import Image
from programs.support import Place


@dataclass(frozen=True, slots=True)
class Effect:
    """One write to one device, or the failure of it.

    Attributes:
        event: mRID of the event behind it, empty if none.
        source: Whose word it is, as in `Proposal.source`, or `orders.FREE`, `orders.GIVE_BACK`.
        device: Device id.
        decided_at: UTC epoch seconds of the decision.
        written_at: When the device confirmed; None if it did not.
        setpoint_w: What it was told in W; None for its own control.
        error: What went wrong, one sentence; None if it went well.
        refresh: Whether it only renewed what the device had been told before.
        support: What the device was told to do for the grid, in words, where it was no set-point
            in W; empty where it was one.
        refused: What the event asks of devices beside set-points in W, where no device here takes
            it; None where one does, or may yet.
    """

    event: str
    source: str
    device: str
    decided_at: float
    written_at: float | None
    setpoint_w: float | None
    error: str | None = None
    refresh: bool = False
    support: str = ""
    refused: Place | None = None


class Observer(Protocol):
    """Who wants to know. Calls are made on the control path: they must return at once.

    Either call may raise `errors.ObserverError`, which is logged and does no more harm.
    """

    def on_image(self, image: Image, decision: Decision) -> None:
        """Take a new decision and the image it was made on; after its writes have begun."""
        ...

    def on_effect(self, effect: Effect) -> None:
        """Take the outcome of a write; a failure that repeats is told once."""
        ...
