"""Simulated homes, a process with many: each is notified, polls, carries out and answers.

A home keeps one mutual-TLS connection, listens at a loopback address of its own, and comes back by
whichever worker is there. Of each event it answers that it was received, started and completed,
each at its time and in this order, and again until that is acknowledged.

On its standard input a line asks for how far it is; the answer is one line of JSON.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hems.sep2.resources import DERControlResponse, Subscription
from hems.sep2.xml import serialize
from tests.benchmarks.headend_crowd import address_of
from tests.benchmarks.headend_homes import home_file
from tests.benchmarks.headend_wire import (
    GCM,
    HOST,
    Reply,
    ReplyError,
    context_of,
    parse_reply,
    request_of,
)

RESOURCE: Final = "/derp/1/derc"
PORT: Final = 18443
POLL_S: Final = 6.0
"""Shorter than homes poll, so that a test of faults needs not wait for them."""
CODES: Final = (1, 2, 3)
"""Received, started, completed."""

_WITHIN_S: Final = 15.0
_AGAIN_S: Final = 2.0
_LONG_S: Final = 30.0
"""Without a poll that was answered: in such a time a home may miss what is over soon."""
_BUSY: Final = 503
_FAULTS: Final = (OSError, ReplyError, TimeoutError, EOFError)
_TAKEN: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_DEVICE: Final = re.compile(rb'<EndDevice [^>]*href="(/edev/\d+)"')
_CONTROL: Final = re.compile(rb"<DERControl [^>]*>.*?</DERControl>", re.DOTALL)
_MRID: Final = re.compile(rb"<mRID>([0-9A-F]{32})</mRID>")
_INTERVAL: Final = re.compile(
    rb"<interval><duration>(\d+)</duration><start>(\d+)</start></interval>"
)


class BusyError(Exception):
    """The utility cannot take it now."""


@dataclass(slots=True)
class Seen:
    """An event as a home knows it.

    Attributes:
        start: Epoch s.
        end: Epoch s.
        answered: Which codes the utility has acknowledged.
    """

    start: int
    end: int
    answered: list[int] = field(default_factory=list)

    def due(self, now: float) -> int | None:
        """Return what it is time to answer next; None for nothing."""
        times = dict(zip(CODES, (0, self.start, self.end), strict=True))
        rest = [code for code in CODES if code not in self.answered]
        return rest[0] if rest and now >= times[rest[0]] else None


class Home:
    """One home.

    Args:
        number: Which.
        options: Where its certificate and the utility are.
    """

    def __init__(self, number: int, options: argparse.Namespace) -> None:
        self.number = number
        self._port = options.port
        certificate = home_file(options.homes, number)
        self._client = context_of(certificate, options.roots, GCM)
        self._server = context_of(certificate, options.roots, GCM, server=True)
        self._lfdi = options.lfdis[number]
        self._rng = random.Random(number)  # noqa: S311 - when it polls
        self._wake = asyncio.Event()
        self._path = ""
        self._polled = 0.0
        self._answered: float | None = None
        self.longest_s = 0.0
        self.subscribed = False
        self.notified = 0
        self.sessions = 0
        self.events: dict[str, Seen] = {}

    async def listen(self) -> None:
        """Begin to listen for notifications."""
        await asyncio.start_server(
            self._notified, address_of(self.number), PORT, ssl=self._server, backlog=8
        )

    async def run(self) -> None:
        """Live for ever."""
        while True:
            try:
                await self._session()
            except _FAULTS:
                await asyncio.sleep(self._rng.uniform(0.2, _AGAIN_S))

    async def _notified(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = b""
        try:
            while got := await reader.read(1 << 16):
                data += got
                request = parse_reply(data, request=True)
                if request is not None:
                    data = data[request.length :]
                    self.notified += 1
                    self._wake.set()
                    writer.write(_TAKEN)
        except (*_FAULTS, asyncio.CancelledError):
            pass  # it comes again, or this program ends
        finally:
            writer.close()

    async def _session(self) -> None:
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection(HOST, self._port, ssl=self._client)
        self.sessions += 1
        try:
            line = _Line(reader, writer)
            while True:
                try:
                    await self._turn(line)
                except BusyError:
                    await asyncio.sleep(self._rng.uniform(0.5, _AGAIN_S))
                    continue
                soon = min(1.0, self._polled + POLL_S - time.monotonic())
                try:
                    async with asyncio.timeout(max(soon, 0.05)):
                        await self._wake.wait()
                except TimeoutError:
                    pass
        finally:
            writer.close()

    async def _turn(self, line: "_Line") -> None:
        """Do what is due."""
        if not self.subscribed:
            await self._subscribe(line)
        if self._wake.is_set() or time.monotonic() >= self._polled + POLL_S:
            self._wake.clear()
            self._polled = time.monotonic() + self._rng.uniform(-1.0, 0.0)
            self._learn((await line.ask(request_of("GET", f"{RESOURCE}?l=255"), 200)).body)
            now = time.monotonic()
            self.longest_s = max(self.longest_s, now - (self._answered or now))
            self._answered = now
        for mrid, seen in self.events.items():
            while (code := seen.due(time.time())) is not None:
                body = serialize(
                    DERControlResponse(
                        created_date_time=max(seen.start, 1) + code,
                        end_device_lfdi=self._lfdi,
                        status=code,
                        subject=mrid,
                    )
                )
                await line.ask(request_of("POST", "/rsps/1/r", body), 201)
                seen.answered.append(code)

    async def _subscribe(self, line: "_Line") -> None:
        found = _DEVICE.search((await line.ask(request_of("GET", "/edev?l=1"), 200)).body)
        if found is None:
            raise ReplyError("the list of devices does not show the home's own")
        wish = Subscription(
            subscribed_resource=RESOURCE,
            encoding=0,
            level="+S1",
            limit=1,
            notification_uri=f"https://{address_of(self.number)}:{PORT}/n",
        )
        await line.ask(request_of("POST", f"{found[1].decode()}/sub", serialize(wish)), 201)
        self.subscribed = True

    def _learn(self, body: bytes) -> None:
        for control in _CONTROL.findall(body):
            mrid, interval = _MRID.search(control), _INTERVAL.search(control)
            if mrid is None or interval is None:
                raise ReplyError(f"a control that is none: {control[:300]!r}")
            start, duration = int(interval[2]), int(interval[1])
            self.events.setdefault(mrid[1].decode(), Seen(start, start + duration))


class _Line:
    """A connection to a worker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes, wanted: int) -> Reply:
        self._writer.write(request)
        data = b""
        async with asyncio.timeout(_WITHIN_S):
            while True:
                got = await self._reader.read(1 << 16)
                if not got:
                    raise EOFError
                data += got
                reply = parse_reply(data)
                if reply is not None:
                    break
        if reply.status == _BUSY:
            raise BusyError
        if reply.status != wanted:
            # Neither lost nor busy: the utility says that the home did wrong, which it did not.
            wrong[f"{reply.status}: {reply.body[:120]!r}"] += 1
            raise ReplyError(f"answered {reply.status}")
        return reply


wrong: Counter[str] = Counter()
"""What homes were answered that they should not have been."""


def report(homes: list[Home]) -> dict[str, object]:
    """Return how far the homes are."""
    held: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for home in homes:
        for mrid, seen in home.events.items():
            held[mrid] += 1
            for code in seen.answered:
                answered[f"{mrid}:{code}"] += 1
    return {
        "subscribed": sum(home.subscribed for home in homes),
        "notified": sum(home.notified for home in homes),
        "sessions": sum(home.sessions for home in homes),
        "held": held,
        "answered": answered,
        "wrong": wrong,
        "long": {str(h.number): round(h.longest_s) for h in homes if h.longest_s > _LONG_S},
    }


async def live(options: argparse.Namespace) -> None:
    """Be the homes until standard input ends."""
    homes = [Home(n, options) for n in range(options.first, options.first + options.count)]
    for home in homes:
        await home.listen()
    tasks = [asyncio.create_task(home.run()) for home in homes]
    while line := await asyncio.to_thread(sys.stdin.readline):
        died = [task for task in tasks if task.done()]
        if died:
            died[0].result()  # raises what it died of
        if line.strip() == "report":
            print(json.dumps(report(homes)), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    """Be one of the processes."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--homes", type=Path, required=True)
    line.add_argument("--roots", type=Path, required=True)
    line.add_argument("--first", type=int, required=True)
    line.add_argument("--count", type=int, required=True)
    line.add_argument("--port", type=int, required=True)
    options = line.parse_args()
    options.lfdis = json.loads((options.homes / "lfdis.json").read_text())
    asyncio.run(live(options))


if __name__ == "__main__":
    main()
