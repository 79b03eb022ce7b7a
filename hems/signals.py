"""The signals that ask a program to end in order, or to read its configuration anew."""

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Final

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def end_by(stop: Callable[[], None]) -> None:
    """Have what runs end in order by the signals that ask for it.

    Args:
        stop: Called from the running event loop for each of them.
    """
    for number in _ENDING:
        asyncio.get_running_loop().add_signal_handler(number, stop)


def reload_by(ask: Callable[[], None], end: Callable[[], None]) -> None:
    """Have SIGHUP ask for the configuration to be read anew.

    A program that somebody has started in a terminal ends with that instead, as all do there.

    Args:
        ask: Called from the running event loop for each.
        end: The same, where it is the terminal that has gone.
    """
    in_terminal = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
    ours = end if in_terminal else ask
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, ours)


def reload_later() -> None:
    """Let no SIGHUP end a program that is only just starting: it reads all of it anyway.

    Not by ignoring it, which every child would inherit.
    """
    signal.signal(signal.SIGHUP, lambda *_: None)


def end_quietly() -> None:
    """Let nothing that asks once more for the end turn it into a failure: all is written down.

    The program is to end; it hears no such signal any more.
    """
    for number in (*_ENDING, signal.SIGHUP):
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
