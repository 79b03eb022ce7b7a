"""Settlements as files: streamed home by home, so that none is held as a whole."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp import web

from hems.headend.errors import BusyError, RequestError
from hems.headend.fleet.door_words import name_in
from hems.headend.records import Event
from hems.headend.settle.counting import Counting
from hems.headend.settle.csv_file import CsvFile
from hems.headend.settle.delivery import Result
from hems.on_demand import load, on_demand

if TYPE_CHECKING:
    from hems.headend.settle import parquet_file
else:
    parquet_file = on_demand("hems.headend.settle.parquet_file")

_log = logging.getLogger(__name__)


class NoParquetError(RequestError):
    """What Parquet needs is not installed."""

    status = 501


class File(Protocol):
    """A file in the making."""

    @property
    def content_type(self) -> str:
        """Its media type."""
        ...

    def begin(self) -> bytes:
        """Return its first octets."""
        ...

    def write(self, results: list[Result], /) -> bytes:
        """Take some homes; returns what is ready."""
        ...

    def end(self) -> bytes:
        """Return its last octets."""
        ...


class FileDoor:
    """Settlements as files.

    Args:
        counting: Settles homes.
    """

    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    def routes(self) -> list[web.RouteDef]:
        """Return where these stand."""
        return [
            web.get("/events/{id}/settlement.csv", self.get_csv),
            web.get("/events/{id}/settlement.parquet", self.get_parquet),
        ]

    async def get_csv(self, request: web.Request) -> web.StreamResponse:
        """Answer what an event came to, a line a home."""
        event = await self._counting.event(name_in(request))
        return await self._sent(request, event, CsvFile(), "csv")

    async def get_parquet(self, request: web.Request) -> web.StreamResponse:
        """Answer what an event came to as Apache Parquet."""
        event = await self._counting.event(name_in(request))
        try:
            await load(parquet_file)
        except ImportError as error:
            raise NoParquetError(_NO_PARQUET) from error
        file = parquet_file.ParquetFile(self._about(event))
        return await self._sent(request, event, file, "parquet")

    async def _sent(
        self, request: web.Request, event: Event, file: File, form: str
    ) -> web.StreamResponse:
        async with aclosing(self._pieces(event, file)) as pieces:
            first = await anext(pieces)  # what cannot be made at all is refused in words
            response = web.StreamResponse(
                headers={
                    "Content-Type": file.content_type,
                    "Content-Disposition": f'attachment; filename="settlement-{event.mrid}.{form}"',
                    "Cache-Control": "no-store",
                }
            )
            await response.prepare(request)
            try:
                await response.write(first)
                async for piece in pieces:
                    await response.write(piece)
            except BusyError as error:
                _log.warning("%s: broken off: %s", request.path, error)
                if request.transport is not None:
                    request.transport.abort()  # so that nobody takes the half for the whole
                return response
            await response.write_eof()
            return response

    async def _pieces(self, event: Event, file: File) -> AsyncGenerator[bytes, None]:
        homes = await self._counting.homes(event)
        waiting = file.begin()
        async with aclosing(self._counting.results(event, homes)) as parts:
            async for some in parts:
                waiting += file.write(list(some))
                if len(waiting) >= _PIECE:
                    yield waiting
                    waiting = b""
        yield waiting + file.end()

    def _about(self, event: Event) -> Mapping[str, str]:
        plan = self._counting.plan(event)
        return {
            "event": event.mrid,
            "interval_s": str(plan.terms.step_s),
            "baseline": "none" if plan.method is None else plan.method.way.value,
        }


_PIECE: Final = 1 << 16
_NO_PARQUET: Final = (
    "Parquet needs the package pyarrow, which is not installed here; install the extra `parquet`, "
    "or take CSV"
)
