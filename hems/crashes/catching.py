"""Catches what nobody has caught, and leaves a report of it.

A fault is not hidden by this: what ends the program ends it all the same, with its traceback in
the log. The report is what can be handed on, for a log holds what is the home's.
"""

import asyncio
import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from hems.crashes import files
from hems.crashes.files import Kept, Run
from hems.on_demand import on_demand

if TYPE_CHECKING:
    from hems.crashes import report, versions
else:  # most runs end without them
    report = on_demand("hems.crashes.report")
    versions = on_demand("hems.crashes.versions")

SHOWN_S: Final = 7 * 86400.0
"""So long a report is shown, unless its file is removed before."""
_MOST_TASKS: Final = 5
"""So many different faults of tasks are kept of one run."""

_ALL: Final = "the process"

_log = logging.getLogger(__name__)


class Catching:
    """What catches, from `begin` to `end`.

    Args:
        folder: Where reports go.
        state: Tells what the program is at, in numbers and words of its own.
        now: UTC epoch seconds.
    """

    def __init__(
        self,
        folder: Path,
        state: Callable[[], Sequence[str]] = tuple,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self.state = state
        self._now = now
        self._seen: set[int] = set()
        self._run: Run | None = None
        self._begun_at = now()
        self.kept: Callable[[Kept], None] = lambda _kept: None

    def begin(self) -> None:
        """Catch from now on, and keep what a run before has left; what cannot be is logged."""
        sys.excepthook = self._on_end
        threading.excepthook = self._on_thread
        if not self._folder.parent.is_dir():
            return  # whoever needs the place says what is wrong with it
        try:
            for text, at in files.left_behind(self._folder):
                self._keep("the process, by a signal", report.hard_faults(text), at, ())
            self._run = Run.begun(self._folder)
        except OSError as error:
            _log.warning("%s: no crash report can be left there: %s", self._folder, error.strerror)
            return
        faulthandler.enable(self._run.file)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Catch what tasks and callbacks of a loop end with while nobody asks for it."""
        loop.set_exception_handler(self._on_loop)

    def end(self) -> None:
        """The program ends in order."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        if self._run is not None:
            faulthandler.disable()
            self._run.end()
            self._run = None

    def last(self) -> Kept | None:
        """Return the last report that is to be shown; None for none."""
        now = self._now()
        found = files.newest(self._folder, now)
        return found if found is not None and abs(now - found.at) < SHOWN_S else None

    def _on_end(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            _log.critical("a fault in this software ends it", exc_info=(kind, error, trace))
            self._caught(_ALL, error)
        else:
            sys.__excepthook__(kind, error, trace)

    def _on_thread(self, args: threading.ExceptHookArgs) -> None:
        if isinstance(args.exc_value, Exception):
            found = (args.exc_type, args.exc_value, args.exc_traceback)
            _log.error("a fault in this software ends a thread", exc_info=found)
            self._caught("a thread", args.exc_value)
        else:
            threading.__excepthook__(args)

    def _on_loop(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        loop.default_exception_handler(dict(context))
        error = context.get("exception")
        # What a connection ends with is the network's, and none of this program's faults.
        if isinstance(error, Exception) and not context.keys() & {"transport", "protocol"}:
            self._caught("a task", error)

    def _caught(self, what: str, error: BaseException) -> None:
        where = report.faults(error)
        mark = report.fingerprint(where)
        # What ends the process is kept whatever went wrong before, or ten years of small faults
        # would leave nothing of the one that counts.
        if what != _ALL and (mark in self._seen or len(self._seen) >= _MOST_TASKS):
            return
        self._seen.add(mark)
        ran = f"had run for {self._now() - self._begun_at:.0f} s"
        self._keep(what, where, self._now(), (ran, *self.state()))

    def _keep(self, what: str, where: Sequence[str], at: float, state: Sequence[str]) -> None:
        made = report.Report(at, what, versions.versions(), state, where)
        try:
            kept = files.keep(self._folder, at, made.text())
        except OSError as error:
            _log.error("the crash report cannot be written: %s", error)
            return
        _log.error("%s ended unexpectedly; what is known of it is in %s", what, kept.path)
        self.kept(kept)
