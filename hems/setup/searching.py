"""The search for devices as a job of the running hub: one at a time, with its progress."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from der.discovery.scan import Progress, Report
from der.sentence import say
from hems.clock import Clock
from hems.settings.toml_file import ConfigError
from hems.setup.found_surface import BusyError, SearchState, SearchView
from hems.setup.kept_scan import Row, ScanError, numbered
from hems.setup.scan import Search, TargetError
from hems.setup.words import said

Look = Callable[[Search, Callable[[Progress], None]], Awaitable[Report]]
"""Looks through the home once."""
Keep = Callable[[Sequence[Row]], None]
"""Keeps what was found, so that it outlives a restart and the command line knows it."""


class Searching:
    """One search after the other.

    Args:
        look: Does one.
        keep: Keeps what it has found.
        clock: Where the time comes from.
    """

    def __init__(self, look: Look, keep: Keep, clock: Clock) -> None:
        self._look = look
        self._keep = keep
        self._clock = clock
        self._view = SearchView()
        self._task: asyncio.Task[None] | None = None

    @property
    def view(self) -> SearchView:
        """How the last one stands."""
        return self._view

    def start(self, search: Search) -> SearchView:
        """Start one; raises BusyError while one is under way."""
        if self._task is not None and not self._task.done():
            raise BusyError(say("A search is under way; wait for its end, or stop it."))
        self._view = SearchView(SearchState.LOOKING, began_at=self._clock.now())
        self._task = asyncio.create_task(self._run(search))
        return self._view

    async def stop(self) -> None:
        """End the one that is under way."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self, search: Search) -> None:
        try:
            report = await self._look(search, self._tell)
            rows = numbered(report.found)
            troubles = report.troubles
            try:
                await asyncio.to_thread(self._keep, rows)
            except ScanError as error:
                troubles = (*troubles, str(error))
        except asyncio.CancelledError:
            self._view = replace(self._view, state=SearchState.STOPPED, busy=())
            raise
        except (ConfigError, TargetError, OSError) as error:
            self._view = replace(
                self._view, state=SearchState.FAILED, busy=(), troubles=(said(error),)
            )
        else:
            self._view = replace(
                self._view,
                state=SearchState.DONE,
                share=1.0,
                seen=len(rows),
                busy=(),
                found=rows,
                troubles=troubles,
            )

    def _tell(self, progress: Progress) -> None:
        self._view = replace(
            self._view, share=progress.share, seen=progress.found, busy=progress.busy
        )
