"""Makes shares and has them dispatched: first, and anew when homes have dropped out."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hems.clock import Clock
from hems.headend.errors import RequestError
from hems.headend.sharing.fairness import records
from hems.headend.sharing.following import FollowRules
from hems.headend.sharing.model import Ability, Ask, Rules, Shares
from hems.headend.sharing.share import borne_w, share
from hems.headend.sharing.standing import Standing, is_due
from hems.headend.upstream.port import Downstream, Reading
from hems.headend.upstream.shared import Given, Shared, again, news, order_of, parts_of
from hems.headend.upstream.shelf import Shelf
from hems.sep2.rules.events import Event

_log = logging.getLogger(__name__)

_DAY_S = 86_400.0
REFUSED = ""
"""In place of the mRID of an order that our own head-end will never take."""


@dataclass(frozen=True, slots=True)
class SharingRules:
    """How events are shared and followed.

    Attributes:
        rules: How shares are made.
        follow: When homes count as dropped out.
        baseline_s: A reading older than this tells nothing of what a home uses now.
    """

    rules: Rules = field(default_factory=Rules)
    follow: FollowRules = field(default_factory=FollowRules)
    baseline_s: float = 900.0


class Sharer:
    """Makes shares and has them dispatched.

    Args:
        shelf: Where they are kept before anybody is told.
        port: The head-end that has the homes.
        clock: Our own time.
        rules: See `SharingRules`.
    """

    def __init__(self, shelf: Shelf, port: Downstream, clock: Clock, rules: SharingRules) -> None:
        self._shelf = shelf
        self._port = port
        self._clock = clock
        self._rules = rules

    async def begin(
        self, shared: Shared, homes: Sequence[Ability], readings: Mapping[str, Reading]
    ) -> None:
        """Share an event for the first time; nothing is dispatched yet.

        Raises:
            BusyError: The database cannot serve; nothing came about.
        """
        await self._share(shared, homes, readings, {})

    def is_due(self, shared: Shared, standing: Standing) -> bool:
        """Return whether an event that stands so is to be shared anew."""
        now, head, follow = self._clock.now(), shared.head, self._rules.follow
        return is_due(
            head.ask(now),
            head.span,
            standing,
            short_w=head.short_w,
            shared_at=head.shared_at,
            now=now,
            rules=follow,
        )

    async def again(
        self,
        shared: Shared,
        standing: Standing,
        homes: Sequence[Ability],
        readings: Mapping[str, Reading],
    ) -> None:
        """Share anew what is missing of an event that stands so; nothing is dispatched yet.

        Raises:
            BusyError: The database cannot serve; nothing came about.
        """
        found = shared.abilities(homes, standing, self._clock.now())
        await self._share(shared, found, readings, shared.shares)

    async def _share(
        self,
        shared: Shared,
        homes: Sequence[Ability],
        readings: Mapping[str, Reading],
        before: Mapping[str, int],
    ) -> None:
        now, head, rules = self._clock.now(), shared.head, self._rules.rules
        ask = head.ask(now)
        asked = await self._shelf.asked(now - rules.window_days * _DAY_S, head.mrid)
        joined = {home.home: home.since for home in homes}

        def made() -> Shares:
            return share(ask, homes, records(asked, joined, now, rules), rules, before)

        shares = await asyncio.to_thread(made)  # a large group takes seconds
        told = news(head, before, shares)
        able = {home.home: home for home in homes}
        given = {name: self._given(able[name], w, ask, readings, now) for name, w in told.items()}
        parts = parts_of(head, told, given, now)
        after = again(head, shares, now)
        await self._shelf.save(after, parts)
        shared.head = after
        for part in parts:
            shared.add(part)
        lower = {n: w for n, w in shares.by_home.items() if n not in told and w < before.get(n, w)}
        shared.count_on(lower)
        _log.info(
            "event %s: %s of %d W shared over %d homes, %d told, %d W short",
            head.mrid,
            head.kind,
            head.total_w,
            len(shares.by_home),
            len(told),
            shares.short_w,
        )

    def _given(
        self,
        home: Ability,
        share_w: int,
        ask: Ask,
        readings: Mapping[str, Reading],
        now: float,
    ) -> Given:
        reading = readings.get(home.home)
        fresh = reading is not None and now - reading.measured_at <= self._rules.baseline_s
        baseline_w = reading.net_w if reading is not None and fresh else None
        return Given(home.home, float(borne_w(ask, home, share_w)), home.most_w, baseline_w)

    async def dispatch(self, shared: Shared, event: Event | None) -> None:
        """Have orders dispatched that are not yet, as far as is known; see `Downstream.dispatch`.

        Raises:
            BusyError: It cannot be done now.
        """
        now = self._clock.now()
        waiting = [part for part in shared.parts.values() if part.mrid is None]
        if not waiting:
            return
        made = await self._port.dispatch([order_of(shared.head, p, now, event) for p in waiting])
        mrids: dict[str, str] = {}
        for key, mrid in made.items():
            if isinstance(mrid, RequestError):
                _log.warning("event %s: an order is refused here: %s", shared.head.mrid, mrid)
            mrids[key] = REFUSED if isinstance(mrid, RequestError) else mrid
        await self._shelf.dispatched(mrids)
        for key, name in mrids.items():
            shared.dispatched(key, name)

    async def note_leaving(self, shared: Shared, standing: Standing) -> None:
        """Note who does not take part any more, or does again: only who does bears anything.

        Raises:
            BusyError: The database cannot serve now.
        """
        out = {name for name, part in standing.parts.items() if not part.counts}
        left, back = out - shared.out, shared.out - out
        if left:
            await self._shelf.left(shared.head.id, left, self._clock.now())
        if back:
            await self._shelf.left(shared.head.id, back, None)
        shared.out = out

    async def take_back(self, shared: Shared) -> None:
        """Cancel all orders of an event, which is over by that.

        Raises:
            BusyError: It cannot be done now.
        """
        await self._port.cancel([part.mrid for part in shared.parts.values() if part.mrid])
        await self._shelf.ended(shared.head, self._clock.now())
