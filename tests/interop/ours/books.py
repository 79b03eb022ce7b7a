"""What has been ordered at our head-end's door, and what it keeps of the answers."""

import asyncio
import time
from collections.abc import Sequence

from lxml import etree
from pydantic import BaseModel, ConfigDict

from tests.interop.grid.markup import Element, copied
from tests.interop.grid.tree import ROOT, Listing, Programme, mrid_of
from tests.interop.grid.words import CANCELLED, CANCELLED_RANDOM, number_of
from tests.interop.ours import orders
from tests.interop.ours.names import Names
from tests.interop.ours.orders import Extra, Order
from tests.interop.ours.unfit import UnfitError
from tests.interop.utility_process import UtilityProcess

_NEAR_S = 20.0
_TICK_S = 1.05
"""After this an order has another creationTime, in whole seconds, than the one before."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Answer(_Part):
    status: int
    received_at: float = 0.0
    at: int = 0


class _Home(_Part):
    lfdi: str
    responses: list[_Answer]


class _Read(_Answer):
    lfdi: str


class _Event(_Part):
    id: str
    homes: list[_Home]


class _Events(_Part):
    events: list[_Event]


class _Message(_Part):
    id: str
    responses: list[_Read]


class _Messages(_Part):
    messages: list[_Message]


class _Refusal(_Part):
    error: str


class _Made(_Part):
    id: str


class Books:
    """Orders and answers.

    Args:
        process: The head-end.
        names: What its programmes are called.

    Attributes:
        real: The head-end's mRID of each event, by the scenario's.
        answers: LFDI and status of the responses that it keeps, by its mRIDs, in order.
        lock: Held by who orders.
        late_s: By how much what was scripted before the head-end ran is to come later.
    """

    def __init__(self, process: UtilityProcess, names: Names) -> None:
        self.real: dict[str, str] = {}
        self.answers: dict[str, list[tuple[str, int]]] = {}
        self.lock = asyncio.Lock()
        self.late_s = 0.0
        self._process = process
        self._names = names
        self._items: dict[str, dict[str, Element]] = {}
        self._defaults: dict[str, Element | None] = {}
        self._prices: dict[str, bytes] = {}
        self._not_before = 0.0

    async def keep_defaults(self, programmes: Sequence[Programme]) -> None:
        """Order default controls that are new."""
        for programme in programmes:
            if self._defaults.get(programme.href) is not programme.default:
                order = orders.default(programme.default)
                name = self._names.name(programme.href)
                await self._order("PUT", f"/programs/{name}/default", order)
                self._defaults[programme.href] = programme.default

    async def keep_events(self, key: str, listing: Listing) -> None:
        """Order what has come into a list of a programme, and cancel what is cancelled there."""
        known = self._items.setdefault(key, {})
        shown = {mrid_of(item): item for item in listing.items}
        if known.keys() - shown.keys():
            raise UnfitError("server: an event stays in its list until it is over")
        for mrid, item in shown.items():
            before = known.get(mrid)
            if before is None:
                await self._dispatch(key, mrid, item)
            elif before is not item:
                await self._restate(mrid, before, item)
            known[mrid] = item

    async def _dispatch(self, key: str, mrid: str, item: Element) -> None:
        kind = etree.QName(item).localname
        if kind == "DERControl" and number_of(item, "interval/start") is None:
            raise UnfitError("server: it lists nothing unreadable")
        order = orders.control(item) if kind == "DERControl" else orders.reduction(item)
        start = order["start"]
        if self.late_s and isinstance(start, float) and abs(start - time.time()) < _NEAR_S:
            order["start"] = start + self.late_s
        await asyncio.sleep(max(0.0, self._not_before - time.time()))
        made = await self._order("POST", "/events", {**order, "program": self._names.name(key)})
        self.real[mrid] = _Made.model_validate_json(made).id
        if (number_of(item, "creationTime") or 0) < time.time() - 1.5:
            self._not_before = time.time() + _TICK_S

    async def _restate(self, mrid: str, before: Element, item: Element) -> None:
        if _rest(before) != _rest(item):
            raise UnfitError("server: an event is not edited, but cancelled and ordered anew")
        status = number_of(item, "EventStatus/currentStatus")
        if status not in {CANCELLED, CANCELLED_RANDOM}:
            raise UnfitError("server: but for cancelling, it states by itself how an event stands")
        wish: Order = {"randomize": status == CANCELLED_RANDOM}
        await self._order("POST", f"/events/{self.real[mrid]}/cancel", wish)

    async def keep_offers(self, extra: Extra) -> None:
        """Order prices, load control and messages."""
        for path, found in list(extra.items()):
            if isinstance(found, Listing) and path.startswith(f"{ROOT}/loads/"):
                await self.keep_events(path.removesuffix("/events"), found)
            elif isinstance(found, Listing) and path.startswith(f"{ROOT}/news/"):
                await self._keep_messages(found)
        tariffs = extra.get(f"{ROOT}/tariffs")
        for profile in tariffs.items if isinstance(tariffs, Listing) else ():
            await self._keep_prices(profile, extra)

    async def _keep_messages(self, listing: Listing) -> None:
        known = self._items.setdefault("messages", {})
        for item in listing.items:
            mrid = mrid_of(item)
            if mrid not in known:
                made = await self._order("POST", "/messages", orders.message(item))
                self.real[mrid] = _Made.model_validate_json(made).id
                known[mrid] = item

    async def _keep_prices(self, profile: Element, extra: Extra) -> None:
        href = str(profile.get("href"))
        intervals = extra[f"{href}/intervals"]
        assert isinstance(intervals, Listing)
        state = b"".join(etree.tostring(item) for item in intervals.items)
        if self._prices.get(href, b"") == state:
            return
        self._prices[href] = state
        order = orders.prices(profile, intervals, extra, self.late_s)
        if all(
            number_of(item, "EventStatus/currentStatus") == CANCELLED for item in intervals.items
        ):
            await self._order("DELETE", f"/prices/{order['tariff']}/import", None)
        else:
            await self._order("PUT", "/prices", order)

    async def look(self) -> None:
        """Read what the homes answered."""
        _, body = await self._process.door("GET", "/events")
        kept: dict[str, list[tuple[str, int]]] = {}
        for event in _Events.model_validate_json(body).events:
            got = [(r.received_at, h.lfdi, r.status) for h in event.homes for r in h.responses]
            kept[event.id] = [(lfdi, status) for _, lfdi, status in sorted(got)]
        _, body = await self._process.door("GET", "/messages")
        for message in _Messages.model_validate_json(body).messages:
            kept[message.id] = [(r.lfdi, r.status) for r in message.responses]
        self.answers = kept

    async def subscriptions(self, identity: str) -> list[Element]:
        """Return the subscriptions of the home, as it is shown them."""
        status, body = await self._process.resource("/edev", identity)
        if status != 200:
            return []
        link = etree.fromstring(body).find("{*}EndDevice/{*}SubscriptionListLink")
        if link is None:
            return []
        status, body = await self._process.resource(f"{link.get('href')}?l=255", identity)
        found = list(etree.fromstring(body)) if status == 200 else []
        for each in found:
            resource = each.find("{*}subscribedResource")
            if resource is not None:
                resource.text = self._names.path(resource.text or "")
        return found

    async def _order(self, method: str, path: str, wish: Order | None) -> bytes:
        status, body = await self._process.door(method, path, wish)
        if status >= 400:
            raise UnfitError(
                f"server: its operator's door refuses: {_Refusal.model_validate_json(body).error}"
            )
        return body


def _rest(item: Element) -> bytes:
    """Return an event without how it stands."""
    made = copied(item)
    status = made.find("{*}EventStatus")
    if status is not None:
        made.remove(status)
    return etree.tostring(made)
