"""A process that answers once and ends, watched without waiting for it."""

import os
import subprocess  # only this program itself is started, with arguments of ours
import sys
from typing import BinaryIO, Final

_LONGEST_S: Final = 120.0


class Aside:
    """One run of a module of ours.

    Args:
        module: Its name.
        arguments: Its arguments.
        question: Its standard input.
        now: Monotonic seconds.
    """

    def __init__(
        self, module: str, arguments: tuple[str, ...], question: bytes, now: float
    ) -> None:
        self.module = module
        self._until = now + _LONGEST_S
        self._answer = os.memfd_create("answer", os.MFD_CLOEXEC)
        asked = os.memfd_create("question", os.MFD_CLOEXEC)
        try:
            os.write(asked, question)
            os.lseek(asked, 0, os.SEEK_SET)
            self._process = subprocess.Popen(  # noqa: S603 - see above
                [sys.executable, "-m", module, *arguments],
                stdin=asked,
                stdout=self._answer,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            os.close(self._answer)
            raise
        finally:
            os.close(asked)

    def done(self, now: float) -> BinaryIO | None:
        """Return its answer once it has ended; None before. Nothing of one that fails or hangs.

        Args:
            now: Monotonic seconds.
        """
        if self._process.poll() is None:
            if now < self._until:
                return None
            self._stop()
        if self._process.returncode:
            os.ftruncate(self._answer, 0)
        os.lseek(self._answer, 0, os.SEEK_SET)
        return os.fdopen(self._answer, "rb")

    def end(self) -> None:
        """End it, whatever it is at; for one whose answer nobody wants."""
        self._stop()
        os.close(self._answer)

    def _stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
