"""Our own head-end as the aggregator sees it: the homes that it has, and their own programmes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from sqlalchemy import Connection, select

from hems.clock import Clock
from hems.headend.ability.rule import Rules
from hems.headend.ability.told import FOR_ALL, NOTHING, Told
from hems.headend.book import Book
from hems.headend.errors import DispatchError
from hems.headend.fleet.access import Access
from hems.headend.fleet.records import HubPolicy
from hems.headend.models import ResponseRow
from hems.headend.modes import ProgramKind
from hems.headend.own.book import OwnOrder
from hems.headend.own.records import OwnEvent
from hems.headend.records import Home
from hems.headend.sharing.model import Ability, Kind
from hems.headend.upstream.abilities import Assumed, Case, Judge
from hems.headend.upstream.asks import mode_of, values_of
from hems.headend.upstream.meters import Meters, Net
from hems.headend.upstream.port import Answer, Order, Reading
from hems.headend.upstream.sayings import Inquiries, Sayings
from hems.headend.upstream.settings import UpstreamSettings
from hems.sep2.rules.lifecycle import Code

_CHUNK: Final = 500
_LEFT: Final = frozenset({Code.OPT_OUT, Code.PARTLY_OPT_OUT})
_BACK: Final = frozenset({Code.OPT_IN, Code.STARTED})


class Standings(Protocol):
    """What the fleet says of homes."""

    def access(self, lfdi: str, now: float) -> Access:
        """Return what a home is served."""
        ...

    def policy(self, lfdi: str) -> HubPolicy:
        """Return what a home may be asked for."""
        ...


class OwnHomes:
    """Implements `hems.headend.upstream.port.Downstream`.

    Args:
        book: Homes and their own programmes.
        database: Responses, readings, and what homes have said.
        standings: What the fleet says of homes.
        clock: The time.
        settings: What holds where homes have said nothing.
    """

    def __init__(
        self,
        book: Book,
        database: Inquiries,
        standings: Standings,
        clock: Clock,
        settings: UpstreamSettings,
    ) -> None:
        self._book = book
        self._database = database
        self._standings = standings
        self._clock = clock
        self._judge = Judge(
            Assumed(
                settings.connection_w,
                settings.least_import_w,
                settings.least_export_w,
                settings.unsaid_shed_w,
            ),
            Rules(settings.reach_s, settings.told_s, settings.stale_s),
        )
        self._sayings = Sayings(database)
        self._meters = Meters(database, clock)

    async def availability(self, kind: Kind) -> Sequence[Ability]:
        """Return what every home can do for an order of this kind now; see the port."""
        now = self._clock.now()
        told, nets = await self._sayings.read(), await self._meters.read()
        heard, left = await self._book.contacts.of(), await self._left(kind)
        found: list[Ability] = []
        for home in self._book.homes:
            said = told.get(home.lfdi, NOTHING)
            speaker_at = heard.get(home.aggregator or home.lfdi)
            case = Case(
                home.lfdi,
                home.edition,
                _known(said, (speaker_at, heard.get(home.lfdi)), nets.get(home.lfdi)),
                largest_w=self._standings.policy(home.lfdi).largest_event_w,
                served=Access.EVENTS in self._standings.access(home.lfdi, now),
                opted_out=home.lfdi in left,
                since=home.registered_at,
                shed_programme=self._own_index(home),
            )
            found.append(self._judge.ability(case, kind, now))
        return found

    async def dispatch(self, orders: Sequence[Order]) -> Mapping[str, str | DispatchError]:
        """Give orders to homes, durable when this returns; see the port."""
        return await self._book.own.give([_own_order(order) for order in orders])

    async def cancel(self, mrids: Collection[str]) -> None:
        """Take orders back; see the port."""
        await self._book.own.cancel(mrids)

    async def responses(self, mrids: Collection[str], since: float) -> Mapping[str, list[Answer]]:
        """Return what homes answered to orders; see the port."""
        found: dict[str, list[Answer]] = {mrid: [] for mrid in mrids}
        names = sorted(mrids)
        for start in range(0, len(names), _CHUNK):
            rows = await self._database.inquire(_answers(names[start : start + _CHUNK], since))
            for mrid, answer in rows:
                found[mrid].append(answer)
        return found

    async def readings(self) -> Sequence[Reading]:
        """Return what was heard last of each home; see the port."""
        heard, nets = await self._book.contacts.of(), await self._meters.read()
        return [
            _reading(home, heard.get(home), nets.get(home))
            for home in {**heard, **nets}
            if self._book.home(home) is not None
        ]

    def _own_index(self, home: Home) -> int:
        own = self._book.own.programme(home, ProgramKind.DRLC)
        return FOR_ALL if own is None else own.index

    async def _left(self, kind: Kind) -> frozenset[str]:
        """Return whose owners have left an order of a kind that still runs, and not come back."""
        mode = mode_of(kind)
        running = [item for item in self._book.own.running if mode in item.event.values]
        answers = await self.responses([item.event.mrid for item in running], 0.0)
        stays: dict[str, bool] = {}
        for item in sorted(running, key=_age):
            for answer in answers[item.event.mrid]:
                if answer.code in _LEFT or answer.code in _BACK:
                    stays[answer.home] = answer.code in _BACK
        return frozenset(home for home, in_ in stays.items() if not in_)


def _age(item: OwnEvent) -> tuple[float, str]:
    return item.event.accepted_at, item.event.mrid


def _own_order(order: Order) -> OwnOrder:
    return OwnOrder(
        key=order.key,
        values=values_of(order.kind, order.value_w),
        start=order.start,
        duration_s=order.duration_s,
        homes=order.homes,
        ramp_s=order.ramp_s,
        binding=order.binding,
    )


def _known(said: Told, heard: Sequence[float | None], net: Net | None) -> Told:
    """Return what is known of a home by what it said, when it was heard of, and its meter.

    Contacts with other workers are known a minute later; what they took in, at once.
    """
    times = (said.heard_at, *heard, None if net is None else net.at)
    heard_at = max((at for at in times if at is not None), default=None)
    if net is None:
        return replace(said, heard_at=heard_at)
    return replace(said, heard_at=heard_at, net_w=net.power_w, net_at=net.at)


def _reading(home: str, heard_at: float | None, net: Net | None) -> Reading:
    read_at = None if net is None else net.at
    at = max(at for at in (heard_at, read_at, 0.0) if at is not None)
    return Reading(home, at, None if net is None else net.power_w, read_at)


def _answers(
    mrids: Sequence[str], since: float
) -> Callable[[Connection], list[tuple[str, Answer]]]:
    query = (
        select(ResponseRow.subject, ResponseRow.lfdi, ResponseRow.status, ResponseRow.received_at)
        .where(ResponseRow.subject.in_(mrids), ResponseRow.received_at >= since)
        .order_by(ResponseRow.id)
    )

    def work(connection: Connection) -> list[tuple[str, Answer]]:
        rows = connection.execute(query)
        return [(row.subject, Answer(row.lfdi, row.status, row.received_at)) for row in rows]

    return work
