"""The utility as a program for the benchmark: files, a database, worker processes, its operator."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil

from certs.pki import Pki
from tests.benchmarks.headend_wire import HOST
from tests.postgres import Postgres

PIN: Final = "123455"
PROGRAMS: Final = ("Peak Saver", "Feeder 12")
"""One with events, whose list is asked for; one without, which homes subscribe to."""
READY_S: Final = 60.0


class AbsentError(RuntimeError):
    """A combination of store and workers cannot be started here; says why."""


@dataclass(frozen=True, slots=True)
class Utility:
    """A running head-end.

    Attributes:
        port: Where homes call.
        operator: HOST:PORT of the first worker's operator's door.
        token: What the operator shows.
        workers: Its processes.
    """

    port: int
    operator: str
    token: str
    workers: Sequence[psutil.Process]

    def cpu_s(self) -> float:
        """Return the processor time that its workers have had, s."""
        return cpu_s(self.workers)

    def rss_kb(self) -> float:
        """Return the memory that its workers hold, KiB."""
        return float(sum(worker.memory_info().rss for worker in self.workers)) / 1024.0


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Return the processor time that processes have had, s."""
    times = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in times))


class Operator:
    """The operator at the loopback door, over one connection.

    Args:
        utility: The running head-end.
    """

    def __init__(self, utility: Utility) -> None:
        self._connection = http.client.HTTPConnection(utility.operator, timeout=READY_S)
        self._headers = {"Authorization": f"Bearer {utility.token}"}

    def post(self, path: str, body: Mapping[str, object], *wanted: int) -> Any:
        """Post JSON and return the answer's.

        Raises:
            RuntimeError: It is refused.
        """
        self._connection.request("POST", path, json.dumps(body), self._headers)
        with self._connection.getresponse() as answer:
            text = answer.read().decode()
            if answer.status not in (wanted or (201,)):
                raise RuntimeError(f"the operator's {path} was answered {answer.status}: {text}")
        return json.loads(text)

    def enter(self, lfdis: Sequence[str]) -> None:
        """Enter homes that may be there already."""
        for lfdi in lfdis:
            self.post("/homes", {"lfdi": lfdi, "pin": PIN, "edition": "csip-aus"}, 201, 409)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def config_text(pki: Pki, database: str, ports: tuple[int, int] | None) -> str:
    """Return the head-end's settings.

    Args:
        pki: Whose certificates it uses.
        database: File, or address of a PostgreSQL database.
        ports: Where several workers listen, for homes and for the operator; None for one worker,
            which takes any.
    """
    own = pki.identity("utility")
    values: dict[str, str | int | list[str]] = {
        "database": database,
        "certificate": str(own.certificate),
        "key": str(own.key),
        "roots": str(pki.trust.roots),
        "crls": str(pki.trust.crls),
        "token_file": "token",
        "host": HOST,
        "notify_hosts": ["127.0.0.0/8"],
    }
    if ports is not None:
        values |= {"port": ports[0], "operator_port": ports[1]}
    # JSON's way of writing texts, numbers and lists of texts is one of TOML's.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    for name in PROGRAMS:
        lines += ["", "[[programs]]", f"name = {json.dumps(name)}", "primacy = 10", 'kind = "der"']
    if ports is not None:
        lines.insert(0, "reuse_port = true")
    return "\n".join(lines) + "\n"


@contextmanager
def running(folder: Path, pki: Pki, database: str, workers: int) -> Iterator[Utility]:
    """Run the head-end's workers while the context lasts.

    Raises:
        AbsentError: They do not start; says the program's own words.
    """
    config = folder / "headend.toml"
    ports = (_free_port(), _free_port()) if workers > 1 else None
    config.write_text(config_text(pki, database, ports), encoding="utf-8")
    with ExitStack() as stack:
        made = [stack.enter_context(_worker(folder, config, n)) for n in range(workers)]
        ready = made[0][0]
        yield Utility(
            int(urlsplit(ready["dcap"]).port or 0),
            ready["operator"].removeprefix("http://"),
            (folder / "token").read_text(encoding="utf-8").strip(),
            [process for _, process in made],
        )


@contextmanager
def _worker(
    folder: Path, config: Path, number: int
) -> Iterator[tuple[dict[str, str], psutil.Process]]:
    log = folder / f"headend-{number}.log"
    command = [sys.executable, "-m", "hems", "headend", "run", "--config", str(config)]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                process.wait(READY_S)
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise AbsentError(said[-1] if said else "it said nothing")
            yield json.loads(line), psutil.Process(process.pid)
        finally:
            process.terminate()


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL server of its own while the context lasts; yields a database's address.

    Raises:
        AbsentError: It is not installed.
    """
    try:
        server = Postgres()
    except FileNotFoundError as error:
        raise AbsentError(str(error)) from error
    with server:
        yield server.database()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])
