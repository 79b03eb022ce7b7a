"""Tariffs and their prices: what an operator sets, judged and put beside what was set before."""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from hems.headend.errors import DispatchError
from hems.headend.spans import Span

MAX_PRICES: Final = 2000
MAX_SPAN_S: Final = 366 * 86400
MULTIPLIER: Final = -5
"""pricePowerOfTenMultiplier: prices go out in 1e-5 of the currency."""

_MOST: Final = (2**31 - 1) * 10.0**MULTIPLIER
_SENSIBLE: Final = 100.0
_CODES: Final = {
    "AUD": 36, "BRL": 986, "CAD": 124, "CHF": 756, "CNY": 156, "CZK": 203, "DKK": 208,
    "EUR": 978, "GBP": 826, "HUF": 348, "INR": 356, "JPY": 392, "KRW": 410, "MXN": 484,
    "NOK": 578, "NZD": 554, "PLN": 985, "SEK": 752, "USD": 840, "ZAR": 710,
}  # fmt: skip
_EPOCH_MIN: Final = 1_000_000_000


class Flow(StrEnum):
    """What a price is of."""

    IMPORT = "import"
    """Energy that the home draws."""
    EXPORT = "export"
    """Energy that it feeds in."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff.

    Attributes:
        number: Part of its hrefs, from 1.
        mrid: 32 upper-case hex digits.
        name: As operators and owners know it.
        primacy: Lower wins.
        currency: Code of ISO 4217.
        flows: What it has prices of, in the order they came.
    """

    number: int
    mrid: str
    name: str
    primacy: int
    currency: int
    flows: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """A price in its time.

    Attributes:
        span: When it holds.
        tariff: mRID of its tariff.
        flow: What it is of.
        per_kwh: In the tariff's currency; None where none is told (raw orders only).
    """

    span: Span
    tariff: str
    flow: Flow
    per_kwh: float | None

    @property
    def owner(self) -> str:
        """Key of its list."""
        return owner(self.tariff, self.flow)


@dataclass(frozen=True, slots=True)
class Offer:
    """A price as an operator gives it.

    Attributes:
        start: Epoch s.
        duration_s: How long it holds.
        per_kwh: The price; None for none (raw orders only).
    """

    start: float
    duration_s: float
    per_kwh: float | None

    @property
    def end(self) -> float:
        """When it ends, epoch s."""
        return self.start + self.duration_s


@dataclass(frozen=True, slots=True)
class Change:
    """What a new series does to what was set before.

    Attributes:
        cancelled: Prices that hold no more.
        added: What is new; mRIDs are still empty.
    """

    cancelled: tuple[Price, ...]
    added: tuple[Offer, ...]


def owner(tariff: str, flow: Flow) -> str:
    """Return the key of a list of prices."""
    return f"{tariff}/{flow.value}"


def currency_code(text: str) -> int:
    """Return the number of a currency from its letters or digits (ISO 4217).

    Raises:
        DispatchError: It is not known.
    """
    if re.fullmatch(r"\d{1,3}", text):
        return int(text)
    code = _CODES.get(text.upper())
    if code is None:
        raise DispatchError(
            f"currency {text[:10]!r} is not known; give its number of ISO 4217 or one of "
            + ", ".join(_CODES)
        )
    return code


def check_offers(offers: Sequence[Offer], now: float, *, raw: bool) -> list[Offer]:
    """Judge a series of prices.

    Args:
        offers: The series, in any order.
        now: Epoch s.
        raw: Whether prices that make no sense, yet can be told, may pass.

    Returns:
        Those that are not over, by start, in whole seconds.

    Raises:
        DispatchError: One makes no sense; the message says which.
    """
    if not 1 <= len(offers) <= MAX_PRICES:
        raise DispatchError(f"a series has 1 to {MAX_PRICES} prices, not {len(offers)}")
    for number, offer in enumerate(offers, start=1):
        _check_offer(number, offer, now, raw=raw)
    ordered = sorted((_whole(offer) for offer in offers), key=lambda offer: offer.start)
    for before, after in itertools.pairwise(ordered):
        if after.start < before.end:
            raise DispatchError(f"two prices hold at {int(after.start)}: one ends after it")
    left = [offer for offer in ordered if offer.end > now]
    if not left:
        raise DispatchError("every price of the series is over already")
    return left


def _check_offer(number: int, offer: Offer, now: float, *, raw: bool) -> None:
    if not math.isfinite(offer.start) or not _EPOCH_MIN <= offer.start <= now + MAX_SPAN_S:
        raise DispatchError(f"price {number}: start {offer.start} is not a time within a year")
    if not math.isfinite(offer.duration_s) or not 1 <= offer.duration_s <= MAX_SPAN_S:
        raise DispatchError(f"price {number}: a duration of {offer.duration_s} s is no time")
    if offer.per_kwh is None:
        if not raw:
            raise DispatchError(f"price {number}: the price is missing")
    elif not math.isfinite(offer.per_kwh) or abs(offer.per_kwh) > (_MOST if raw else _SENSIBLE):
        most = _MOST if raw else _SENSIBLE
        raise DispatchError(f"price {number}: {offer.per_kwh} per kWh is not a price to {most:g}")


def _whole(offer: Offer) -> Offer:
    start, end = round(offer.start), round(offer.end)
    return replace(offer, start=float(start), duration_s=float(max(end - start, 1)))


def change(known: Sequence[Price], offers: Sequence[Offer]) -> Change:
    """Return what a series changes: it takes the place of all prices from its first start on.

    What is the same stays as it is. Of one that began before, the part before the series stays.

    Args:
        known: Prices of the same list that are neither over nor cancelled.
        offers: The series, by start; see `check_offers`.
    """
    begin = offers[0].start
    wanted = list(offers)
    cancelled: list[Price] = []
    for price in known:
        span = price.span
        if span.latest_end <= begin:
            continue
        same = Offer(float(span.start), float(span.duration_s), price.per_kwh)
        if same in wanted:
            wanted.remove(same)
            continue
        cancelled.append(price)
        if span.start < begin:
            wanted.append(replace(same, duration_s=begin - span.start))
    wanted.sort(key=lambda offer: offer.start)
    return Change(tuple(cancelled), tuple(wanted))
