"""The utility's own tariff (IEEE 2030.5) as series of prices; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hems.cem.tariff.series import Series, Span
from hems.sep2.rules.tariff import Flow, Tariff, Use, chosen, steps

AHEAD_S: Final = 50 * 3600.0
"""How far ahead it is asked for: the longest plan and a little."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one utility tells.

    Attributes:
        tariffs: All of it.
        offset_s: Its clock less this machine's, s.
        resumes: See `hems.sep2.rules.tariff.steps`.
    """

    tariffs: tuple[Tariff, ...]
    offset_s: float = 0.0
    resumes: bool = False


@dataclass(frozen=True, slots=True)
class UtilityPrices:
    """Prices of the first utility that tells any now; None where it does not."""

    imported: Series | None = None
    exported: Series | None = None


def prices(told: Iterable[Told], now: float) -> UtilityPrices:
    """Return what the utilities tell of the time from now on.

    Blocks (prices that change with what was used in the month) are not looked ahead at: each
    price is that of the next kWh.

    Args:
        told: Of each, in the order of the configuration.
        now: UTC epoch seconds.
    """
    imported: Series | None = None
    exported: Series | None = None
    for each in told:
        imported = imported or _series(each, Flow.IMPORT, now)
        exported = exported or _series(each, Flow.EXPORT, now)
    return UtilityPrices(imported, exported)


def _series(told: Told, flow: Flow, now: float) -> Series | None:
    there = now + told.offset_s
    tariff = chosen(told.tariffs, there)
    if tariff is None:
        return None
    found = steps(tariff, Use(flow), there, there + AHEAD_S, resumes=told.resumes)
    spans = [
        Span(step.start - told.offset_s, step.end - told.offset_s, step.price.per_kwh)
        for step in found
        if step.price is not None
    ]
    return Series.of(spans, now) if spans else None
