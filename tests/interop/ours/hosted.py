"""Our head-end, a process of its own, in the place of the scripted utility.

A scenario changes what a scripted utility keeps; whatever it changes is ordered at the operator's
door, or set in the configuration and the worker started again. What cannot be had that way ends
the scenario, with the reason. The wire is noted at the client's end, answers are read from what the
head-end keeps; both in the words and paths of the scripted utility.
"""

import asyncio
import contextlib
import itertools
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from certs.pki import Pki
from hems.commands.child import ChildError
from hems.commands.stage import free_port
from tests.interop.grid.record import Answer, Exchange
from tests.interop.grid.server import Grid
from tests.interop.grid.tree import ROOT, Device, Listing, Programme
from tests.interop.grid.words import text_of
from tests.interop.ours.books import Books
from tests.interop.ours.names import Names, Slot
from tests.interop.ours.unfit import UnfitError
from tests.interop.utility_process import UtilityProcess

LOOK_S = 0.05
_JOINING_S = 5.0
"""So long a client takes to have found everything, where a machine is busy."""
_NOTHING = Slot("/standing", "Standing", 255, "der")
"""It is always there, for a head-end has one programme at least; nothing is ordered of it."""


class HostedGrid(Grid):
    """Our head-end as one client sees it.

    Args:
        lfdi: The client's.
        sfdi: The client's.
        pin: Its registration PIN.
        pki: Whose identity `utility` it bears.
        folder: Where it keeps its files.
        identity: Name of the client's identity, by which it is looked at as well.
        edition: Dialect that it speaks with the client.
        shape: See `Grid`.
    """

    entrance = "/dcap"
    patience = 3.0

    def __init__(
        self,
        lfdi: str,
        sfdi: int,
        pin: int,
        *,
        pki: Pki,
        folder: Path,
        identity: str = "hub",
        edition: str = "csip-aus",
        poll_s: int = 1,
        **shape: int | bool,
    ) -> None:
        super().__init__(lfdi, sfdi, pin, poll_s=poll_s)
        self._shape = shape
        self._identity = identity
        self._edition = "csip-aus" if edition == "csip" else edition
        self._names = Names(self.home.href)
        self._process = UtilityProcess(folder, pki)
        self._books = Books(self._process, self._names)
        self._port = free_port()
        self._entered = False
        self._up = False
        self._unfit = ""
        self._opened_at = 0.0
        self._seen_watchers: list[object] = []

    # What scenarios ask

    @property
    def subscribed_to(self) -> bool:
        """Whether the scenario has some list that can be subscribed to."""
        groups = self.home.members
        lists = [self.devices, self.home.groups, *(group.programmes for group in groups)]
        lists += [each.events for each in self._programmes()]
        return any(each.subscribable for each in lists)

    def real(self, mrid: str) -> str:
        """Return the mRID that the head-end gave an event."""
        return self._books.real.get(mrid, mrid)

    def scripted(self, mrid: str) -> str:
        """Return the mRID that a scenario knows an event by."""
        known = {real: name for name, real in self._books.real.items()}
        return known.get(mrid.upper(), mrid)

    def note(self, exchange: Exchange) -> None:
        """Record an exchange, in the scripted utility's paths."""
        super().note(self._names.translated(exchange))

    @property
    def answers(self) -> list[Answer]:
        """The responses that went over the wire, of events as the scenario knows them."""
        return [replace(each, subject=self.scripted(each.subject)) for each in super().answers]

    def codes(self, mrid: str, lfdi: str | None = None) -> list[int | None]:
        """Return the response codes that the head-end keeps of an event, in order."""
        kept = self._books.answers.get(self.real(mrid), [])
        return [status for who, status in kept if lfdi is None or who == lfdi]

    async def until(self, true: Callable[[], object], within_s: float, what: str) -> None:
        """Wait until something holds, or the scenario cannot go on."""
        await super().until(lambda: self._unfit or true(), within_s * self.patience, what)
        self.check()

    async def answered(
        self, mrid: str, expected: list[int], within_s: float = 10.0, *, lfdi: str | None = None
    ) -> None:
        """Wait until the head-end has recorded the responses to an event."""
        await super().answered(mrid, expected, within_s, lfdi=lfdi)
        self.shown.append("answers " + " ".join(map(str, expected)))

    async def tells(self, path: str, *, plainly: bool) -> bool:
        """Wait until all that was changed is ordered; who subscribed is told by the head-end."""
        if not plainly:
            self._unfit = "server: it ends no subscription by order"
            self.check()
        del path
        await self._sync()
        return True

    def check(self) -> None:
        """End the scenario if it cannot go on."""
        if self._unfit:
            pytest.skip(self._unfit)

    # What it does

    @asynccontextmanager
    async def served(self, context: ssl.SSLContext, port: int) -> AsyncIterator[None]:
        """Run the head-end while the context lasts."""
        del context, port
        self._process.folder.mkdir(parents=True)
        watch: asyncio.Task[None] | None = None
        self._opened_at = time.time()
        try:
            await self._sync_or_end()
            self._books.late_s = 0.0
            watch = asyncio.create_task(self._watch())
            yield
        finally:
            if watch is not None:
                watch.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watch
            if self._up:
                await self._process.stop()
            self.check()

    async def _watch(self) -> None:
        while not self._unfit:
            await self._sync_or_end()
            self._news.set()
            await asyncio.sleep(LOOK_S)

    async def _sync_or_end(self) -> None:
        try:
            await self._sync()
        except UnfitError as error:
            self._unfit = str(error)
            self._news.set()

    async def _sync(self) -> None:
        async with self._books.lock:
            self._refuse()
            await self._run(self._lines())
            if not self._up:
                return
            await self._register()
            # What a scenario adds meanwhile is not configured yet, and waits for the next look.
            configured = [each for each in self._programmes() if self._names.knows(each.href)]
            await self._books.keep_defaults(configured)
            for programme in configured:
                await self._books.keep_events(programme.href, programme.events)
            await self._books.keep_offers(self.extra)
            await self._books.look()
            await self._look_at_watchers()

    def _refuse(self) -> None:
        """Find what no order of an operator brings about."""
        extra = [p for p in self.extra if not p.startswith((f"{ROOT}/", "/curves/"))]
        wrong = {
            "server: its clock is the machine's": self.ahead_s,
            "server: it makes no mistake by order": self.faults or self.cut,
            "server: it redirects nobody": self.moved or extra,
            "server: it counts its pages by itself": self._shape,
            "test: it enters one home; those behind an aggregator are in tests/hems/headend": len(
                self.members
            )
            > 1,
            "server: it has one FunctionSetAssignments for all programmes of a home": (
                len(self.home.members) > 1
            ),
            "server: it withholds no link": self.home.withheld,
            "server: it enables every EndDevice; a quarantined one is shown empty lists": (
                not self.home.enabled
            ),
            "server: it forgets an EndDevice only when its hub is retired": (
                self._entered and not self.members
            ),
            "server: it sends no postRate of an EndDevice": self.home.post_s,
        }
        reason = next((reason for reason, found in wrong.items() if found), None)
        if reason is not None:
            raise UnfitError(reason)

    def _programmes(self) -> list[Programme]:
        return [each for group in self.home.members for each in group.members]

    def _slots(self) -> Iterator[Slot]:
        for programme in self._programmes():
            yield Slot(programme.href, programme.description, programme.primacy, "der")
        loads = self.extra.get(f"{ROOT}/loads")
        for item in loads.items if isinstance(loads, Listing) else ():
            name, primacy = text_of(item, "description") or "", text_of(item, "primacy")
            yield Slot(str(item.get("href")), name, int(primacy or 0), "drlc")

    def _lines(self) -> tuple[str, ...]:
        """Return the configuration."""
        self._names.take([_NOTHING, *self._slots()])
        groups = self.home.members
        lists = [self.home.groups.poll_s, *(group.programmes.poll_s for group in groups)]
        named = {
            "port": self._port,
            "dcap_poll_s": self.poll_s,
            "time_poll_s": self.poll_s,
            "list_poll_s": max(each or self.poll_s for each in lists),
            "post_rate_s": self.mirror_post_s or 1,
            "tz_offset_s": 36000,
        }
        head = [f"{key} = {value}" for key, value in named.items()]
        return (*head, f'edition = "{self._edition}"', "allow_registration = true", *self._tables())

    def _tables(self) -> Iterator[str]:
        for number, slot in enumerate(self._names.slots, start=1):
            yield "[[programs]]"
            yield f'name = "{slot.named(number)}"'
            yield f"primacy = {slot.primacy}"
            yield f'kind = "{slot.kind}"'

    async def _run(self, lines: tuple[str, ...]) -> None:
        """Have it run with a configuration, or not at all while it is silent."""
        wanted = not self.silent
        if self._up and (not wanted or lines != self._process.lines):
            await self._process.stop()
            self._up = False
        if wanted and not self._up:
            self._process.lines, self._process.identity = lines, self.certificate
            try:
                await self._process.start()
            except ChildError as error:
                if self._process.child.running:
                    raise
                last = str(error).splitlines()[-1]
                raise UnfitError(f"server: it does not start: {last}") from error
            self.base = self._process.base
            self._up = True
            if not self._entered:
                self._books.late_s = time.time() - self._opened_at + _JOINING_S

    async def _register(self) -> None:
        if self._entered or not self.members:
            await self._adopt()
            return
        device = self.members[0]
        wish = {"lfdi": device.lfdi, "pin": f"{device.pin:06d}", "edition": self._edition}
        status, body = await self._process.door("POST", "/homes", wish)
        assert status == 201, body
        self._entered = True

    async def _adopt(self) -> None:
        """Take a device over that entered itself."""
        if self.members:
            return
        for found in await self._process.homes():
            self._entered = True
            device = self.home
            self.members.append(
                Device(
                    device.href,
                    found.lfdi,
                    device.sfdi,
                    device.pin,
                    int(time.time()),
                    device.groups,
                    device.watchers,
                    device.members,
                )
            )

    async def _look_at_watchers(self) -> None:
        if self.certificate is not None:
            return  # one that is not believed has nobody who subscribes
        watchers = self.home.watchers
        if len(watchers.items) < len(self._seen_watchers):
            raise UnfitError("server: it forgets no subscription by order")
        watchers.items = await self._books.subscriptions(self._identity) if self.members else []
        self._seen_watchers = list(itertools.chain(watchers.items))
