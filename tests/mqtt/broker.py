"""A real mosquitto on a free loopback port, for one test."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiomqtt

from der.addresses import BrokerSettings, TlsFiles
from tests.mqtt.certificate import self_signed

_PROGRAM: Final = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
_WITHIN_S: Final = 20.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass
class Mosquitto:
    """A broker as a process.

    Attributes:
        folder: Where its files are.
        port: Where it listens.
        lines: Its configuration.
        settings: How it is reached.
    """

    folder: Path
    port: int
    lines: Sequence[str]
    settings: BrokerSettings
    _process: asyncio.subprocess.Process | None = field(default=None)

    async def start(self) -> None:
        """Start it, and return once it listens."""
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join(self.lines) + "\n")
        self._process = await asyncio.create_subprocess_exec(
            _PROGRAM,
            "-c",
            str(path),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(_WITHIN_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    assert self._process.returncode is None, "the broker did not start"
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    async def kill(self) -> None:
        """End it at once, by its own pid."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[aiomqtt.Client]:
        """Give a client of it: somebody else in the house."""
        at = self.settings
        async with aiomqtt.Client(
            at.host, at.port, username=at.username or None, password=at.password or None
        ) as client:
            yield client

    async def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Publish one message as somebody else."""
        async with self.client() as client:
            await client.publish(topic, payload, qos=1, retain=retain)


@asynccontextmanager
async def mosquitto(
    folder: Path, *, password: str = "", tls: bool = False, keeps: bool = False
) -> AsyncIterator[Mosquitto]:
    """Run a broker: plain, with the password of user "hub", or with TLS.

    Args:
        folder: Where its files may be.
        password: Who has none is not let in, if this is not empty.
        tls: Whether it speaks TLS only.
        keeps: Whether retained messages outlive a kill of it.
    """
    port = free_port()
    lines = [f"listener {port} 127.0.0.1", "max_queued_messages 10000"]
    if os.geteuid() == 0:
        lines.append("user root")  # else it gives its rights away, and may not read the folder
    trust = None
    if tls:
        made = self_signed(folder, "localhost", timedelta(days=1))
        lines += [f"certfile {made.certificate}", f"keyfile {made.key}"]
        trust = TlsFiles(made.certificate)
    if password:
        lines += ["allow_anonymous false", f"password_file {await _passwords(folder, password)}"]
    else:
        lines.append("allow_anonymous true")
    if keeps:
        lines += [
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_on_changes true",
            "autosave_interval 1",
        ]
    host = "localhost" if tls else "127.0.0.1"
    settings = BrokerSettings(host, port, "hub" if password else "", password, trust)
    broker = Mosquitto(folder, port, lines, settings)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()


async def _passwords(folder: Path, password: str) -> Path:
    path = folder / "passwords"
    tool = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
    path.touch(mode=0o600)
    process = await asyncio.create_subprocess_exec(tool, "-b", str(path), "hub", password)
    assert await process.wait() == 0
    return path
