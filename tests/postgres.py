"""A PostgreSQL of the tests' own: Debian's programs, a folder that goes away with it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Self

import psutil

_VERSIONS: Final = Path("/usr/lib/postgresql")
_USER: Final = "postgres"
_READY_S: Final = 30.0


class Postgres:
    """A cluster on a free port of loopback. Use as a context manager.

    Args:
        primary: Of which it is a standby, which follows it by streaming; None where it is none.
    """

    def __init__(self, primary: "Postgres | None" = None) -> None:
        self._primary = primary
        found = sorted(_VERSIONS.glob("*/bin"), key=lambda path: float(path.parent.name))
        if not found:
            raise FileNotFoundError("PostgreSQL is not installed; `make postgresql` does that")
        self._bin = found[-1]
        self._made = 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self._data = self._folder / "data"
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_USER)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        if self._primary is None:
            self._run("initdb", "-A", "trust", "-U", _USER, "--no-sync", "-D", str(self._data))
        else:
            of = ("-h", "127.0.0.1", "-p", str(self._primary.port), "-U", _USER)
            self._run("pg_basebackup", *of, "-R", "-X", "stream", "-c", "fast", "--no-sync",
                      "-D", str(self._data))  # fmt: skip
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server, and wait until it serves."""
        log = (self._folder / "log").open("ab")
        self._server = subprocess.Popen(
            [
                *self._as_owner(),
                str(self._bin / "postgres"),
                *("-D", str(self._data), "-p", str(self.port), "-k", str(self._folder)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"),
            ],
            stdout=log,
            stderr=log,
            cwd="/",
        )
        log.close()
        until = time.monotonic() + _READY_S
        while not self._ready():
            if time.monotonic() > until or self._server.poll() is not None:
                raise TimeoutError((self._folder / "log").read_text())
            time.sleep(0.05)

    def kill(self) -> None:
        """End the server as a power cut would, with all its processes."""
        try:
            family = [*psutil.Process(self._server.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            family = []
        for process in (*(each.pid for each in family), self._server.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._server.wait()
        psutil.wait_procs(family, timeout=_READY_S)

    def promote(self) -> None:
        """Have a standby take writes from now on, and wait until it does."""
        self._run("pg_ctl", "promote", "-D", str(self._data), "-t", str(round(_READY_S)))

    def run_sql(self, *statements: str) -> str:
        """Run statements as the owner of all, and return what they say."""
        commands = [part for statement in statements for part in ("-c", statement)]
        to = ("-h", "127.0.0.1", "-p", str(self.port), "-U", _USER, "-d", "postgres")
        return self._run("psql", "-X", "-A", "-t", "-q", *to, *commands)

    def database(self) -> str:
        """Return the address of a new, empty database."""
        self._made += 1
        name = f"made{self._made}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", _USER, name)
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{name}"

    def _ready(self) -> bool:
        asked = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [*self._as_owner(), str(self._bin / program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _as_owner(self) -> list[str]:
        """PostgreSQL does not run as root."""
        if os.geteuid() != 0:
            return []
        return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--init-groups"]


class Pair:
    """A primary, and a standby without whose word nothing is committed. Use as a context manager.

    Attributes:
        primary: Takes writes.
        standby: Follows it.
    """

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.primary = stack.enter_context(Postgres())
            self.standby = stack.enter_context(Postgres(self.primary))
            # Behind the copy, so that the standby, once promoted, waits for nobody.
            self.primary.run_sql(
                "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"
            )
            until = time.monotonic() + _READY_S
            while self.primary.run_sql("SELECT sync_state FROM pg_stat_replication") != "sync":
                if time.monotonic() > until:
                    raise TimeoutError("the standby does not follow its primary")
                time.sleep(0.05)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def database(self) -> str:
        """Return the address of a new, empty database on both of them."""
        return self.primary.database().replace(
            f":{self.primary.port}", f":{self.primary.port},127.0.0.1:{self.standby.port}"
        )

    def fail_over(self) -> None:
        """End the primary as a power cut would, and have the standby take its place."""
        self.primary.kill()
        self.standby.promote()
