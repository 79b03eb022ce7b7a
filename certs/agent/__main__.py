"""The agent process: `python -m certs.agent`, with its opening on standard input.

`hems agent run` starts it so, once it has read the configuration and become light again.
"""

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from typing import Any, Final

from certs.agent import sockets
from certs.agent.aside import Aside
from certs.agent.line import Line
from certs.agent.measuring import Measuring
from certs.agent.opening import MOST, Opening, read_opening
from certs.agent.settings_files import SettingsFiles
from certs.agent.sockets import Lookout

BEAT_S: Final = 5.0
SOCKETS_EVERY_S: Final = 10.0
"""The kernel walks all its tables to tell them, however few sockets there are."""
BOOT_EVERY_S: Final = 900.0
_NICE: Final = 10
_BUSY_S: Final = 0.25
_CALM_S: Final = 1.0
_BUDGET_S: Final = 0.05
"""A fifth of the time while files are read for the first time; then next to nothing."""
_MOST_TOLD: Final = 20
_MOST_NOTICES: Final = 100


class Agent:
    """What the agent does.

    Args:
        opening: What it looks at, and whom it tells.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._parent = os.getppid()
        self._line = Line(opening.socket, bytes.fromhex(opening.secret))
        self._measuring = Measuring(opening)
        self._files = SettingsFiles(opening.files, opening.folders)
        self._lookout = Lookout(frozenset(opening.ports), opening.networks)
        self._boot: dict[str, Any] | None = None
        self._asking: Aside | None = None
        self._boot_due = 0.0
        self._beat_due = 0.0
        self._sockets_due = 0.0
        self._notices: list[dict[str, Any]] = []
        self._told: object = None

    def run(self) -> None:
        """Go on until whoever started it has gone."""
        while not self._opening.child or os.getppid() == self._parent:
            now = time.monotonic()
            busy = self._measuring.step(now, _BUDGET_S)
            if self._line.connect(now):
                self._begin(now)
            self._boot_step(now)
            if now >= self._beat_due or self._told != self._findings():
                self._look(now)
                self._say()
                self._beat_due = now + BEAT_S
            for order in self._line.listen(_BUSY_S if busy else _CALM_S):
                self._obey(order)

    def end(self) -> None:
        """Leave no process behind."""
        self._measuring.end()
        if self._asking is not None:
            self._asking.end()

    def _begin(self, now: float) -> None:
        """Begin a session: what the TPM says must be of now."""
        self._boot_due = self._beat_due = self._sockets_due = now
        self._boot = None
        if self._asking is not None:
            self._asking.end()
            self._asking = None
        self._lookout.restarted()

    def _obey(self, order: dict[str, Any]) -> None:
        if order.get("order") == "measure":
            self._measuring.again()
            self._boot_due = 0.0

    def _look(self, now: float) -> None:
        self._note("settings", [asdict(each) for each in self._files.look()])
        if not self._line.up or now < self._sockets_due:
            return  # without a hub, whose sockets are its own is not known
        self._sockets_due = now + SOCKETS_EVERY_S
        odd = self._lookout.look(
            sockets.present(), sockets.of_process(self._line.hub), now, sockets.prefixes()
        )
        self._note("sockets", [asdict(each) for each in odd])

    def _note(self, kind: str, found: list[dict[str, Any]]) -> None:
        self._notices += [{"kind": kind, **each} for each in found]
        del self._notices[:-_MOST_NOTICES]

    def _boot_step(self, now: float) -> None:
        if self._asking is not None:
            answer = self._asking.done(now)
            if answer is None:
                return
            with answer:
                self._boot = _read(answer.read()) or {"error": "what asks the TPM has failed"}
            self._asking = None
        if self._opening.tcti and self._line.up and now >= self._boot_due:
            self._boot_due = now + BOOT_EVERY_S
            arguments = (self._opening.tcti, self._line.nonce.hex())
            self._asking = Aside("certs.agent.look_boot", arguments, b"", now)

    def _findings(self) -> object:
        wrong = self._measuring.wrong
        return self._measuring.error, wrong, self._measuring.checked, self._boot

    def _say(self) -> None:
        measured, wrong = self._measuring, self._measuring.wrong
        told = self._findings()
        words = {
            "at": time.time(),
            "checked": measured.checked,
            "manifest": measured.verdict,
            "error": measured.error,
            "wrong": [{"path": self._short(w.path), "what": w.what} for w in wrong[:_MOST_TOLD]],
            "count": len(wrong),
            "boot": self._boot,
            "notices": self._notices,
        }
        if self._line.say(words):
            self._told = told
            self._notices = []

    def _short(self, path: str) -> str:
        """Return a path as people know it: within the installation."""
        for top in (self._opening.root, *self._opening.sites):
            if path.startswith(f"{top}/"):
                return path[len(top) + 1 :]
        return path


def _read(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def main() -> int:
    """Run the agent; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.nice(_NICE)
    try:
        opening = read_opening(sys.stdin.buffer.read(MOST))
    except ValueError as error:
        print(f"hems agent: {error}", file=sys.stderr)  # noqa: T201 - its only word
        return 2
    agent = Agent(opening)
    try:
        agent.run()
    finally:
        agent.end()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
