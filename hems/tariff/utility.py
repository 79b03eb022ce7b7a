"""The utility's own tariff (IEEE 2030.5) as series of prices; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hems.cem.tariff.series import Series, Span
from hems.sep2.rules.tariff import Flow, Tariff, Use, chosen, steps

AHEAD_S: Final = 50 * 3600.0
"""How far ahead it is asked for: the longest plan and a little."""
BEHIND_S: Final = 3600.0
"""How far back: a plan begins with the quarter-hour that runs, accounts with the last minute."""
_MOST_PER_KWH: Final = 1e6
"""A price beyond this is none: its power of ten went wrong."""


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


def prices(
    told: Iterable[Told], now: float, before: UtilityPrices = UtilityPrices()
) -> UtilityPrices:
    """Return what the utilities tell of the time from now on, and told of the last hour.

    Blocks (prices that change with what was used in the month) are not looked ahead at: each
    price is that of the next kWh.

    Args:
        told: Of each, in the order of the configuration.
        now: UTC epoch seconds.
        before: What they told before: it holds for the time until now.
    """
    imported: Series | None = None
    exported: Series | None = None
    for each in told:
        imported = imported or _series(each, Flow.IMPORT, now)
        exported = exported or _series(each, Flow.EXPORT, now)
    return UtilityPrices(
        _after(before.imported, imported, now), _after(before.exported, exported, now)
    )


def _after(before: Series | None, series: Series | None, now: float) -> Series | None:
    """Return what was told until now and what is told from now on; that alone if it is the first.

    An interval that is over is told no more, and one that is withdrawn was paid until then.
    """
    if before is None:
        return series
    past = [
        Span(span.start, min(span.end, now), span.value)
        for span in before.spans
        if span.start < now and span.end > now - BEHIND_S
    ]
    ahead = [
        Span(max(span.start, now), span.end, span.value)
        for span in (() if series is None else series.spans)
        if span.end > now
    ]
    return Series.of((*past, *ahead), now) if past or ahead else None


def _series(told: Told, flow: Flow, now: float) -> Series | None:
    there = now + told.offset_s
    tariff = chosen(told.tariffs, there)
    if tariff is None:
        return None
    found = steps(tariff, Use(flow), there - BEHIND_S, there + AHEAD_S, resumes=told.resumes)
    spans = [
        Span(step.start - told.offset_s, step.end - told.offset_s, step.price.per_kwh)
        for step in found
        if step.price is not None and abs(step.price.per_kwh) <= _MOST_PER_KWH
    ]
    return Series.of(spans, now) if spans else None
