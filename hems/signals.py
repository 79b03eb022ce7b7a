"""The signals that ask a program to end in order."""

import asyncio
import signal
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


def end_quietly() -> None:
    """Let nothing that asks once more for the end turn it into a failure: all is written down.

    The program is to end; it hears no such signal any more.
    """
    for number in _ENDING:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
