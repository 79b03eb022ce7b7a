"""The reserve as the page sees it: pure."""

from collections.abc import Mapping, Sequence

from hems.reserves.book import Book
from hems.reserves.surface import CallView, CommitmentView, OfferView, ReservesView
from programs.capability import Capability
from programs.commitment import Commitment, Posted


def shown(
    posted: Sequence[Posted],
    commitments: Sequence[Commitment],
    book: Book,
    now: float,
    *,
    short: Mapping[str, float],
    able: Capability,
) -> ReservesView:
    """Return the reserve as it stands.

    Args:
        posted: What was offered.
        commitments: What is committed and not over.
        book: What is measured.
        now: UTC epoch seconds.
        short: By how much commitments could not be kept, by id.
        able: What could be given up now.
    """
    answered = {c.request for c in commitments}
    return ReservesView(
        tuple(
            _offer(p, answered=p.mrid in answered)
            for p in posted
            if not p.withdrawn and p.offer.ends_at > now
        ),
        tuple(
            _commitment(c, short.get(c.id, 0.0), now, called=book.running(c.id))
            for c in commitments
        ),
        tuple(
            CallView(
                c.event,
                c.program,
                c.starts_at,
                c.ends_at,
                c.asked_w,
                c.promised_wh,
                None if c.baseline_w is None else c.delivered_wh,
                c.settled_s,
                c.over,
            )
            for c in book.calls.values()
        ),
        able.power_w,
        able.for_s,
        able.stored_w,
        able.shed_w,
    )


def _offer(posted: Posted, *, answered: bool) -> OfferView:
    offer = posted.offer
    state = "committed" if answered else "offered" if posted.told else "not told yet"
    return OfferView(
        posted.mrid,
        offer.product.value,
        offer.starts_at,
        offer.ends_at,
        offer.power_w,
        offer.energy_wh,
        state,
    )


def _commitment(
    commitment: Commitment, short_w: float, now: float, *, called: bool
) -> CommitmentView:
    held = "held ready" if commitment.starts_at <= now else "to come"
    return CommitmentView(
        commitment.id,
        commitment.product.value,
        commitment.utility,
        commitment.starts_at,
        commitment.ends_at,
        commitment.power_w,
        commitment.energy_wh,
        short_w,
        "called" if called else held,
    )
