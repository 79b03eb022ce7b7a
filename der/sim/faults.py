"""Ways in which a simulated device misbehaves on its real socket."""

import asyncio
import random
import time
from enum import StrEnum

GARBAGE_BYTES = 24


class FaultKind(StrEnum):
    """What goes wrong."""

    NONE = "none"
    SILENCE = "silence"
    """Takes the connection and the request, does nothing and never answers."""
    GARBAGE = "garbage"
    """Answers with bytes that are no message of its protocol."""
    EXCEPTION = "exception"
    """Refuses everything: Modbus exception 4, OCPP CALLERROR."""
    OFF = "off"
    """Closes its connections and is not to be reached."""
    DELAY = "delay"
    """Obeys, but answers late."""
    SCALE = "scale"
    """Sends its power with a wrong scale factor: a thousandfold of what it is."""
    STUCK = "stuck"
    """Answers well, with the values of the moment when the fault began."""
    REBOOT = "reboot"
    """Drops its connections and all that it was told, is away for `seconds`, then starts anew."""
    CLOCK = "clock"
    """Its own clock is off by an hour."""
    EXCHANGED = "exchanged"
    """Another of its make answers in its place, with a serial number of its own (SunSpec)."""


class Fault:
    """The fault of one device; it ends by itself if it was given a time.

    Attributes:
        delay_s: How late answers are under `FaultKind.DELAY`.
    """

    def __init__(self, seed: str) -> None:
        self.delay_s = 0.0
        self._kind = FaultKind.NONE
        self._until: float | None = None
        self._rng = random.Random(seed)  # noqa: S311 - garbage, not a secret
        self._changed = asyncio.Event()

    @property
    def kind(self) -> FaultKind:
        """What goes wrong now."""
        if self._until is not None and time.monotonic() >= self._until:
            self.set(FaultKind.NONE)
        return self._kind

    def set(self, kind: FaultKind, seconds: float = 0.0, delay_s: float = 3.0) -> None:
        """Begin or end a fault.

        Args:
            kind: What shall go wrong; NONE ends any.
            seconds: For how long; 0 until told otherwise.
            delay_s: How late answers are under DELAY.
        """
        self._kind = kind
        self._until = time.monotonic() + seconds if seconds > 0 else None
        self.delay_s = delay_s
        self._changed.set()

    async def until_changed(self) -> None:
        """Return when the fault was set anew or its time has run out."""
        left_s = None if self._until is None else max(0.0, self._until - time.monotonic())
        try:
            async with asyncio.timeout(left_s):
                await self._changed.wait()
        except TimeoutError:
            self.set(FaultKind.NONE)
        self._changed.clear()

    def garbage(self) -> bytes:
        """Return some bytes that mean nothing."""
        return self._rng.randbytes(GARBAGE_BYTES)
