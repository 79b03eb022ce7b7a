"""A progress bar on the terminal: one line on standard error, gone when it is over."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from der.discovery.scan import Progress

_WIDTH: Final = 24
_CLEAR: Final = "\r\x1b[K"


def line(progress: Progress) -> str:
    """Return what is shown of a scan; pure."""
    looking = f", looking: {', '.join(progress.busy)}" if progress.busy else ""
    return f"{scale(progress.share)}  {progress.found} found{looking}"


def scale(share: float) -> str:
    """Return a bar for a share, 0 to 1; pure."""
    full = round(min(max(share, 0.0), 1.0) * _WIDTH)
    return f"[{'#' * full}{'.' * (_WIDTH - full)}] {share:4.0%}"


class Bar:
    """Shows how far something is, where somebody watches."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown

    def scan(self, progress: Progress) -> None:
        """Show how far a scan is."""
        self._show(line(progress))

    def move(self, share: float, doing: str) -> None:
        """Show how far a test move is, and what the device was told."""
        self._show(f"{scale(share)}  {doing}")

    def _show(self, text: str) -> None:
        if self._shown:
            sys.stderr.write(f"{_CLEAR}{text}")
            sys.stderr.flush()


@contextmanager
def bar() -> Iterator[Bar]:
    """Show a bar while the context lasts, if standard error is a terminal."""
    shown = sys.stderr.isatty()
    try:
        yield Bar(shown=shown)
    finally:
        if shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
