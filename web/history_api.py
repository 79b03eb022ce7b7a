"""What devices took and gave under /api/history, and its shapes as JSON; and as files."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Final, Protocol

from aiohttp import web
from pydantic import Field

from hems.access.rights import Right
from hems.cem.civil import Before, Grain, day_of
from hems.clock import Clock
from hems.reports.energy import EnergyReport, compared, span
from hems.reports.export import BusyError
from hems.reports.surface import DeviceRow, Energetic, EnergyTable, TooMuchError, Totals
from hems.surface import SurfaceError
from web.models import Answer, Input
from web.operation import Operation

_log = logging.getLogger(__name__)

_WH_PER_KWH: Final = 1000.0
_DIGITS: Final = 4
_TYPES: Final = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}

Figures = Sequence[float | None]


class DeviceEnergyAnswer(Answer):
    """What a device took and gave, one figure for each period; null where nothing was measured.

    Attributes:
        id: Device id.
        name: As people know it; its id where the home has it no more.
        kind: What it is; empty where the home has it no more.
        taken_kwh: Energy while its power was positive: consumption, import, charging.
        given_kwh: Energy while it was negative, a magnitude.
        mean_w: Mean power over what was measured, passive sign.
        low_w: Lowest mean power of a minute.
        high_w: Highest.
        soc_low: Lowest state of charge, 0 to 1.
        soc_high: Highest.
        measured: Share of what has gone of each period that was measured.
    """

    id: str
    name: str
    kind: str
    taken_kwh: Figures
    given_kwh: Figures
    mean_w: Figures
    low_w: Figures
    high_w: Figures
    soc_low: Figures
    soc_high: Figures
    measured: Sequence[float]


class TotalsAnswer(Answer):
    """The home's energies in a period, kWh, magnitudes; null where that cannot be told.

    Attributes:
        taken_kwh: From the grid.
        given_kwh: To the grid.
        sun_kwh: From PV.
        own_kwh: What of that stayed in the home.
        used_kwh: What the home used, batteries left out.
    """

    taken_kwh: float | None
    given_kwh: float | None
    sun_kwh: float | None
    own_kwh: float | None
    used_kwh: float | None


class EnergyTableAnswer(Answer):
    """Energies by period.

    Attributes:
        starts: Of each period, UTC epoch seconds.
        ends: The same.
        devices: By id.
        totals: Of each period.
        whole: Of all of them together.
    """

    starts: Sequence[float]
    ends: Sequence[float]
    devices: Sequence[DeviceEnergyAnswer]
    totals: Sequence[TotalsAnswer]
    whole: TotalsAnswer


class EnergyAnswer(EnergyTableAnswer):
    """Energies by period, and those they are compared with.

    Attributes:
        step: Length of a period.
        now: When this was answered, UTC epoch seconds.
        today: The present day of the home.
        time_zone: IANA name of its zone, by whose clock days begin.
        compared: Of the time that was asked to be compared with.
    """

    step: Grain
    now: float
    today: date
    time_zone: str
    compared: EnergyTableAnswer | None


class FileFormat(StrEnum):
    """Of an exported file."""

    CSV = "csv"
    PARQUET = "parquet"


class _Query(Input):
    """A time and its division.

    Attributes:
        start: Its start, as days or times of the home ("2026-06-01", "2026-06-01T13:00"), with
            an offset of its own, or in UTC epoch seconds.
        end: Where it ends, the same: the day after its last one.
        step: What it is divided into.
    """

    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    step: Grain = Grain.DAY


class EnergyQuery(_Query):
    """What is asked: a time, its division, and what to compare it with.

    Attributes:
        compare: The time just before, or the same a year ago.
    """

    compare: Before | None = None


class ExportQuery(_Query):
    """What is to be exported."""

    format: FileFormat = FileFormat.CSV


class Exporter(Protocol):
    """Makes files of the history; `hems.reports.export.Exports` is one."""

    def pieces(
        self, asked: tuple[float, float], step: Grain, form: str
    ) -> AsyncGenerator[bytes, None]:
        """Yield a file piece by piece; raises `hems.surface.SurfaceError` where it cannot."""
        ...


class HistoryApi:
    """What can be asked of the past, under /api/history.

    Args:
        report: What devices took and gave.
        exporter: Makes files of it.
        clock: Where "today" comes from.
    """

    def __init__(self, report: EnergyReport, exporter: Exporter, clock: Clock) -> None:
        self._report = report
        self._exporter = exporter
        self._clock = clock

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        refusals: dict[type[Exception], HTTPStatus] = {TooMuchError: HTTPStatus.BAD_REQUEST}
        return [
            Operation("GET", "/api/history/energy", cls.energy, Right.HISTORY, refusals=refusals),
            Operation(
                "GET",
                "/api/history/export",
                cls.export,
                Right.HISTORY,
                refusals={**refusals, BusyError: HTTPStatus.CONFLICT},
                media_type="text/csv",
            ),
        ]

    async def energy(self, query: EnergyQuery) -> EnergyAnswer:
        """Return what each device took and gave, by the home's hours, days or months."""
        zone = self._report.zone
        asked = span(query.start, query.end, zone)
        table = await self._report.energy(asked, query.step)
        other = None
        if query.compare is not None:
            other = await self._report.energy(compared(asked, query.compare, zone), query.step)
        shown, now = _table(table), self._clock.now()
        return EnergyAnswer(
            starts=shown.starts,
            ends=shown.ends,
            devices=shown.devices,
            totals=shown.totals,
            whole=shown.whole,
            step=query.step,
            now=now,
            today=day_of(now, zone),
            time_zone=zone.key,
            compared=None if other is None else _table(other),
        )

    async def export(self, query: ExportQuery, request: web.Request) -> web.StreamResponse:
        """Answer with a file of what each device took and gave, as CSV or Parquet."""
        asked = span(query.start, query.end, self._report.zone)
        async with aclosing(self._exporter.pieces(asked, query.step, query.format)) as pieces:
            # Whatever is wrong shows before the first piece: then it can still be said.
            first = await anext(pieces, b"")
            response = web.StreamResponse(headers=_headers(query))
            await response.prepare(request)
            await response.write(first)
            try:
                async for piece in pieces:
                    await response.write(piece)
            except SurfaceError as error:
                _log.warning("a file of the history breaks off: %s", error)
                if request.transport is not None:
                    request.transport.abort()  # so that nobody takes the half for the whole
                return response
            await response.write_eof()
        return response


def _headers(query: ExportQuery) -> Mapping[str, str]:
    first, last = (when.date().isoformat() for when in (query.start, query.end))
    name = f"hems-history-{first}-{last}-{query.step}.{query.format}"
    return {
        "Content-Type": _TYPES[query.format],
        "Content-Disposition": f'attachment; filename="{name}"',
    }


def _table(table: EnergyTable) -> EnergyTableAnswer:
    return EnergyTableAnswer(
        starts=[start for start, _ in table.periods],
        ends=[end for _, end in table.periods],
        devices=[_device(row) for row in table.devices],
        totals=[_totals(each) for each in table.totals],
        whole=_totals(table.whole),
    )


def _device(row: DeviceRow) -> DeviceEnergyAnswer:
    def figures(of: Callable[[Energetic], float | None], digits: int) -> Figures:
        found = (None if each is None else of(each) for each in row.energies)
        return [None if figure is None else round(figure, digits) for figure in found]

    return DeviceEnergyAnswer(
        id=row.id,
        name=row.name,
        kind=row.kind,
        taken_kwh=figures(lambda each: each.taken_wh / _WH_PER_KWH, _DIGITS),
        given_kwh=figures(lambda each: each.given_wh / _WH_PER_KWH, _DIGITS),
        mean_w=figures(lambda each: each.mean_w, 1),
        low_w=figures(lambda each: each.low_w, 1),
        high_w=figures(lambda each: each.high_w, 1),
        soc_low=figures(lambda each: each.soc_low, _DIGITS),
        soc_high=figures(lambda each: each.soc_high, _DIGITS),
        measured=[round(share, _DIGITS) for share in row.measured],
    )


def _totals(totals: Totals) -> TotalsAnswer:
    return TotalsAnswer(
        taken_kwh=_kwh(totals.taken_wh),
        given_kwh=_kwh(totals.given_wh),
        sun_kwh=_kwh(totals.sun_wh),
        own_kwh=_kwh(totals.own_wh),
        used_kwh=_kwh(totals.used_wh),
    )


def _kwh(energy_wh: float | None) -> float | None:
    return None if energy_wh is None else round(energy_wh / _WH_PER_KWH, _DIGITS)
