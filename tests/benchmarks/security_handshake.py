"""Handshakes of the utility's server: mutual TLS, full and resumed, in connections per second.

One head-end in a process of its own, with the certificate rules of IEEE 2030.5 in force and
ECDHE-ECDSA-AES128-CCM-8, which 2030.5 makes mandatory; another process calls it from a few threads
with OpenSSL alone, so that the server is what is measured. A connection counts once both sides
have closed it in order: by then the server has judged the chain. Full and resumed rounds go in
turn. `..._cpu_ms` is the server's processor time for one, which what else the machine does bears
on less. The head-end speaks TLS 1.2, as 2030.5 names it; TLS 1.3 is measured with the same context,
which offers it on demand, behind a bare listener.
"""

import argparse
import asyncio
import json
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import psutil

from certs.pki import Pki, init_pki, open_pki
from certs.tls import server_context
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from tests.benchmarks.common import Figure

ROUNDS: Final = 5
ROUND_S: Final = 3.0
THREADS: Final = 4
_CCM8: Final = "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"
_HOST: Final = "127.0.0.1"
_WITHIN_S: Final = 20.0

KINDS: Final = ("full", "resumed", "tls13")

Rates: TypeAlias = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        port: Its port.
        pid: Its process.
    """

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the processor time that it has had so far, in s."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


def measure() -> dict[str, Figure]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="handshake-") as folder:
        pki = init_pki(Path(folder) / "pki")
        with _serving(pki, "headend") as server, _serving(pki, "tls13") as other:
            rates, cpu = _load(pki, server, other)
    return {
        "handshake_full_per_s": round(statistics.median(rates["full"])),
        "handshake_resumed_per_s": round(statistics.median(rates["resumed"])),
        "handshake_tls13_full_per_s": round(statistics.median(rates["tls13"])),
        "handshake_full_cpu_ms": round(statistics.median(cpu["full"]), 2),
        "handshake_resumed_cpu_ms": round(statistics.median(cpu["resumed"]), 2),
        "handshake_tls13_full_cpu_ms": round(statistics.median(cpu["tls13"]), 2),
        "handshake_full_per_s_each": [round(each) for each in rates["full"]],
        "handshake_resumed_per_s_each": [round(each) for each in rates["resumed"]],
        "handshake_cipher": "ECDHE-ECDSA-AES128-CCM8",
    }


@contextmanager
def _serving(pki: Pki, kind: str) -> Iterator[Server]:
    """Run a server in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, "--serve", kind, "--pki", str(pki.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            yield Server(int(line), process.pid)
        finally:
            process.terminate()


def _load(pki: Pki, server: Server, other: Server) -> tuple[Rates, Rates]:
    """Call both servers from another process.

    Returns:
        Connections per second, and the server's processor time for one in ms, by round.
    """
    numbers = [str(number) for number in (server.port, server.pid, other.port, other.pid)]
    said = subprocess.run(
        [sys.executable, "-m", __spec__.name, "--pki", str(pki.folder), "--load", *numbers],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    rates, cpu = (
        {kind: [float(each) for each in found] for kind, found in part.items()}
        for part in json.loads(said)
    )
    return rates, cpu


def _rounds(pki: Pki, server: Server, other: Server) -> tuple[Rates, Rates]:
    rates: Rates = {kind: [] for kind in KINDS}
    cpu: Rates = {kind: [] for kind in KINDS}
    for _ in range(ROUNDS):
        for kind in KINDS:
            called = other if kind == "tls13" else server
            before_s, begun = called.cpu_s(), time.monotonic()
            count = _called(pki, kind, called.port)
            rates[kind].append(count / (time.monotonic() - begun))
            cpu[kind].append(1000.0 * (called.cpu_s() - before_s) / count)
    return rates, cpu


async def _headend(pki: Pki) -> None:
    own = pki.identity("utility")
    settings = HeadEndSettings(
        database=pki.folder / "headend.db",
        certificate=own.certificate,
        key=own.key,
        roots=pki.trust.roots,
        crls=pki.trust.crls,
        token_file=pki.folder / "token",
    )
    async with HeadEnd(settings) as head_end:
        print(head_end.addresses.base_url.rpartition(":")[2], flush=True)
        await asyncio.Event().wait()


async def _bare(pki: Pki) -> None:
    """Listen with the head-end's context that offers TLS 1.3 too."""

    async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    context = server_context(pki.identity("utility"), pki.trust, tls13=True)
    server = await asyncio.start_server(closed, _HOST, 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _caller(pki: Pki, kind: str) -> ssl.SSLContext:
    """Return a client's context that has OpenSSL check the chain, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(pki.trust.roots)
    own = pki.identity("hub")
    context.load_cert_chain(own.certificate, own.key)
    if kind == "tls13":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    else:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CCM8)
    return context


def _connect(
    context: ssl.SSLContext, port: int, session: ssl.SSLSession | None
) -> ssl.SSLSession | None:
    """Connect, and close in order; returns the session."""
    raw = socket.create_connection((_HOST, port), _WITHIN_S)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(raw, session=session) as tls:
        if bool(tls.session_reused) is not (session is not None):
            raise RuntimeError("the handshake was not of the kind that is measured")
        kept = tls.session
        tls.unwrap()
    return kept


def _called(pki: Pki, kind: str, port: int) -> int:
    """Call for a round; returns how many connections there were."""
    context = _caller(pki, kind)
    session = _connect(context, port, None) if kind == "resumed" else None
    counts = [0] * THREADS
    begun = time.monotonic()

    def work(index: int) -> None:
        while time.monotonic() - begun < ROUND_S:
            _connect(context, port, session)
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def main() -> None:
    """Measure and print, or be one of the processes."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--serve", choices=["headend", "tls13"])
    line.add_argument("--load", type=int, nargs=4)
    line.add_argument("--pki", type=Path)
    options = line.parse_args()
    if options.serve:
        asyncio.run((_headend if options.serve == "headend" else _bare)(open_pki(options.pki)))
    elif options.load:
        port, pid, other_port, other_pid = options.load
        servers = Server(port, pid), Server(other_port, other_pid)
        print(json.dumps(_rounds(open_pki(options.pki), *servers)))
    else:
        print(json.dumps(measure()))


if __name__ == "__main__":
    main()
