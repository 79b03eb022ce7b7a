"""Machines of a test's own: network namespaces, each held by a process that ends with the test."""

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_NEW_NET: Final = 0x40000000
_HELD_S: Final = "7200"
_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"

needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0
    or any(
        shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None for tool in ("nft", "ip")
    )
    or not Path("/dev/net/tun").exists(),
    reason="needs root, ip, nft (packaging/nftables) and /dev/net/tun",
)


@dataclass(frozen=True)
class Machine:
    """A network namespace, held by a process.

    Attributes:
        pid: Of that process.
        mounts: Whether it has mounts of its own, too.
    """

    pid: int
    mounts: bool = False

    def command(self, *arguments: str) -> list[str]:
        """Return a command as it is run there."""
        mounts = ["-m", f"--wd={Path.cwd()}"] if self.mounts else []
        return ["nsenter", "-t", str(self.pid), "-n", *mounts, *arguments]

    def run(self, *arguments: str, given: str = "") -> str:
        """Run a command there, which must succeed; returns what it says."""
        done = subprocess.run(
            self.command(*arguments),
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
            input=given,
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def ip(self, line: str) -> None:
        """Run `ip`."""
        self.run("ip", *line.split())

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """Open a socket there; it stays there, whoever uses it."""
        with (
            Path("/proc/self/ns/net").open("rb") as own,
            Path(f"/proc/{self.pid}/ns/net").open("rb") as there,
        ):
            _enter(there.fileno())
            try:
                return socket.socket(family, kind, protocol)
            finally:
                _enter(own.fileno())


def _enter(namespace: int) -> None:
    """Have this thread's next sockets be in another namespace (`os.setns` is of Python 3.12)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _NEW_NET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def machine(*, mounts: bool = False) -> Iterator[Machine]:
    """Make a network namespace.

    Args:
        mounts: Whether it is to have mounts of its own: another /etc/resolv.conf, say.
    """
    flags = ["-n", "-m"] if mounts else ["-n"]
    tied = ["setpriv", "--pdeathsig", "KILL"]  # to this process, however it ends
    holder = subprocess.Popen([*tied, "unshare", *flags, "sleep", _HELD_S])
    try:
        own = Path("/proc/self/ns/net").readlink()
        for _ in range(1000):
            with contextlib.suppress(OSError):
                if (
                    Path(f"/proc/{holder.pid}/ns/net").readlink() != own
                    and Path(f"/proc/{holder.pid}/comm").read_text().strip() == "sleep"
                ):
                    break
            time.sleep(0.01)
        else:
            raise TimeoutError("no namespace was made")
        yield Machine(holder.pid, mounts)
    finally:
        holder.kill()
        holder.wait()
