"""What is committed of a reserve, and what a battery must have for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from programs.capability import S_PER_H, Store, split
from programs.proposal import Rank

ALMOST: Final = 0.02
"""Share by which more is held back than is needed, and that may be missing before it is charged."""
BEYOND_W: Final = 150.0
"""Net power is kept so far under what a call asks, lest the house's own changes break it."""
_LEAST_WH: Final = 10.0


class Product(StrEnum):
    """The kinds of reserve, by when they are committed and how soon they must be there."""

    SPINNING = "spinning"
    """In full within 10 minutes of the call."""
    DAY_AHEAD = "day-ahead"
    """Committed a day ahead; in full within 30 minutes."""

    @property
    def notice_s(self) -> float:
        """Time from the call until all of it must be there, s."""
        return 600.0 if self is Product.SPINNING else 1800.0


@dataclass(frozen=True, slots=True)
class Commitment:
    """What the utility has accepted of an offer.

    Attributes:
        id: mRID of the FlowReservationResponse.
        request: mRID of the offer that it answers.
        utility: Whose it is, as the home calls it.
        starts_at: UTC epoch seconds.
        ends_at: The same.
        power_w: By so much net power is to fall when called; positive.
        energy_wh: What is to be given in all and is not given yet; positive.
        product: Which kind it is.
        binding: Whether the owner may not leave it.
    """

    id: str
    request: str
    utility: str
    starts_at: float
    ends_at: float
    power_w: float
    energy_wh: float
    product: Product = Product.SPINNING
    binding: bool = False

    @property
    def rank(self) -> Rank:
        """How strong its word is."""
        return Rank.BINDING if self.binding else Rank.ACCEPTED

    def owed_wh(self, at: float) -> float:
        """Return what it may still ask for from an instant on: no more than its time lets through.

        Before it begins that is all of it.

        Args:
            at: UTC epoch seconds.
        """
        left_s = max(self.ends_at - max(at, self.starts_at), 0.0)
        return min(max(self.energy_wh, 0.0), self.power_w * left_s / S_PER_H)


@dataclass(frozen=True, slots=True)
class Held:
    """What one battery must have for what is committed; energies as they come out of it.

    Attributes:
        power_w: Power that must stay free.
        energy_wh: Energy for it.
        longest_s: For how long the longest of it may be called.
    """

    power_w: float = 0.0
    energy_wh: float = 0.0
    longest_s: float = 0.0

    def least_w(self, store: Store) -> float:
        """Return the lowest power that leaves power and energy for it, never positive.

        A battery that gives already when the call comes must go on giving that, too: the lower
        the charge above what is committed, the less it may give beforehand.
        """
        spare_wh = store.deliverable_wh - self.energy_wh * (1.0 + ALMOST)
        spare_w = spare_wh * S_PER_H / self.longest_s if self.longest_s > 0 else 0.0
        return min(max(store.least_w + self.power_w, -max(spare_w, 0.0)), 0.0)

    def missing_wh(self, store: Store) -> float:
        """Return the energy that it lacks, inside; 0 within what gauges are exact to."""
        missing_wh = self.energy_wh / store.given - store.inside_wh
        return missing_wh if missing_wh > _LEAST_WH else 0.0


def held(
    commitments: Iterable[Commitment], store: Store, all_stores: Sequence[Store], at: float
) -> Held:
    """Return what a battery's part is of all that is committed together, at an instant.

    Args:
        commitments: What may be called then.
        store: The battery.
        all_stores: All batteries.
        at: UTC epoch seconds.
    """
    total = Held()
    for each in commitments:
        owed_wh = each.owed_wh(at)
        if owed_wh <= 0 or each.power_w <= 0:
            continue
        for_s = owed_wh / each.power_w * S_PER_H
        share = split(all_stores, for_s).get(store.device, 0.0)
        part_w = share * (each.power_w + BEYOND_W)
        total = Held(
            total.power_w + part_w,
            total.energy_wh + part_w * for_s / S_PER_H,
            max(total.longest_s, for_s),
        )
    return total


@dataclass(frozen=True, slots=True)
class Offer:
    """What the home would hold ready.

    Attributes:
        product: Which kind of reserve.
        starts_at: UTC epoch seconds.
        ends_at: The same.
        power_w: By so much net power would fall, positive.
        energy_wh: What could be given in all, positive.
        price: What is asked for a kWh held ready for an hour; 0 for what the agreement pays.
    """

    product: Product
    starts_at: float
    ends_at: float
    power_w: float
    energy_wh: float
    price: float = 0.0

    @property
    def lasts_s(self) -> float:
        """For how long all of the power can be given, s."""
        return self.energy_wh / self.power_w * S_PER_H

    def overlaps(self, starts_at: float, ends_at: float) -> bool:
        """Return whether some instant is in both."""
        return max(self.starts_at, starts_at) < min(self.ends_at, ends_at)


@dataclass(frozen=True, slots=True)
class Posted:
    """An offer that was made.

    Attributes:
        mrid: mRID of its request.
        offer: What was offered.
        withdrawn: Whether the home has taken it back.
        told: Whether the utility knows how it stands now.
    """

    mrid: str
    offer: Offer
    withdrawn: bool = False
    told: bool = False
