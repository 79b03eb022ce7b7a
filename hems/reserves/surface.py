"""What the page and the command line may see of the reserve. Plain frozen records out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer.

    Attributes:
        id: mRID of its request.
        product: "spinning" or "day-ahead".
        starts_at: UTC epoch seconds.
        ends_at: The same.
        power_w: By so much net power would fall.
        energy_wh: What could be given in all.
        state: "not told yet", "offered" or "committed".
    """

    id: str
    product: str
    starts_at: float
    ends_at: float
    power_w: float
    energy_wh: float
    state: str


@dataclass(frozen=True, slots=True)
class CommitmentView:
    """A commitment.

    Attributes:
        id: mRID of what commits the home.
        product: "spinning" or "day-ahead".
        utility: Whose it is.
        starts_at: UTC epoch seconds.
        ends_at: The same.
        power_w: By so much net power is to fall when called.
        left_wh: What is still to be given.
        short_w: By how much it could not be kept now; 0 where it can.
        state: "to come", "held ready" or "called".
    """

    id: str
    product: str
    utility: str
    starts_at: float
    ends_at: float
    power_w: float
    left_wh: float
    short_w: float
    state: str


@dataclass(frozen=True, slots=True)
class CallView:
    """A call, or one that is over for less than an hour.

    Attributes:
        id: mRID of its event.
        program: Who calls.
        starts_at: UTC epoch seconds.
        ends_at: The same.
        asked_w: By how much net power is to fall.
        promised_wh: What is to be delivered.
        delivered_wh: What was so far; None where the power before it is not known.
        settled_s: After how many s all of it was there; None if not yet.
        over: Whether it has ended.
    """

    id: str
    program: str
    starts_at: float
    ends_at: float
    asked_w: float
    promised_wh: float
    delivered_wh: float | None
    settled_s: float | None
    over: bool


@dataclass(frozen=True, slots=True)
class ReservesView:
    """The reserve as it stands.

    Attributes:
        offers: That were made and are not over.
        commitments: The same.
        calls: Under way, and of the last hour.
        able_w: By how much net power could be lowered now.
        able_for_s: For how long that is.
        stored_w: The part of it that batteries have.
        shed_w: The part of it that loads have.
    """

    offers: Sequence[OfferView] = ()
    commitments: Sequence[CommitmentView] = ()
    calls: Sequence[CallView] = ()
    able_w: float = 0.0
    able_for_s: float = 0.0
    stored_w: float = 0.0
    shed_w: float = 0.0


class ReservesSurface(Protocol):
    """What can be asked of the reserve."""

    def reserves(self) -> ReservesView | None:
        """Return how the reserve stands; None where the home offers none."""
        ...
