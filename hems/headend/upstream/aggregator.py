"""The aggregator at work: looks at the utility's events and at its homes, and keeps them together.

Each look is the same: take in what is new, dispatch what is not yet, follow what runs, tell what is
due. What is decided is on the disk before anybody is told, so that a look that is broken off, or a
crash, is made good by the next one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hems.clock import Clock
from hems.headend.errors import BusyError, RequestError
from hems.headend.sharing.following import Span
from hems.headend.sharing.model import Ability, Kind
from hems.headend.sharing.standing import Standing
from hems.headend.upstream.asks import total_w, wishes
from hems.headend.upstream.ledger import RECENT_S
from hems.headend.upstream.port import Downstream, Reading
from hems.headend.upstream.shared import Head, Shared, id_of
from hems.headend.upstream.sharer import Sharer, SharingRules
from hems.headend.upstream.shelf import Shelf
from hems.headend.upstream.telling import due_codes, ends, noted, owed
from hems.sep2.book.engine import Engine, EventState
from hems.sep2.book.ledger import Ledger, LedgerError, ResponseRow
from hems.sep2.rules.lifecycle import Phase, Profile

_log = logging.getLogger(__name__)

_LATE_S: Final = 60.0
"""What another worker took in so long ago may not have been seen yet."""
_RUNNING: Final = frozenset({Phase.RECEIVED, Phase.STARTED})
_TAKEN_BACK: Final = frozenset({Phase.CANCELLED, Phase.SUPERSEDED, Phase.REJECTED})


@dataclass(frozen=True, slots=True)
class Group:
    """An EndDevice at the utility, and the homes that it stands for.

    Attributes:
        engine: Its events.
        lfdi: Its LFDI.
        home: The one home that it is; None for all homes together.
    """

    engine: Engine
    lfdi: str
    home: str | None = None


@dataclass(frozen=True, slots=True)
class AggregatorSettings:
    """How the aggregator works.

    Attributes:
        server: Name of the utility in the ledger.
        profile: How the utility wants to be answered.
        sharing: How events are shared and followed.
        lead_s: How long before its beginning an event is shared.
        look_s: How often it looks at its homes.
    """

    server: str
    profile: Profile
    sharing: SharingRules = field(default_factory=SharingRules)
    lead_s: float = 600.0
    look_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Means:
    """What the aggregator works with.

    Attributes:
        shelf: Where shares are kept.
        ledger: Where responses are owed.
        port: The head-end that has the homes.
        clock: Our own time.
    """

    shelf: Shelf
    ledger: Ledger
    port: Downstream
    clock: Clock


class Aggregator:
    """Shares the utility's events over its homes.

    Args:
        settings: See `AggregatorSettings`.
        groups: The EndDevices at the utility; the first stands for all homes.
        means: See `Means`.
        listed: Returns the homes that the utility lists as EndDevices, by LFDI.
        on_owed: Told when there are responses to post.
        on_readings: Told what was read of all homes, and when.
    """

    def __init__(
        self,
        settings: AggregatorSettings,
        groups: Sequence[Group],
        means: Means,
        *,
        listed: Callable[[], frozenset[str]] = frozenset,
        on_owed: Callable[[], None] = lambda: None,
        on_readings: Callable[[Sequence[Reading], float], None] = lambda _readings, _now: None,
    ) -> None:
        self._settings = settings
        self._groups = groups
        self._shelf, self._ledger = means.shelf, means.ledger
        self._port, self._clock = means.port, means.clock
        self._listed = listed
        self._on_owed = on_owed
        self._on_readings = on_readings
        self._sharer = Sharer(means.shelf, means.port, means.clock, settings.sharing)
        self._open: dict[str, Shared] = {}
        self._loaded = False
        self._said: set[str] = set()
        self._wake = asyncio.Event()

    @property
    def shared(self) -> Mapping[str, Shared]:
        """The events that are shared and not over, by id."""
        return self._open

    def wake(self) -> None:
        """Look now: something has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Look again and again; never returns."""
        while True:
            self._wake.clear()
            try:
                await self.look()
            except (BusyError, LedgerError) as error:
                _log.warning("the aggregator waits: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.look_s):
                    await self._wake.wait()

    async def look(self) -> None:
        """Look at everything once.

        Raises:
            BusyError: A database cannot serve now; the next look goes on from here.
            LedgerError: The same.
        """
        if not self._loaded:
            self._open = await self._shelf.load(self._settings.server)
            self._loaded = True
        readings = await self._port.readings()
        self._on_readings(readings, self._clock.now())
        by_home = {reading.home: reading for reading in readings}
        abilities: dict[Kind, Sequence[Ability]] = {}
        states = [(g, {s.event.mrid: s for s in g.engine.events}) for g in self._groups]
        for group, events in states:
            for mrid, state in events.items():
                await self._safely(mrid, self._meet(group, state, by_home, abilities))
        for group, events in states:
            for mrid in {s.head.mrid for s in self._open.values() if s.head.lfdi == group.lfdi}:
                state_now = events.get(mrid)
                following = self._follow(group, mrid, state_now, by_home, abilities)
                await self._safely(mrid, following)

    async def _safely(self, mrid: str, work: Coroutine[object, object, None]) -> None:
        """Do something for one event; what our own head-end refuses of it stops no other."""
        try:
            await work
        except RequestError as error:
            sentence = f"event {mrid}: {error}"
            if sentence not in self._said:
                self._said.add(sentence)
                _log.warning("%s", sentence)

    async def _meet(
        self,
        group: Group,
        state: EventState,
        readings: Mapping[str, Reading],
        abilities: dict[Kind, Sequence[Ability]],
    ) -> None:
        """Begin with an event that is new, or end one that was taken back."""
        mrid, now = state.event.mrid, self._clock.now()
        if state.phase in _TAKEN_BACK:
            for shared in self._kinds(group, mrid):
                await self._close(shared)
            return
        soon = state.starts_at - self._settings.lead_s <= now < state.ends_at
        if state.phase not in _RUNNING or not soon or self._is_of_all(group, mrid):
            return
        asked = wishes(state.event.modes)
        for kind in dict.fromkeys(wish.kind for wish in asked):
            id_ = id_of(mrid, group.lfdi, kind)
            if id_ in self._open:
                continue
            homes = await self._homes(group, kind, abilities)
            before = await self._shelf.head(id_)
            head = before or Head(
                id_,
                self._settings.server,
                group.lfdi,
                mrid,
                kind,
                total_w(asked, kind, homes),
                Span(state.starts_at, state.ends_at),
            )
            if group.home is None:
                await self._let_go(mrid)
            shared = Shared(replace(head, closed=False))
            await self._sharer.begin(shared, homes, readings)
            self._open[id_] = shared

    def _is_of_all(self, group: Group, mrid: str) -> bool:
        """Whether an event that came to a home came to the group of all homes, too."""
        first = self._groups[0]
        return group is not first and any(s.event.mrid == mrid for s in first.engine.events)

    async def _let_go(self, mrid: str) -> None:
        """Take back what homes were given one by one of an event that is shared over all now."""
        for group in self._groups[1:]:
            for shared in self._kinds(group, mrid):
                await self._close(shared)

    async def _homes(
        self, group: Group, kind: Kind, abilities: dict[Kind, Sequence[Ability]]
    ) -> Sequence[Ability]:
        if kind not in abilities:
            abilities[kind] = await self._port.availability(kind)
        return [a for a in abilities[kind] if group.home in {None, a.home}]

    def _kinds(self, group: Group, mrid: str) -> list[Shared]:
        return [s for s in self._open.values() if (s.head.lfdi, s.head.mrid) == (group.lfdi, mrid)]

    async def _close(self, shared: Shared) -> None:
        await self._sharer.take_back(shared)
        head = replace(shared.head, closed=True)
        await self._shelf.save(head)
        del self._open[head.id]

    async def _follow(
        self,
        group: Group,
        mrid: str,
        state: EventState | None,
        readings: Mapping[str, Reading],
        abilities: dict[Kind, Sequence[Ability]],
    ) -> None:
        """Bring one event to now: its orders, its homes, and what the utility is told of it."""
        kinds, rules = self._kinds(group, mrid), self._settings.sharing.follow
        event = None if state is None else state.event
        stands: list[tuple[Shared, Standing]] = []
        for shared in kinds:
            await self._sharer.dispatch(shared, event)
            await self._hear(group, shared, state)
            shared.read(readings.values(), rules)
            standing = shared.stand(self._clock.now(), rules)
            await self._sharer.note_leaving(shared, standing)
            if self._sharer.is_due(shared, standing):
                homes = await self._homes(group, shared.head.kind, abilities)
                await self._sharer.again(shared, standing, homes, readings)
                await self._sharer.dispatch(shared, event)
                standing = shared.stand(self._clock.now(), rules)
            stands.append((shared, standing))
        if state is None:  # the client has not read its ledger yet, or it was long ago
            await self._forget(kinds)
            return
        codes = due_codes(stands, self._clock.now(), rules)
        if not codes:
            return
        at = self._clock.now() + group.engine.offset_s
        said = [(int(code), at) for code in codes]
        await self._owe(self._rows(state, group.lfdi, said))
        for shared in kinds:
            noted(shared, codes)
            await self._shelf.save(shared.head)
            if ends(codes):
                del self._open[shared.head.id]

    async def _forget(self, kinds: Sequence[Shared]) -> None:
        """Let go of what ended so long ago that nobody knows the event any more."""
        for shared in kinds:
            if self._clock.now() > shared.head.span.end + RECENT_S:
                await self._close(shared)

    def _rows(
        self, state: EventState, lfdi: str, said: Sequence[tuple[int, float]]
    ) -> Sequence[ResponseRow]:
        return owed(state.event, self._settings.server, lfdi, said, self._settings.profile)

    async def _hear(self, group: Group, shared: Shared, state: EventState | None) -> None:
        """Take in what homes answered, and pass it on for those that the utility lists."""
        parts = [part for part in shared.parts.values() if part.mrid]
        since = shared.heard_until - _LATE_S
        answers = await self._port.responses([part.mrid for part in parts if part.mrid], since)
        for part in parts:
            shared.answered(part, answers.get(part.mrid or "", ()))
        if state is None:
            return
        mine = shared.untold(self._listed() if group.home is None else ())
        rows: list[ResponseRow] = []
        for answer in mine:
            said = [(answer.code, answer.at + group.engine.offset_s)]
            rows += self._rows(state, answer.home, said)
        await self._owe(rows)
        shared.passed_on |= {(answer.home, answer.code) for answer in mine}

    async def _owe(self, rows: Sequence[ResponseRow]) -> None:
        if rows:
            await self._ledger.save((), rows)
            self._on_owed()
