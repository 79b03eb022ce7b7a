"""The utility of a scenario: the head-end as it is, on the loopback interface, with its operator.

Its homes talk to it by TLS and HTTP as ever; that it shares a process with one of them, and has a
clock of its own that nobody sets, is all that is different.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp
from pydantic import ValidationError

from certs.identity import lfdi, make_pin
from certs.pem import der, read_certificates
from certs.pki import Pki
from hems.clock import Clock
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.scenarios.record import Answer, Reported, Told
from hems.scenarios.script import EventPart, ScriptError

_PIN_DIGITS: Final = 24680
_NET: Final = "Net active power"
_SITE: Final = 0b10
"""Bit of the connection point (RoleFlagsType)."""
_LATEST: Final = "{reservation}"
_SLOW_S: Final = 300
"""Lists are polled as seldom: notifications bring what is new, and polls cost real time."""
_ALONE_S: Final = 3600.0
"""How often it looks for what other workers have changed in its database: there are none."""


class UtilitySide:
    """The utility's server; it can go down and come back.

    Args:
        over: What the scenario puts over its settings.
        folder: Where its files are.
        pki: Certificates of it and of the hub.
        clock: Its time.
    """

    def __init__(self, over: Mapping[str, Any], folder: Path, pki: Pki, clock: Clock) -> None:
        identity = pki.identity("utility")
        self._pki = pki
        self._clock = clock
        raw: dict[str, Any] = {
            "database": folder / "utility.db",
            "certificate": identity.certificate,
            "key": identity.key,
            "roots": pki.trust.roots,
            "crls": pki.trust.crls,
            "token_file": folder / "token",
            "dcap_poll_s": _SLOW_S,
            "time_poll_s": _SLOW_S,
            "list_poll_s": _SLOW_S,
            "post_rate_s": _SLOW_S,
            **over,
        }
        try:
            self._settings = HeadEndSettings.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in ("utility", *first["loc"]))
            raise ScriptError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
        self._stack = AsyncExitStack()
        self._server: HeadEnd | None = None
        own = read_certificates(pki.identity("hub").certificate)[0]
        self._home = lfdi(der(own))

    async def start(self) -> None:
        """Begin to serve, at the same port as before."""
        server = HeadEnd(self._settings, self._clock, look_s=_ALONE_S)
        await self._stack.enter_async_context(server)
        self._server = server
        if not self._settings.port:
            port = int(server.addresses.base_url.rpartition(":")[2])
            self._settings = self._settings.model_copy(update={"port": port})
        if server.book.home(self._home) is None:
            pin = int(make_pin(_PIN_DIGITS))
            edition = self._settings.edition
            await server.book.register(self._home, pin, edition, in_band=False)

    async def stop(self) -> None:
        """Be down; calling it again does nothing."""
        self._server = None
        await self._stack.aclose()

    @property
    def up(self) -> bool:
        """Whether it can be asked anything."""
        return self._server is not None

    @property
    def server(self) -> HeadEnd:
        """The running server.

        Raises:
            ScriptError: The scenario asks something of a utility that is down.
        """
        if self._server is None:
            raise ScriptError("the utility is down: nothing can be asked of it now")
        return self._server

    def section(self) -> dict[str, Any]:
        """Return the hub's section about it, for a hub on this machine."""
        identity, trust = self._pki.identity("hub"), self._pki.trust
        return {
            "url": self.server.addresses.dcap_url,
            "certificate": identity.certificate,
            "key": identity.key,
            "trust": trust.roots,
            "crls": trust.crls,
            "pin": make_pin(_PIN_DIGITS),
            "edition": self._settings.edition.value,
            "mirror_interval": f"{_SLOW_S} s",
        }

    async def dispatch(self, event: EventPart, starts_at: float) -> Told:
        """Dispatch an event at the operator's door.

        Raises:
            ScriptError: The door refuses it.
        """
        body = {
            **event.asks,
            "program": event.program,
            "seconds": event.lasts,
            "start": starts_at,
            "randomize_start_s": event.randomize_start,
            "randomize_duration_s": event.randomize_duration,
        }
        made = await self.ask("POST", "/events", body)
        asks = ", ".join(f"{name} {value}" for name, value in event.asks.items())
        return Told(event.name, made["id"], asks, made["start"], made["start"] + made["duration_s"])

    async def cancel(self, mrid: str, *, randomized: bool) -> None:
        """Cancel an event.

        Raises:
            ScriptError: The door refuses it: it is over, for example.
        """
        await self.ask("POST", f"/events/{mrid}/cancel", {"randomize": randomized})

    async def ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Ask something at the operator's door; returns what it answers.

        Raises:
            ScriptError: The door refuses it; the message is what it says.
        """
        server = self.server
        if _LATEST in path:
            known = await self.ask("GET", "/reservations", {})
            open_ = [each for each in known["reservations"] if not each["grants"]]
            if not open_:
                raise ScriptError(f"{path}: no home has asked for a reservation")
            path = path.replace(_LATEST, open_[0]["id"])
        headers = {"Authorization": f"Bearer {server.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(
                method, server.addresses.operator_url + path, json=dict(body)
            ) as response,
        ):
            answer = await response.json()
            if not response.ok:
                raise ScriptError(f"{method} {path}: {answer.get('error', response.status)}")
            return answer

    async def reported(self) -> tuple[Reported, ...]:
        """Return the mean powers of the home's meter that have arrived."""
        told = await self.ask("GET", f"/homes/{self._home}/readings?limit=10000", {})
        return tuple(
            Reported(each["start"], each["start"] + each["duration_s"], each["value"])
            for each in told["readings"]
            if each["description"] == _NET and each["duration_s"] and int(each["role"], 16) & _SITE
        )

    async def answers(self, mrid: str) -> tuple[Answer, ...]:
        """Return what the home answered about an event, in the order in which it came."""
        found = await self.server.store.responses(subject=mrid)
        return tuple(Answer(each.received_at, each.status, each.modes) for each in found)
