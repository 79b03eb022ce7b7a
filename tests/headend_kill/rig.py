"""Workers, PostgreSQL, NATS and homes: processes that can be killed and started again."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final, Self

from certs.pki import Pki
from hems.commands.stage import free_port
from tests.benchmarks.headend_homes import make_homes
from tests.benchmarks.headend_rig import PIN, config_text
from tests.nats_server import NatsServer
from tests.postgres import Postgres

PEER: Final = "dms"
READY_S: Final = 60.0
AGAIN_S: Final = 1.0
_AWAY: Final = ("cannot be used as database", "the database cannot serve now")
_PER_PROCESS: Final = 500
_OURS: Final = ["cim.request.*", "cim.send.*", "cim.event.*", "$JS.API.>", "$JS.ACK.>", "_INBOX.>"]
_USERS: Final = {
    "headend": ("h", _OURS, _OURS),
    PEER: ("d", [f"cim.send.{PEER}", "$JS.API.>", "$JS.ACK.>"], ["_INBOX.>"]),
}


class Worker:
    """A worker of the head-end.

    Args:
        config: Its settings.
        log: Where its words go.
    """

    def __init__(self, config: Path, log: Path) -> None:
        self._command = [sys.executable, "-m", "hems", "headend", "run", "--config", str(config)]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `wait` waits until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log)

    def wait(self) -> Mapping[str, str]:
        """Wait until it listens, and return where.

        Raises:
            RuntimeError: It ended instead; says its last words.
        """
        stream = None if self._process is None else self._process.stdout
        line = stream.readline() if stream else b""
        if not line:
            raise RuntimeError(f"a worker ended: {self._log.read_text()[-2000:]}")
        ready: Mapping[str, str] = json.loads(line)
        return ready

    def back(self) -> None:
        """Start it as a supervisor does: again, where its database is still away or busy.

        Raises:
            RuntimeError: It ended for `READY_S` long, or for something else.
        """
        until = time.monotonic() + READY_S
        while True:
            self.start()
            try:
                self.wait()
            except RuntimeError as e:
                self.kill()
                if not _away(str(e)) or time.monotonic() > until:
                    raise
                time.sleep(AGAIN_S)
            else:
                return

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
        self._process = None


def _away(words: str) -> bool:
    last = words.rpartition("hems: ")[2]  # PostgreSQL may say it in several lines
    return any(said in last for said in _AWAY)


class Homes:
    """Processes of simulated homes; see `tests.headend_kill.homes`."""

    def __init__(self, folder: Path, roots: Path, count: int, port: int) -> None:
        self._processes: list[subprocess.Popen[str]] = []
        for first in range(0, count, _PER_PROCESS):
            own = ["--first", str(first), "--count", str(min(_PER_PROCESS, count - first))]
            common = ["--homes", str(folder), "--roots", str(roots), "--port", str(port)]
            command = [sys.executable, "-m", "tests.headend_kill.homes", *own, *common]
            self._processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )

    def report(self) -> dict[str, Any]:
        """Return how far all homes are, summed up."""
        total: dict[str, Any] = {}
        for process in self._processes:
            _of(process.stdin).write("report\n")
            _of(process.stdin).flush()
        for process in self._processes:
            line = _of(process.stdout).readline()
            if not line:
                raise RuntimeError("a process of homes has ended")
            for name, value in json.loads(line).items():
                if isinstance(value, dict):
                    total[name] = total.get(name, Counter()) + Counter(value)
                else:
                    total[name] = total.get(name, 0) + value
        return total

    def close(self) -> None:
        """End them."""
        for process in self._processes:
            _of(process.stdin).close()
        for process in self._processes:
            process.wait(READY_S)
            _of(process.stdout).close()


def _of(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise RuntimeError("a process without pipes")
    return stream


class Rig:
    """Everything, running. Use as a context manager.

    Args:
        folder: For all files.
        pki: Whose certificates are used; homes' own are made.
        homes: How many homes there are.
        workers: How many workers there are.

    Attributes:
        postgres: The database server.
        nats: The broker.
        workers: The workers.
        homes: The homes; there once `begin` was called.
        lfdis: Of the homes.
        database: Address of the database.
        operator: HOST:PORT of the operator's door.
        messages: Origin of the enterprise's door.
        tokens: What the operator and the enterprise's system show.
    """

    homes: Homes

    def __init__(self, folder: Path, pki: Pki, homes: int, workers: int = 3) -> None:
        self._folder = folder
        self._pki = pki
        self.count = homes
        self.postgres = Postgres()
        self.nats = NatsServer(_USERS)
        self._stack = ExitStack()
        config = folder / "headend.toml"
        self.workers = [Worker(config, folder / f"headend-{n}.log") for n in range(workers)]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.postgres)
            stack.enter_context(self.nats)
            self.database = self.postgres.database()
            self._write(self._folder / "headend.toml")
            for worker in self.workers:
                stack.callback(worker.kill)
                worker.start()
                ready = worker.wait()
            self.operator = ready["operator"].removeprefix("http://")
            self.messages = ready["cim"].removeprefix("http://")
            self.tokens = tuple(
                (self._folder / name).read_text().strip() for name in ("token", "peer.token")
            )
            self.lfdis: Sequence[str] = make_homes(self._pki, self._folder / "homes", self.count)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self) -> None:
        """Start the homes, which must be entered, and wait until all have subscribed."""
        self.homes = Homes(
            self._folder / "homes", self._pki.trust.roots, self.count, self._ports[0]
        )
        self._stack.callback(self.homes.close)
        until = time.monotonic() + READY_S + 0.2 * self.count
        while (found := self.homes.report())["subscribed"] < self.count:
            if time.monotonic() > until:
                raise TimeoutError(f"not all homes have subscribed: {found}")
            time.sleep(0.5)

    def _write(self, path: Path) -> None:
        self._ports = (free_port(), free_port())
        password = self._folder / "nats.password"
        password.write_text("h\n")
        text = config_text(self._pki, self.database, self._ports)
        text += f"""
[cim]
port = {free_port()}
tls = false

[[cim.peers]]
name = "{PEER}"
token_file = "peer.token"
may = ["query", "groups", "dispatch"]

[cim.nats]
servers = ["{self.nats.url}"]
user = "headend"
password_file = "{password}"
"""
        path.write_text(text, encoding="utf-8")


__all__ = ["PEER", "PIN", "Homes", "Rig", "Worker"]
