"""Asking all hosts of the local networks, a few at a time and not too many a second."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from der.addresses import ModbusAddress, Transport
from der.discovery.found import Found, How
from der.discovery.sunspec import Probe, ask, listening
from der.sentence import say

MODBUS: Final = 502
MODBUS_TLS: Final = 802

Place = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard a network is asked.

    Attributes:
        at_once: Places that are being asked at any time.
        per_s: New connections in a second, at most.
        probe: How each is asked.
    """

    at_once: int = 32
    per_s: float = 100.0
    probe: Probe = field(default_factory=Probe)


def places(hosts: Sequence[str]) -> tuple[Place, ...]:
    """Return where a sweep of these hosts looks: first all for Modbus, then all for its TLS."""
    return tuple((host, port) for port in (MODBUS, MODBUS_TLS) for host in hosts)


async def sweep(
    targets: Sequence[Place], pace: Pace, tell: Callable[[int], None] = lambda _: None
) -> AsyncGenerator[Found, None]:
    """Yield the SunSpec devices behind places, in the order in which they answer.

    Args:
        targets: Whom to ask; the caller answers for them being local (`der.discovery.subnet`).
        pace: How hard.
        tell: Told how many places are done, after each.
    """
    answers: asyncio.Queue[list[Found]] = asyncio.Queue()
    sweeping = asyncio.create_task(_ask_all(targets, pace, answers))
    try:
        for done in range(1, len(targets) + 1):
            for found in await answers.get():
                yield found
            tell(done)
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


async def _ask_all(
    targets: Sequence[Place], pace: Pace, answers: asyncio.Queue[list[Found]]
) -> None:
    free = asyncio.Semaphore(pace.at_once)
    async with asyncio.TaskGroup() as tasks:
        for place in targets:
            await free.acquire()
            tasks.create_task(_ask(place, pace.probe, answers)).add_done_callback(
                lambda _: free.release()
            )
            await asyncio.sleep(1.0 / pace.per_s)


async def _ask(place: Place, probe: Probe, answers: asyncio.Queue[list[Found]]) -> None:
    host, port = place
    found: list[Found] = []
    try:
        if await listening(host, port, probe.connect_s):
            found = [secured(host, port)] if port == MODBUS_TLS else await ask(host, port, probe)
    finally:
        answers.put_nowait(found)


def secured(host: str, port: int) -> Found:
    """Return what is known of a host that listens on the port of Modbus over TLS: no more."""
    return Found(
        (How.SWEEP,),
        str(ModbusAddress(host, port, transport=Transport.TLS)),
        note=say("speaks Modbus over TLS: it must be added by hand, with its certificates"),
    )
