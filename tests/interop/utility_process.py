"""Our head-end in a process of its own, with hands on its operator's door."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from certs.identity import IdentityFiles, lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki
from certs.tls import client_context
from hems.commands.child import Child
from hems.commands.event import Event
from hems.commands.scene import quoted
from hems.commands.stage import HeadEndReady
from hems.sep2.xml import MEDIA_TYPE
from tests.e2e.rig import MirroredReading, Part
from tests.waiting import until

START_WITHIN_S = 90.0
PIN = "123455"


class RegisteredHome(Part):
    """A home as the head-end shows it to its operator."""

    lfdi: str
    in_band: bool
    subscriptions: list[str]


class _Homes(Part):
    homes: list[RegisteredHome]


class _Readings(Part):
    readings: list[MirroredReading]


@dataclass
class UtilityProcess:
    """The head-end as a program; an async context manager.

    Attributes:
        folder: Where it keeps its files.
        pki: Whose identity `utility` it bears.
        lines: More lines of its settings.
        identity: What it shows; the PKI's `utility` where None.
        base: Its 2030.5 origin, once it runs.
    """

    folder: Path
    pki: Pki
    lines: tuple[str, ...] = ()
    identity: IdentityFiles | None = None
    base: str = field(init=False, default="")
    child: Child = field(init=False)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True)
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start it with the settings that it has now; on the database that it had, if any."""
        identity, trust = self.identity or self.pki.identity("utility"), self.pki.trust
        settings, ready_file = self.folder / "headend.toml", self.folder / "ready.json"
        named = {
            "database": self.folder / "headend.db",
            "certificate": identity.certificate,
            "key": identity.key,
            "roots": trust.roots,
            "crls": trust.crls,
            "token_file": self.folder / "token",
            "ready_file": ready_file,
        }
        lines = [f"{key} = {quoted(value)}" for key, value in named.items()]
        settings.write_text("\n".join([*lines, *self.lines]) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "hems", "headend", "run", "--config", str(settings)]
        self.child = Child("headend", command, self.folder / "headend.log", ready_file)
        await self.child.start()
        ready = HeadEndReady.model_validate(await self.child.wait_ready(START_WITHIN_S))
        self.base = ready.dcap.removesuffix("/dcap")
        token = (self.folder / "token").read_text(encoding="ascii").strip()
        bearer = {"Authorization": f"Bearer {token}"}
        self._operator = aiohttp.ClientSession(ready.operator, headers=bearer)

    async def stop(self) -> None:
        """Stop it, in order."""
        if hasattr(self, "_operator"):
            await self._operator.close()
        await self.child.stop()

    async def door(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Ask something of the operator's door; returns status and body."""
        async with self._operator.request(method, path, json=body) as answer:
            return answer.status, await answer.read()

    async def enter(self, home: str, edition: str) -> None:
        """Enter a home by its LFDI, out of band."""
        wish = {"lfdi": home, "pin": PIN, "edition": edition}
        async with self._operator.post("/homes", json=wish) as answer:
            assert answer.status == 201, await answer.text()

    async def dispatch(self, **wish: float | str) -> Event:
        """Dispatch an event as the operator."""
        async with self._operator.post("/events", json=wish) as answer:
            assert answer.status == 201, await answer.text()
            return Event.model_validate_json(await answer.read())

    async def cancel(self, event: str, *, randomize: bool = False) -> None:
        """Cancel an event as the operator."""
        wish = {"randomize": randomize}
        async with self._operator.post(f"/events/{event}/cancel", json=wish) as answer:
            assert answer.ok, await answer.text()

    async def event(self, event: str) -> Event:
        """Return an event with what each home answered."""
        async with self._operator.get(f"/events/{event}") as answer:
            return Event.model_validate_json(await answer.read())

    async def codes(self, event: str) -> list[int]:
        """Return the response codes that came in for an event, in the order they came."""
        answers = [r for home in (await self.event(event)).homes for r in home.responses]
        return [r.status for r in sorted(answers, key=lambda r: r.received_at)]

    async def answered(self, event: str, expected: list[int], within_s: float) -> None:
        """Wait for the response codes of an event, these and in this order."""
        await until(lambda: self.codes(event), lambda c: c == expected, within_s, str(expected))

    async def homes(self) -> list[RegisteredHome]:
        """Return all homes."""
        async with self._operator.get("/homes") as answer:
            return _Homes.model_validate_json(await answer.read()).homes

    async def readings(self) -> list[MirroredReading]:
        """Return all mirrored readings, latest first."""
        async with self._operator.get("/readings") as answer:
            return _Readings.model_validate_json(await answer.read()).readings

    async def resource(self, path: str, identity: str) -> tuple[int, bytes]:
        """Return status and body of a 2030.5 resource, as the bearer of an identity gets it."""
        files = self.pki.identity(identity)
        async with (
            aiohttp.ClientSession(headers={"Accept": MEDIA_TYPE}) as session,
            session.get(self.base + path, ssl=client_context(files, self.pki.trust)) as answer,
        ):
            return answer.status, await answer.read()


def lfdi_of(pki: Pki, identity: str) -> str:
    """Return the LFDI of an issued identity."""
    return lfdi(der(read_certificates(pki.identity(identity).certificate)[0]))
