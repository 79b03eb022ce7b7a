"""Our client by itself, as the hub makes it: its own settings, the SQLite store, real TLS."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from certs.identity import Trust, sfdi
from certs.pki import Pki
from certs.tls import client_context, server_context
from der.model import Control, DeviceKind, DeviceSpec
from hems import wiring
from hems.clock import SystemClock
from hems.sep2.client import Client, ClientState
from hems.sep2.enddevice.enrolment import MemberSettings
from hems.sep2.enddevice.registration import Identity
from hems.sep2.rules.events import ModeValue, Schedule
from hems.sep2.transport.http import Limits
from hems.sep2.walk.walker import Pace
from hems.settings.utility_section import UtilitySection
from hems.store.store import Store, open_store
from tests.interop.grid.server import Grid
from tests.interop.ours.hosted import HostedGrid
from tests.interop.ours.noting import noting
from tests.interop.utility_process import lfdi_of

PIN = 111115
IMPORT = "opModImpLimW"
DEVICES = (
    DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -15_000.0, 15_000.0),
    DeviceSpec("pv", DeviceKind.PV, "Solar", Control.FLOOR, -4000.0, 0.0),
    DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0),
    DeviceSpec("tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0.0, 3000.0),
)
"""What the home has, by which it knows what it can carry out."""
_LOOK_S = 0.5
PACE = Pace(least_poll_s=0.1, default_poll_s=900, first_retry_s=0.05, longest_retry_s=0.1)


def changes(values: Iterable[ModeValue]) -> list[ModeValue]:
    """Return the values without those that repeat the one before."""
    return [value for value, _ in groupby(values)]


class Lone:
    """A client with its store and what it told.

    Args:
        pki: Whose identity it bears.
        folder: Where its store lies.
        identity: Its identity's name.
        edition: As in the hub's configuration.
        hosted: Whether its utilities are our head-end, and not a script.

    Attributes:
        shown: What it was seen to do, for the report.
    """

    def __init__(
        self,
        pki: Pki,
        folder: Path,
        *,
        identity: str = "hub",
        edition: str = "csip-aus",
        hosted: bool = False,
    ) -> None:
        self.pki = pki
        self.lfdi = lfdi_of(pki, identity)
        self.schedules: list[Schedule] = []
        self.others: dict[int, Schedule] = {}
        self.states: list[ClientState] = []
        self.alarms: list[str] = []
        self.grids: list[Grid] = []
        self.shown: list[str] = []
        self._folder = folder
        self._hosted = hosted
        self._edition = edition
        self._name = identity
        self._news = asyncio.Event()
        files = pki.identity(identity)
        self._identity = files
        self._trust = pki.trust
        self._section = UtilitySection.model_validate(
            {
                "certificate": files.certificate,
                "key": files.key,
                "trust": pki.trust.roots,
                "crls": pki.trust.crls,
                "pin": f"{PIN:06d}",
                "edition": edition,
                "poll_least": "0.1 s",
                "mirror_interval": "1 s",
            }
        )

    def grid(self, **shape: Any) -> Grid:
        """Return a utility that knows this home, shaped as told; see `Grid`."""
        lfdi, number = self.lfdi, sfdi(self.lfdi)
        made = Grid(lfdi, number, PIN, **shape)
        if self._hosted:
            made = HostedGrid(
                lfdi,
                number,
                PIN,
                pki=self.pki,
                folder=self._folder / f"utility{len(self.grids)}",
                identity=self._name,
                edition=self._edition,
                **shape,
            )
        self.grids.append(made)
        return made

    def trust(self, *, crls: Path) -> None:
        """Have it read other revocation lists."""
        self._trust = Trust(self.pki.trust.roots, crls)

    @contextlib.asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Open its store while the context lasts."""
        store = await open_store(self._folder / "hems.db", SystemClock())
        try:
            yield store
        finally:
            await store.close()

    @contextlib.asynccontextmanager
    async def client(
        self, grid: Grid, *, members: Sequence[str] = (), **changes: Any
    ) -> AsyncIterator[Client]:
        """Run it against a utility while the context lasts.

        Args:
            grid: The utility.
            members: LFDIs of further EndDevices that it answers for.
            changes: Of its settings.
        """
        async with self.store() as store:
            client = self._make(grid, store, members, changes)
            task = asyncio.create_task(client.run())
            try:
                yield client
                assert not task.done(), "the client died"
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _make(
        self, grid: Grid, store: Store, members: Sequence[str], changes: dict[str, Any]
    ) -> Client:
        section = self._section.model_copy(update={"url": grid.base + grid.entrance})
        settings = wiring.client_settings(section, self.lfdi, DEVICES)
        others = tuple(
            MemberSettings(Identity(each, sfdi(each), PIN), settings.profile, registers=False)
            for each in members
        )
        dialect = wiring.dialect(section)
        identity, trust = self._identity, self._trust
        return Client(
            replace(settings, pace=PACE, others=others, **changes),
            lambda base: noting(
                grid,
                self.lfdi,
                base,
                client_context(identity, trust),
                limits=Limits(total_s=3, connect_s=3),
                schema_ver=dialect.schema_ver,
            ),
            store.ledger,
            SystemClock(),
            random.Random(1),  # noqa: S311 - draws, not secrets
            listen_context=server_context(identity, trust) if grid.subscribed_to else None,
            on_schedule=self._on_schedule,
            on_member=self._on_member,
            on_state=self._on_state,
            alarm=self._on_alarm,
        )

    def _on_schedule(self, schedule: Schedule) -> None:
        self.schedules.append(schedule)
        self._news.set()

    def _on_member(self, index: int, schedule: Schedule) -> None:
        self.others[index] = schedule
        self._news.set()

    def _on_state(self, state: ClientState) -> None:
        self.states.append(state)
        self._news.set()

    def _on_alarm(self, sentence: str) -> None:
        self.alarms.append(sentence)
        self._news.set()

    async def until(self, true: Callable[[], object], within_s: float = 8.0) -> None:
        """Wait until something holds; looked at whenever the client tells something."""
        try:
            async with asyncio.timeout(within_s * max(g.patience for g in self.grids)):
                while not true():
                    for grid in self.grids:
                        grid.check()
                    self._news.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), _LOOK_S)
        except TimeoutError:
            raise AssertionError(f"never came: {self.states[-3:]} {self.alarms}") from None

    def in_force(self, mode: str = IMPORT) -> ModeValue | None:
        """Return a mode's value in force, None if there is none."""
        if not self.schedules or mode not in self.schedules[-1].active:
            return None
        return self.schedules[-1].active[mode].value

    def took(self, mode: str) -> list[ModeValue]:
        """Return a mode's values one after the other, as they came into force."""
        return changes(each.active[mode].value for each in self.schedules if mode in each.active)

    def in_force_of(self, member: int, mode: str) -> ModeValue | None:
        """Return a mode's value in force for a member, None if there is none; 0 is the home."""
        if member == 0:
            return self.in_force(mode)
        active = self.others[member].active.get(mode) if member in self.others else None
        return None if active is None else active.value

    @property
    def state(self) -> str:
        """How its link to the utility stands."""
        return self.states[-1].state if self.states else ""
