"""The `py20305` library in the place of our client, for the scenarios of this repository."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from py20305.client.csip_client import CsipClient
from py20305.client.errors import Sep2Error
from py20305.client.retry import RetryPolicy
from py20305.client.tls import TlsConfig
from py20305.client.traffic_recorder import TrafficRecorder
from py20305.events.state_machine import EventRecord, EventState
from py20305.subscription.manager import SubscriptionManager
from py20305.subscription.notification_server import NotificationServer

from hems.commands.stage import LOOPBACK, free_port
from hems.emg.modes import modes as carried_out
from hems.sep2.rules.events import ModeValue
from hems.sep2.settings import ClientState
from tests.interop.grid.record import Exchange
from tests.interop.grid.server import Grid
from tests.interop.lone import DEVICES, IMPORT, PIN, Lone, changes
from tests.interop.ours.peer_device import Device

_PHASES: Final = {EventState.SUPERSEDED: "superseded", EventState.CANCELLED: "cancelled"}
_RETRY_S = 0.5


class _Recorder(TrafficRecorder):
    """Notes what the library records of its own traffic."""

    def __init__(self, grid: Grid, sender: str) -> None:
        super().__init__()
        self._grid = grid
        self._sender = sender
        self._posted: dict[tuple[str, str], list[bytes]] = {}

    def record_request(self, *, method: str, url: str, body: object = None) -> None:
        """Keep a body until its answer is there."""
        super().record_request(method=method, url=url, body=body)
        self._posted.setdefault((method, url), []).append(body if isinstance(body, bytes) else b"")

    def record_response(
        self,
        *,
        method: str,
        url: str,
        status: int | None,
        body: object = None,
        error: str | None = None,
    ) -> None:
        """Note an exchange."""
        super().record_response(method=method, url=url, status=status, body=body, error=error)
        waiting = self._posted.get((method, url), [])
        self._grid.note(
            Exchange(
                at=time.time(),
                method=method,
                target=urlsplit(url)._replace(scheme="", netloc="").geturl(),
                body=waiting.pop(0) if waiting else b"",
                status=status or 0,
                answer=body if isinstance(body, bytes) else b"",
                headers={},
                sender=self._sender,
            )
        )


@dataclass(frozen=True, slots=True)
class _Known:
    mrid: str


@dataclass(frozen=True, slots=True)
class _Event:
    """An event as our own engine would tell it."""

    event: _Known
    starts_at: float
    ends_at: float
    phase: str
    reason: str

    @classmethod
    def of(cls, record: EventRecord) -> "_Event":
        phase = _PHASES.get(record.state, record.state.value)
        refused = bool(record.rejected_devices) and not record.applied_devices
        return cls(
            _Known(record.mrid.hex().upper()),
            float(record.start),
            float(record.end),
            "rejected" if refused else phase,
            "",
        )


@dataclass
class PeerEngine:
    """What the library knows of events and time."""

    client: CsipClient

    @property
    def events(self) -> list[_Event]:
        """Its events."""
        store = self.client._event_processor._store
        return [_Event.of(each) for each in store._events.values()]

    @property
    def offset_s(self) -> float:
        """How far its server's clock is ahead."""
        return self.client.timebase.now() - time.time()

    def __getattr__(self, name: str) -> object:
        pytest.skip(f"client: it has no {name} that could be looked at")


@dataclass
class PeerClient:
    """The library at work.

    Attributes:
        state: How its link stands.
    """

    engine: PeerEngine
    state: ClientState = field(default_factory=lambda: ClientState("connecting", ""))


class _Alarms(logging.Handler):
    """Takes warnings of the library for what an owner would be told."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a warning."""
        self._tell(record.getMessage())


class PeerLone(Lone):
    """The library with a device, in the place of our client."""

    _device: Device | None = None
    _csip: CsipClient | None = None

    @asynccontextmanager
    async def client(  # type: ignore[override]  # it plays the part of our client
        self, grid: Grid, *, members: Sequence[str] = (), registers: bool = True, **changes: Any
    ) -> AsyncIterator[PeerClient]:
        """Run it against a utility while the context lasts."""
        del changes
        if members:
            pytest.skip("test: it stands for one EndDevice here")
        self._device = Device(carried_out(DEVICES), self._news.set)
        self._csip = self._library(grid)
        running = PeerClient(PeerEngine(self._csip))
        alarms = _Alarms(self._on_alarm)
        logging.getLogger("py20305").addHandler(alarms)
        task = asyncio.create_task(self._live(self._csip, running, registers=registers))
        try:
            yield running
            assert not task.done(), f"the client died: {task}"
        finally:
            logging.getLogger("py20305").removeHandler(alarms)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._csip.shutdown()

    def _library(self, grid: Grid) -> CsipClient:
        files = self._identity
        tls = TlsConfig(files.certificate, files.key, self._trust.roots)
        compat = self._edition != "2023"
        client = CsipClient(
            grid.base,
            tls=tls,
            retry=RetryPolicy(max_tls=1),  # of its 8 attempts the last comes after half a minute
            dispatcher=self._device,
            dcap_path=grid.entrance,
            registration_pins={self.lfdi.lower(): PIN},
            server_2018_compat=compat,
            comms_loss_seconds=0,
        )
        client.http.traffic_recorder = _Recorder(grid, self.lfdi)
        ear = NotificationServer(
            host=LOOPBACK, port=free_port(), tls=tls, client_cert_mode="enforce"
        )
        manager = SubscriptionManager(
            client=client.http,
            notification_uri=ear.build_notification_uri(LOOPBACK),
            server_2018_compat=compat,
        )
        client.attach_subscriptions(manager, ear)
        return client

    async def _live(self, client: CsipClient, running: PeerClient, *, registers: bool) -> None:
        while True:
            try:
                await client.connect()
                break
            except Sep2Error as error:  # as its program does: tried again
                self._tell(running, "refused", str(error))
                await asyncio.sleep(_RETRY_S)
        known = {device.lfdi.hex().upper() for device in client.state.end_devices.values()}
        if registers and self.lfdi not in known:
            await client.register_end_device(lfdi=self.lfdi, device_category=0)
            await client.trigger_rediscovery()
        self._tell(running, "connected", "")
        await client.run()

    def _tell(self, running: PeerClient, state: str, detail: str) -> None:
        running.state = ClientState(state, detail)
        self._on_state(running.state)

    def in_force(self, mode: str = IMPORT) -> ModeValue | None:
        """Return what its device is set to."""
        if self._device is None:
            return None
        held = next(iter(self._device.held.values()), {})
        return held.get(mode)

    def took(self, mode: str) -> list[ModeValue]:
        """Return what its device was set to, one after the other."""
        told = self._device.told if self._device else []
        return changes(modes[mode] for modes in told if mode in modes)
