"""What is offered, what is to be taken back, and what cannot be kept: pure.

An offer stands until the utility answers it or the home cannot keep it any more. One that is too
great is taken back at once and a smaller one made in its place: an offer cannot be changed.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from hems.reserves.terms import LEAST_W, Terms, Window, due, windows
from programs.capability import S_PER_H, Store, later
from programs.commitment import BEYOND_W, Commitment, Offer, Posted

_STEP_W: Final = 10.0
_LEAST_S: Final = 60.0
"""So little is left of a window that nobody could still call it."""
_ALMOST: Final = 0.05
"""Share of a commitment that may seem to be missing: charge is told in whole per cents."""
_ONE_S: Final = 2.0
"""Times that went over the wire are whole seconds of the server's clock."""


def standing(posted: Iterable[Posted], now: float) -> tuple[Posted, ...]:
    """Return the offers that count: neither withdrawn nor over."""
    return tuple(p for p in posted if not p.withdrawn and p.offer.ends_at > now)


def wanted(
    terms: Terms,
    stores: Sequence[Store],
    posted: Sequence[Posted],
    commitments: Sequence[Commitment],
    now: float,
) -> tuple[Offer, ...]:
    """Return the offers that are to be made now.

    For each window and kind of reserve one, of what nobody else has been promised. Without a
    battery that can be reached nothing is offered.

    Args:
        terms: What the owner consents to.
        stores: The batteries that can be promised.
        posted: The offers that were made.
        commitments: What is committed.
        now: UTC epoch seconds.
    """
    open_ = list(standing(posted, now))
    found: list[Offer] = []
    for window in windows(terms.hours, terms.zone, now):
        for product in sorted(terms.products):  # day-ahead before spinning: it is committed first
            if not due(product, window, terms.zone, now):
                continue
            if any(_same(p.offer, product.value, window) for p in open_):
                continue
            offer = _offer(terms, stores, window, _taken_w(window, open_, commitments), now)
            if offer is not None:
                made = Offer(product, *offer, price=terms.least_price)
                found.append(made)
                open_.append(Posted("", made))
    return tuple(found)


def _same(offer: Offer, product: str, window: Window) -> bool:
    """Return whether an offer was made for a window: it lies in it, and ends with it."""
    ends = abs(offer.ends_at - window.ends_at) <= _ONE_S
    return offer.product == product and ends and offer.starts_at >= window.starts_at - _ONE_S


def _offer(
    terms: Terms, stores: Sequence[Store], window: Window, taken_w: float, now: float
) -> tuple[float, float, float, float] | None:
    starts_at = max(window.starts_at, now)
    for_s = min(terms.call_s, window.ends_at - starts_at)
    if for_s < _LEAST_S:
        return None
    able = later(stores, starts_at - now, for_s, terms.share)
    power_w = (able.power_w - taken_w - BEYOND_W) // _STEP_W * _STEP_W
    if power_w < LEAST_W:
        return None
    return starts_at, window.ends_at, power_w, power_w * for_s / S_PER_H


def _taken_w(window: Window, open_: Sequence[Posted], commitments: Sequence[Commitment]) -> float:
    """Return the power that is promised, or offered, to somebody else within a window.

    All that touches it is added up, though it may not all be at once: too little offered is safe.
    """
    answered = {c.request for c in commitments}
    offered_w = sum(
        p.offer.power_w
        for p in open_
        if p.mrid not in answered and p.offer.overlaps(window.starts_at, window.ends_at)
    )
    committed_w = sum(
        c.power_w
        for c in commitments
        if max(c.starts_at, window.starts_at) < min(c.ends_at, window.ends_at)
    )
    return offered_w + committed_w


def excessive(
    terms: Terms,
    stores: Sequence[Store],
    posted: Sequence[Posted],
    commitments: Sequence[Commitment],
    now: float,
) -> tuple[Posted, ...]:
    """Return the offers, not yet answered, that could not be kept if they were taken now."""
    answered = {c.request for c in commitments}
    found = []
    for each in standing(posted, now):
        offer = each.offer
        if each.mrid in answered:
            continue
        starts_at = max(offer.starts_at, now)
        for_s = min(offer.lasts_s, max(offer.ends_at - now, 1.0))
        able = later(stores, starts_at - now, for_s, terms.share, margin=0.0)
        taken_w = sum(c.power_w for c in commitments if offer.overlaps(c.starts_at, c.ends_at))
        if able.power_w - taken_w < offer.power_w:
            found.append(each)
    return tuple(found)


def short_w(
    commitment: Commitment,
    commitments: Iterable[Commitment],
    stores: Sequence[Store],
    now: float,
) -> float:
    """Return by how much the batteries could not keep a commitment, W; 0 where they can.

    It is judged from rest, at present or when it begins, whichever is later, beside all that may
    be called then.

    Args:
        commitment: The one.
        commitments: All.
        stores: The batteries that can be reached.
        now: UTC epoch seconds.
    """
    at = max(now, commitment.starts_at)
    beside = [c for c in commitments if c.starts_at <= at < c.ends_at and c.owed_wh(at) > 0]
    if commitment not in beside:
        return 0.0
    power_w = sum(c.power_w for c in beside)
    energy_wh = sum(c.owed_wh(at) for c in beside)
    able = later(stores, at - now, energy_wh / power_w * S_PER_H, margin=0.0)
    missing_w = power_w - able.power_w
    if missing_w <= _ALMOST * power_w:
        return 0.0
    return missing_w * commitment.power_w / power_w
