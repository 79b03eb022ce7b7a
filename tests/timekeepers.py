"""Programs that keep or bend time, unpacked by `make timekeepers`; a clock that tests can set.

The clock of one process is bent by libfaketime, which stands before the C library: Python, OpenSSL
and SQLite all see it. The monotonic clock runs on untouched.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[1] / "build" / "timekeepers" / "root" / "usr"
CHRONYD: Final = _ROOT / "sbin" / "chronyd"
CHRONYC: Final = _ROOT / "bin" / "chronyc"
_LIBRARY: Final = "lib/*/faketime/libfaketime.so.1"

unpacked = pytest.mark.skipif(
    not CHRONYD.exists(), reason="chrony and libfaketime are not unpacked: run `make timekeepers`"
)


@dataclass(frozen=True, slots=True)
class BentClock:
    """The wall clock of programs that are started by `command`.

    Attributes:
        file: Says what it shows.
    """

    file: Path

    def set(self, at: float) -> None:
        """Set it, as of now; it runs on from there, for whoever is started from now on."""
        self._write(datetime.fromtimestamp(at, UTC).strftime("@%Y-%m-%d %H:%M:%S"))

    def shift(self, by_s: float) -> None:
        """Set it to a distance from the true time, at once, also for those that run."""
        self._write(f"{by_s:+.0f}")

    def set_now(self, at: float) -> None:
        """Set it to an instant, at once, also for those that run."""
        self.shift(at - time.time())

    def _write(self, text: str) -> None:
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{text}\n", encoding="ascii")
        draft.replace(self.file)

    def command(self, command: Sequence[str]) -> list[str]:
        """Return a command line that runs a program by this clock."""
        (library,) = _ROOT.glob(_LIBRARY)
        settings = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
            "TZ": "UTC",
        }
        return ["/usr/bin/env", *(f"{k}={v}" for k, v in settings.items()), *command]


def environment() -> dict[str, str]:
    """Return the environment without what bends time."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("FAKETIME", "LD_PRELOAD"))}
