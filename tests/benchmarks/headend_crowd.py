"""Many homes at once: connections held, what each costs, and an event told to all of them.

One process holds a connection for each home, two others listen for all of them: each home has a
loopback address of its own, at which it shows its own certificate, for the server compares it.
What is held is let go of before the event, so that no process needs two descriptors for a home.

`fanout_10k_s`, whatever the number of homes, is the time from an event's acceptance until the last
home has taken its notification, over connections that an earlier event has left open.
`fanout_cold_s` is the same of that earlier one, the first that any of the homes is told of: it has
all connections to make, each with a full handshake. `fanout_resumed_s` is that of a third one, of
homes that have closed their connections: TLS sessions are taken up again.
"""

import argparse
import json
import re
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from certs.pki import Pki
from hems.sep2.resources import Subscription
from hems.sep2.xml import serialize
from tests.benchmarks.common import Figure
from tests.benchmarks.headend_homes import home_file
from tests.benchmarks.headend_rig import PROGRAMS, Operator, Utility
from tests.benchmarks.headend_wire import (
    CCM8,
    ReplyError,
    ask,
    connected,
    context_of,
    parse_reply,
    request_of,
)

PORT: Final = 17443
LISTENERS: Final = 2
THREADS: Final = 4
STILL_S: Final = 60.0
"""Without a further home told for so long, the others are not going to be."""
RESOURCE: Final = "/derp/2/derc"

_ADDRESSES: Final = 250
_LOOK_S: Final = 0.2
_CLOSED_S: Final = 3.0
"""So long the server is given to notice that connections were closed."""
_CHUNK: Final = 1 << 16
_TAKEN: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_DEVICE = re.compile(rb'<EndDevice [^>]*href="(/edev/\d+)"')


def address_of(number: int) -> str:
    """Return the loopback address at which a home listens."""
    return f"127.0.{1 + number // _ADDRESSES}.{1 + number % _ADDRESSES}"


def crowd(
    utility: Utility, operator: Operator, pki: Pki, homes: Path, count: int
) -> dict[str, Figure]:
    """Measure what so many homes cost, and how long it takes to tell them."""
    common = ["--homes", str(homes), "--roots", str(pki.trust.roots)]
    with ExitStack() as stack:
        share = -(-count // LISTENERS)
        listeners = []
        for first in range(0, count, share):
            part = range(first, min(first + share, count))
            own = ["--part", "listen", "--first", str(part.start), "--count", str(len(part))]
            listeners.append(stack.enter_context(_process([*own, *common])))
        for listener in listeners:
            _told(listener)
        figures = _hold(utility, [*common, "--count", str(count), "--port", str(utility.port)])
        for number, key in enumerate(("fanout_cold_s", "fanout_10k_s", "fanout_resumed_s"), 1):
            if key == "fanout_resumed_s":
                for listener in listeners:
                    _asked(listener, "close")
                time.sleep(_CLOSED_S)
            before_s = utility.cpu_s()
            figures |= _fan_out(operator, listeners, count, key, number)
            spent_s = utility.cpu_s() - before_s
            figures[f"{key.removesuffix('_s')}_cpu_ms"] = round(1000.0 * spent_s / count, 2)
            if figures[key] is None:
                break  # what is still under way would be counted to the next
    return figures


def _hold(utility: Utility, options: Sequence[str]) -> dict[str, Figure]:
    before, before_s = utility.rss_kb(), utility.cpu_s()
    with _process(["--part", "hold", *options]) as holder:
        held = _told(holder)
        spent_s = utility.cpu_s() - before_s
        each = (utility.rss_kb() - before) / held["held"]
        figures: dict[str, Figure] = {
            "homes_held": held["held"],
            "held_s": held["seconds"],
            "hold_cpu_ms": round(1000.0 * spent_s / held["held"], 2),
            "rss_per_home_kb": round(each, 1),
            "homes_per_gib": round(2**20 / each) if each > 0 else None,
        }
        done = _asked(holder, "subscribe")
        figures["subscribe_s"] = done["seconds"]
    return figures


def _fan_out(
    operator: Operator,
    listeners: Sequence[subprocess.Popen[str]],
    count: int,
    key: str,
    number: int,
) -> dict[str, Figure]:
    event = operator.post(
        "/events",
        {
            "program": PROGRAMS[1],
            "limit_import_w": 1000 + number,
            "start": f"+{30 * number}m",
            "minutes": 20,
        },
    )
    told, moved = 0, time.monotonic()
    while told < count and time.monotonic() < moved + STILL_S:
        time.sleep(_LOOK_S)
        said = [_asked(listener, "told") for listener in listeners]
        before, told = told, sum(each["told"] for each in said)
        if told > before:
            moved = time.monotonic()
    for listener in listeners:
        _asked(listener, "next")
    whole = told >= count
    last = max(each["last"] for each in said)
    return {
        key: round(last - event["accepted_at"], 2) if whole else None,
        f"{key.removesuffix('_s')}_missing": count - told,
        f"{key.removesuffix('_s')}_twice": sum(each["twice"] for each in said),
    }


@contextmanager
def _process(options: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", __spec__.name, *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _told(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise ReplyError("a process of the crowd has ended")
    answer: Mapping[str, Any] = json.loads(line)
    return answer


def _asked(process: subprocess.Popen[str], what: str) -> Mapping[str, Any]:
    if process.stdin is not None:
        process.stdin.write(f"{what}\n")
        process.stdin.flush()
    return _told(process)


class Listener:
    """Homes that wait for notifications, each at its own address with its own certificate.

    Args:
        contexts: By home, its TLS.

    Attributes:
        told: Homes that have taken one in this round.
        twice: How many more notifications there were.
        last: When the last was taken, epoch s.
    """

    def __init__(self, contexts: Mapping[int, ssl.SSLContext]) -> None:
        self._contexts = contexts
        self._poll = select.epoll()
        self._doors: dict[int, tuple[int, socket.socket]] = {}
        self._peers: dict[int, tuple[int, ssl.SSLSocket, bytearray]] = {}
        self.told: set[int] = set()
        self.twice = 0
        self.last = 0.0
        for number in contexts:
            door = socket.create_server((address_of(number), PORT), backlog=4)
            door.setblocking(False)
            self._doors[door.fileno()] = number, door
            self._poll.register(door.fileno(), select.EPOLLIN)

    def watch(self, number: int) -> None:
        """Look at another descriptor too; `run` returns when there is something to read."""
        self._poll.register(number, select.EPOLLIN)

    def run(self) -> None:
        """Serve until there is something else to read."""
        while True:
            for number, _ in self._poll.poll():
                if number in self._doors:
                    self._accept(number)
                elif number in self._peers:
                    self._serve(number)
                else:
                    return

    def _accept(self, number: int) -> None:
        home, door = self._doors[number]
        raw, _ = door.accept()
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.setblocking(False)
        tls = self._contexts[home].wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        self._peers[tls.fileno()] = home, tls, bytearray()
        self._poll.register(tls.fileno(), select.EPOLLIN)

    def _serve(self, number: int) -> None:
        home, tls, data = self._peers[number]
        try:
            # The handshake goes on by itself with the first read.
            while got := tls.recv(_CHUNK):
                data += got
        except ssl.SSLWantReadError:
            pass
        except OSError:
            self._drop(number)
            return
        else:
            self._drop(number)
            return
        request = parse_reply(bytes(data), request=True)
        if request is not None:
            del data[: request.length]
            tls.send(_TAKEN)
            self.last = time.time()
            self.twice += home in self.told
            self.told.add(home)

    def close(self) -> None:
        """Close all connections."""
        for number in list(self._peers):
            self._drop(number)

    def _drop(self, number: int) -> None:
        _, tls, _ = self._peers.pop(number)
        self._poll.unregister(number)
        tls.close()


def listen(options: argparse.Namespace) -> None:
    """Be the homes' listeners, and answer how far they are."""
    part = range(options.first, options.first + options.count)
    listener = Listener(
        {n: context_of(home_file(options.homes, n), options.roots, CCM8, server=True) for n in part}
    )
    listener.watch(sys.stdin.fileno())
    print(json.dumps({"ready": len(part)}), flush=True)
    while True:
        listener.run()
        line = sys.stdin.readline()
        if not line:
            return
        said = {"told": len(listener.told), "twice": listener.twice, "last": listener.last}
        print(json.dumps(said), flush=True)
        if line.strip() == "next":
            listener.told, listener.twice = set(), 0
        if line.strip() == "close":
            listener.close()


def hold(options: argparse.Namespace) -> None:
    """Hold a connection for each home, and subscribe when told to."""
    kept: list[tuple[ssl.SSLSocket, str]] = []

    def connect(numbers: range) -> None:
        for number in numbers:
            context = context_of(home_file(options.homes, number), options.roots, CCM8)
            tls = connected(context, options.port)
            found = _DEVICE.search(ask(tls, request_of("GET", "/edev?l=1"), 200).body)
            if found is None:
                raise ReplyError("the list of devices does not show the home's own")
            wish = Subscription(
                subscribed_resource=RESOURCE,
                encoding=0,
                level="+S1",
                limit=10,
                notification_uri=f"https://{address_of(number)}:{PORT}/n",
            )
            path = f"{found[1].decode()}/sub"
            kept.append((tls, path))
            wishes[path] = request_of("POST", path, serialize(wish))

    wishes: dict[str, bytes] = {}
    begun = time.monotonic()
    _spread(connect, options.count)
    print(
        json.dumps({"held": len(kept), "seconds": round(time.monotonic() - begun, 2)}), flush=True
    )
    sys.stdin.readline()
    begun = time.monotonic()

    def subscribe(numbers: range) -> None:
        for number in numbers:
            tls, path = kept[number]
            ask(tls, wishes[path], 201)

    _spread(subscribe, len(kept))
    print(json.dumps({"seconds": round(time.monotonic() - begun, 2)}), flush=True)
    sys.stdin.readline()


def _spread(work: Callable[[range], None], count: int) -> None:
    """Do work by a few threads; ends the process if one of them fails."""
    failed: list[BaseException] = []

    def guarded(numbers: range) -> None:
        try:
            work(numbers)
        except (OSError, ReplyError) as error:
            failed.append(error)

    threads = [
        threading.Thread(target=guarded, args=(range(first, count, THREADS),))
        for first in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(f"a home of the crowd failed: {failed[0]}")


def main() -> None:
    """Be one of the processes."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--part", choices=["hold", "listen"], required=True)
    line.add_argument("--homes", type=Path, required=True)
    line.add_argument("--roots", type=Path, required=True)
    line.add_argument("--first", type=int, default=0)
    line.add_argument("--count", type=int, required=True)
    line.add_argument("--port", type=int, default=0)
    options = line.parse_args()
    (hold if options.part == "hold" else listen)(options)


if __name__ == "__main__":
    main()
