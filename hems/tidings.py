"""What the utilities tell the owner besides asking: messages, and what energy costs; pure."""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from hems.sep2.book.messages import Message, Priority
from hems.sep2.rules.tariff import Flow, Tariff, Use, chosen, steps
from hems.surface import MessageView, PriceView

_AHEAD_S: Final = 2 * 86400.0
"""How far ahead a change of the price is looked for."""

_CURRENCIES: Final[Mapping[int, str]] = MappingProxyType(
    {
        32: "ARS",
        36: "AUD",
        124: "CAD",
        152: "CLP",
        156: "CNY",
        170: "COP",
        203: "CZK",
        208: "DKK",
        344: "HKD",
        348: "HUF",
        352: "ISK",
        356: "INR",
        360: "IDR",
        376: "ILS",
        392: "JPY",
        410: "KRW",
        458: "MYR",
        484: "MXN",
        554: "NZD",
        578: "NOK",
        604: "PEN",
        608: "PHP",
        682: "SAR",
        702: "SGD",
        704: "VND",
        710: "ZAR",
        752: "SEK",
        756: "CHF",
        764: "THB",
        784: "AED",
        826: "GBP",
        840: "USD",
        901: "TWD",
        941: "RSD",
        946: "RON",
        949: "TRY",
        978: "EUR",
        980: "UAH",
        985: "PLN",
        986: "BRL",
    }
)
"""ISO 4217: numbers and letters."""


def message(told: Message) -> MessageView:
    """Return a message as shown."""
    return MessageView(
        id=told.mrid,
        program=told.originator or told.program,
        text=told.text,
        urgent=told.priority >= Priority.HIGH,
        starts_at=told.starts_at,
        ends_at=told.ends_at,
        acknowledged=told.acknowledged,
        may_acknowledge=told.wants_answer,
    )


def price(
    tariffs: Iterable[Tariff], now: float, offset_s: float, *, resumes: bool = False
) -> PriceView | None:
    """Return what energy from the grid costs now; None if that is not known.

    Args:
        tariffs: Of one utility.
        now: UTC epoch seconds.
        offset_s: That utility's clock less this machine's, s.
        resumes: See `hems.sep2.rules.tariff.steps`.
    """
    there = now + offset_s
    tariff = chosen(tariffs, there)
    if tariff is None:
        return None
    first, *later = steps(tariff, Use(Flow.IMPORT), there, there + _AHEAD_S, resumes=resumes)
    if first.price is None:
        return None
    following = later[0].price if later else None
    return PriceView(
        tariff=tariff.name,
        currency=_CURRENCIES.get(tariff.currency or 0, ""),
        per_kwh=first.price.per_kwh,
        until=first.end - offset_s if later else math.inf,
        next_per_kwh=None if following is None else following.per_kwh,
    )
