"""What a person reads about a use case before joining, and how it stands in the home now.

Each programme's module states its `ABOUT`; `programs.registry` lists them for page, command line
and documents.
"""

from dataclasses import dataclass
from enum import StrEnum


class Latency(StrEnum):
    """How soon a use case must act (the latency classes of the connected-home use cases)."""

    MINUTES = "minutes"
    SECONDS = "seconds"
    SUB_SECOND = "sub-second"


@dataclass(frozen=True, slots=True)
class About:
    """A use case in words.

    Attributes:
        use_cases: Ids in the requirements, such as "BUC-4"; empty for the home's own programmes.
        title: What the owner reads in a list.
        triggered_by: Who or what sets it going.
        asks: What it asks of the home.
        ends: How it ends.
        carried_by: The resources that carry it: a DERControl mode, EndDeviceControl, a price, a
            FlowReservation; empty where nothing from outside does.
        clause: Where they are defined.
        latency: How soon the home is to act.
        leaving: What it means for the owner to leave it, or an event of it, in one sentence.
        promise: How soon and how surely it acts in a home that has what it takes, in one sentence;
            empty for what holds of all that is carried likewise (`programs.page`).
    """

    use_cases: tuple[str, ...]
    title: str
    triggered_by: str
    asks: str
    ends: str
    carried_by: tuple[str, ...] = ()
    clause: str = ""
    latency: Latency = Latency.MINUTES
    leaving: str = ""
    promise: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a use case can do in this home now.

    Attributes:
        programme: Its id, as in `Proposal.source`.
        active: Whether it asks something of the home at present.
        down_w: By how much the home's net power could be lowered for it at once, W, never
            negative.
        up_w: By how much it could be raised.
        energy_wh: For how much energy that holds; None where nothing bounds it.
        for_s: For how long; None where nothing bounds it.
        promise: What it can promise here, one sentence ("within 150 ms, on what the meter says");
            why it cannot act, where it cannot.
        words: What it does now, one sentence; empty if nothing.
    """

    programme: str
    active: bool
    down_w: float = 0.0
    up_w: float = 0.0
    energy_wh: float | None = None
    for_s: float | None = None
    promise: str = ""
    words: str = ""
