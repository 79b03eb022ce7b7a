"""A NATS server of the tests' own: Debian's program, on a free port, in a folder that goes away."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

_READY_S: Final = 30.0


class NatsServer:
    """A server on loopback. Use as a context manager.

    Args:
        users: Passwords and permissions by user: (password, may publish, may subscribe).
        streams: Whether it has JetStream.
    """

    def __init__(
        self,
        users: Mapping[str, tuple[str, list[str], list[str]]],
        *,
        streams: bool = True,
    ) -> None:
        found = shutil.which("nats-server") or "/usr/sbin/nats-server"
        if not Path(found).exists():
            raise FileNotFoundError("Debian's nats-server is not installed")
        self._program = found
        self._users = users
        self._streams = streams
        self.port = -1

    @property
    def url(self) -> str:
        """Where it is."""
        return f"nats://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="nats", dir="/tmp"))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, on the port that it had before, and wait until it listens."""
        users = [
            {
                "user": user,
                "password": password,
                "permissions": {"publish": publish, "subscribe": subscribe},
            }
            for user, (password, publish, subscribe) in self._users.items()
        ]
        settings: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "ports_file_dir": str(self._folder),
            "authorization": {"users": users},
        }
        if self._streams:
            settings["jetstream"] = {"store_dir": str(self._folder / "streams")}
        config = self._folder / "nats.conf"
        config.write_text(json.dumps(settings))
        log = (self._folder / "log").open("ab")
        self._server = subprocess.Popen(
            [self._program, "-c", str(config)], stdout=log, stderr=log, cwd="/"
        )
        log.close()
        told = self._folder / f"nats-server_{self._server.pid}.ports"
        until = time.monotonic() + _READY_S
        while not told.exists() or not told.read_text():
            if time.monotonic() > until or self._server.poll() is not None:
                raise TimeoutError((self._folder / "log").read_text())
            time.sleep(0.05)
        self.port = int(json.loads(told.read_text())["nats"][0].rpartition(":")[2])

    def kill(self) -> None:
        """End it as a power cut would."""
        self._server.kill()
        self._server.wait()
