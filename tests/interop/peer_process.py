"""The `py20305` program in a process of its own: configured as its users do, watched by its log."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from certs.pki import Pki
from hems.commands.child import Child
from hems.commands.stage import LOOPBACK, free_port
from tests.interop.utility_process import PIN, lfdi_of
from tests.waiting import until

PROGRAM = Path(sys.executable).parent / "py20305"


@dataclass
class PeerProcess:
    """The client of other hands; an async context manager.

    Attributes:
        folder: Where it keeps configuration and log.
        pki: Whose identity it bears.
        base: The server's origin.
        identity: Its identity's name.
        edition: "csip-aus", "2018" or "2023".
        subscribes: Whether it listens for notifications.
        post_s: How often it posts readings.
    """

    folder: Path
    pki: Pki
    base: str
    identity: str = "hub"
    edition: str = "csip-aus"
    subscribes: bool = True
    post_s: int = 3
    child: Child = field(init=False)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True)
        path = self.folder / "client.json"
        path.write_text(json.dumps(self._settings()), encoding="utf-8")
        command = [str(PROGRAM), "-c", str(path)]
        self.child = Child("py20305", command, self.folder / "peer.log", self.folder / "never")
        await self.child.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.child.stop()
        if error is not None:
            print(self.child.log_end(60))

    def _settings(self) -> dict[str, object]:
        files, lfdi = self.pki.identity(self.identity), lfdi_of(self.pki, self.identity)
        return {
            "server": {"url": self.base, "server_2018_compat": self.edition != "2023"},
            "tls": {
                "client_cert": str(files.certificate),
                "client_key": str(files.key),
                "ca_cert": str(self.pki.trust.roots),
            },
            "devices": [{"type": "print_demo", "lfdi": lfdi, "pin": int(PIN)}],
            "registration_pins": {lfdi: int(PIN)},
            "telemetry": {"post_rate_seconds": self.post_s},
            "subscription": {
                "enabled": self.subscribes,
                "notification_host": LOOPBACK,
                "notification_port": free_port(),
                "notification_external_host": LOOPBACK,
                "notification_client_cert_mode": "enforce",
            },
            "history": {"enabled": False},
        }

    def said(self, words: str) -> list[str]:
        """Return the lines of its log that hold some words."""
        text = self.child.log.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if words in line]

    async def says(self, words: str, within_s: float, times: int = 1) -> str:
        """Wait until it has said something so many times; returns the last such line."""

        async def look() -> list[str]:
            return self.said(words)

        lines = await until(look, lambda lines: len(lines) >= times, within_s, f"{words!r} said")
        return lines[-1]
