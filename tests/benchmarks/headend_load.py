"""Homes that ask without a pause: a process of its own, a connection for each, in a closed loop.

Each home has its own certificate, its own usage point, and no more than one request under way.
Latency is from handing a request to OpenSSL to having its whole answer.
"""

import argparse
import json
import select
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import psutil

from hems.sep2.resources import (
    DateTimeInterval,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)
from hems.sep2.xml import serialize
from tests.benchmarks.common import Figure, percentile
from tests.benchmarks.headend_homes import home_file
from tests.benchmarks.headend_rig import cpu_s
from tests.benchmarks.headend_wire import (
    ReplyError,
    ask,
    connected,
    context_of,
    parse_reply,
    request_of,
)

KINDS: Final = ("time", "derc", "mmr")
"""What is measured; `dcap` and `edev`, which are read from the database, can be asked for too."""
CONTROLS: Final = 10
WARM_S: Final = 1.0
INTERVAL_S: Final = 60

_CHUNK: Final = 1 << 16
_WAIT_S: Final = 30.0
_START: Final = 111_111_111
_VALUE: Final = 222_222
_OK: Final = {"mmr": (201, 204)}

Next = Callable[[int], bytes]
"""Returns a home's next request; given how many it has made."""


def meter_post(path: str, mrid: str, first: int) -> Next:
    """Return the posts of a meter: an interval after the other.

    Args:
        path: Of its usage point.
        mrid: The meter's.
        first: Begin of the first interval, epoch s.
    """
    body = serialize(
        MirrorMeterReading(
            mrid=mrid,
            description="Active power, mean",
            reading_type=ReadingType(
                accumulation_behaviour=12,
                flow_direction=1,
                interval_length=INTERVAL_S,
                power_of_ten_multiplier=0,
                uom=38,
            ),
            reading=Reading(
                time_period=DateTimeInterval(duration=INTERVAL_S, start=_START), value=_VALUE
            ),
        )
    )
    before, _, rest = body.partition(str(_START).encode())
    between, _, after = rest.partition(str(_VALUE).encode())
    if b"<value>" in before:
        raise ReplyError("the order of the reading's elements has changed")

    def post(number: int) -> bytes:
        start, value = first + INTERVAL_S * number, 100_000 + number % 900_000
        return request_of("POST", path, before + b"%d" % start + between + b"%d" % value + after)

    return post


def fixed(path: str) -> Next:
    """Return a home's requests for one thing, over and over."""
    request = request_of("GET", path)
    return lambda _number: request


class Home:
    """One connection and what is under way on it.

    Args:
        tls: The connection.
        next_request: What it asks.
        wanted: Statuses that are right.
    """

    def __init__(self, tls: ssl.SSLSocket, next_request: Next, wanted: Sequence[int]) -> None:
        self.tls = tls
        self._next = next_request
        self._wanted = wanted
        self._count = 0
        self._begun = 0.0
        self._data = b""
        self._ready = next_request(0)
        self.bodies: set[int] = set()

    def send(self) -> None:
        """Send the next request."""
        self._begun = time.perf_counter()
        self.tls.send(self._ready)
        self._count += 1
        self._ready = self._next(self._count)

    def receive(self) -> float | None:
        """Read what has come; returns how long the answer took, s, or None if it is not whole.

        Raises:
            ReplyError: It is a wrong one.
        """
        try:
            got = self.tls.recv(_CHUNK)
        except ssl.SSLWantReadError:
            return None
        if not got:
            raise ReplyError("the server has closed the connection")
        self._data += got
        while self.tls.pending():
            self._data += self.tls.recv(_CHUNK)
        reply = parse_reply(self._data)
        if reply is None:
            return None
        took = time.perf_counter() - self._begun
        if reply.status not in self._wanted or reply.length != len(self._data):
            raise ReplyError(f"answered {reply.status}: {self._data[:300]!r}")
        self.bodies.add(len(reply.body))
        self._data = b""
        return took


def drive(homes: Sequence[Home], seconds: float) -> list[float]:
    """Have each home ask again as soon as it is answered; returns what each answer took, s."""
    poll = select.epoll()
    by_number = {home.tls.fileno(): home for home in homes}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    took: list[float] = []
    for home in homes:
        home.send()
    end, waiting = time.perf_counter() + seconds, len(homes)
    while waiting:
        ready = poll.poll(_WAIT_S)
        if not ready:
            raise ReplyError(f"{waiting} answers have not come in {_WAIT_S:g} s")
        for number, _ in ready:
            home = by_number[number]
            spent = home.receive()
            if spent is None:
                continue
            took.append(spent)
            if time.perf_counter() < end:
                home.send()
            else:
                waiting -= 1
    poll.close()
    return took


def point_of(tls: ssl.SSLSocket, lfdi: str, number: int) -> str:
    """Make a home's usage point; returns its path."""
    point = MirrorUsagePoint(
        mrid=f"{number:024X}0000AB12",
        device_lfdi=lfdi,
        role_flags=3,
        service_category_kind=0,
        status=1,
    )
    return ask(tls, request_of("POST", "/mup", serialize(point)), 201, 204).location


def measure(options: argparse.Namespace) -> dict[str, Figure]:
    """Return rates and latencies of each kind."""
    folder: Path = options.homes
    lfdis: list[str] = json.loads((folder / "lfdis.json").read_text())
    own = []
    for number in range(options.connections):
        context = context_of(home_file(folder, number), options.roots, options.cipher)
        tls = connected(context, options.port)
        own.append((tls, point_of(tls, lfdis[number], number)))
    workers = [psutil.Process(int(number)) for number in options.workers.split(",")]
    figures: dict[str, Figure] = {}
    for kind in options.kinds.split(","):
        now, homes = int(time.time()), []
        for number, (tls, point) in enumerate(own):
            asks = {
                "time": fixed("/tm"),
                "dcap": fixed("/dcap"),
                "edev": fixed("/edev?l=1"),
                "derc": fixed(f"/derp/1/derc?l={CONTROLS}"),
                # Behind what was posted before, so that each interval is a new one.
                "mmr": meter_post(point, f"{now:024X}{number:08X}", now - 20 * 86400),
            }
            tls.setblocking(False)
            homes.append(Home(tls, asks[kind], _OK.get(kind, (200,))))
        drive(homes, options.warm)
        begun, cpu, theirs = time.perf_counter(), time.process_time(), cpu_s(workers)
        took = drive(homes, options.seconds)
        spent, served = time.perf_counter() - begun, cpu_s(workers) - theirs
        figures |= {
            f"{kind}_rps": round(len(took) / spent),
            f"{kind}_p50_ms": round(1000.0 * percentile(took, 0.5), 2),
            f"{kind}_p99_ms": round(1000.0 * percentile(took, 0.99), 2),
            # The workers' processor time for one, on which the machine's other work bears less.
            f"{kind}_cpu_ms": round(1000.0 * served / len(took), 3),
            # What the driver itself took of a core: near 1 it is what was measured.
            f"{kind}_driver_cpu": round((time.process_time() - cpu) / spent, 2),
            f"{kind}_octets": max(max(home.bodies) for home in homes),
        }
    for tls, _ in own:
        tls.close()
    return figures


def main() -> None:
    """Measure and print."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--port", type=int, required=True)
    line.add_argument("--workers", required=True, help="process ids of the server's workers")
    line.add_argument("--homes", type=Path, required=True)
    line.add_argument("--roots", type=Path, required=True)
    line.add_argument("--cipher", required=True)
    line.add_argument("--connections", type=int, default=8)
    line.add_argument("--seconds", type=float, default=8.0)
    line.add_argument("--warm", type=float, default=WARM_S)
    line.add_argument("--kinds", default=",".join(KINDS))
    print(json.dumps(measure(line.parse_args())))


if __name__ == "__main__":
    main()
