"""Views of a home's subscriptions."""

import logging
from urllib.parse import urlsplit

from aiohttp import web

from hems.headend import hrefs, render_devices
from hems.headend.destinations import check_destination
from hems.headend.errors import RequestError, UnknownItemError
from hems.headend.exchange import answer, changed, created, number_of, own, read
from hems.headend.feeds import Feeds
from hems.headend.listening import PEER
from hems.headend.notifier import Notifier
from hems.headend.paging import MAX_LIMIT, page, parse_query
from hems.headend.records import Home, SubscriptionRecord
from hems.headend.settings import HeadEndSettings
from hems.headend.subscriptions import Subscriptions
from hems.sep2.resources import Subscription

_XML_ENCODING = 0

_log = logging.getLogger(__name__)


class SubscriptionViews:
    """Subscriptions to what the operator changes.

    Args:
        subscriptions: Where they are kept.
        feeds: What may be subscribed to.
        notifier: Told of new ones.
        settings: Rates and allowed hosts.
    """

    def __init__(
        self,
        subscriptions: Subscriptions,
        feeds: Feeds,
        notifier: Notifier,
        settings: HeadEndSettings,
    ) -> None:
        self._subscriptions = subscriptions
        self._feeds = feeds
        self._notifier = notifier
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        items = f"{hrefs.DEVICES}/{{home}}/sub"
        return [
            web.get(items, self.get_list),
            web.post(items, self.post),
            web.get(f"{items}/{{subscription}}", self.get),
            web.delete(f"{items}/{{subscription}}", self.delete),
        ]

    async def get_list(self, request: web.Request) -> web.Response:
        """Answer the caller's subscriptions."""
        home = own(request)
        part = page(await self._subscriptions.of(home.lfdi), parse_query(request.query))
        rates = self._settings.rates(home.edition)
        return answer(request, render_devices.subscription_list(home, part, rates))

    async def post(self, request: web.Request) -> web.Response:
        """Subscribe; a second subscription to the same resource replaces the first."""
        home = own(request)
        posted = await read(request, Subscription)
        resource = self._resource(request, home, posted.subscribed_resource)
        if posted.encoding != _XML_ENCODING:
            raise RequestError(f"Subscription/encoding: {posted.encoding}: only XML (0) is sent")
        if posted.condition is not None:
            raise RequestError("Subscription/Condition: lists take no conditional subscription")
        check_destination(posted.notification_uri, PEER.get(), self._settings.notify_hosts)
        first = await self._notifier.subscribe(
            SubscriptionRecord(
                0,
                home.lfdi,
                resource,
                posted.notification_uri,
                min(posted.limit, MAX_LIMIT),
                posted.level,
            ),
            home,
        )
        done = created(hrefs.subscription(home.id, first.kept.id))
        try:
            # Before the answer is out, a home may not know the subscription that it is told of.
            await done.prepare(request)
            await done.write_eof()
        except ConnectionResetError:
            _log.info("%s went away before it heard of its subscription", home.lfdi)
        finally:
            self._notifier.subscribed(first)
        return done

    async def get(self, request: web.Request) -> web.Response:
        """Answer one subscription of the caller."""
        return answer(request, render_devices.subscription(own(request), await self._one(request)))

    async def delete(self, request: web.Request) -> web.Response:
        """End a subscription of the caller."""
        await self._subscriptions.delete((await self._one(request)).id)
        return changed()

    async def _one(self, request: web.Request) -> SubscriptionRecord:
        home = own(request)
        item = await self._subscriptions.get(number_of(request, "subscription"))
        if item is None or item.lfdi != home.lfdi:
            raise UnknownItemError(f"there is no subscription at {request.path}")
        return item

    def _resource(self, request: web.Request, home: Home, uri: str) -> str:
        try:
            parts = urlsplit(uri)
        except ValueError as error:
            raise RequestError(
                f"Subscription/subscribedResource: {uri[:80]!r} is no address"
            ) from error
        if parts.query or parts.fragment:
            raise RequestError(f"Subscription/subscribedResource: {uri[:80]!r} has a query")
        if parts.netloc and parts.netloc != request.host:
            raise RequestError(f"Subscription/subscribedResource: {uri[:80]!r} is not served here")
        if self._feeds.sight(parts.path, home) is None:
            raise RequestError(f"Subscription/subscribedResource: {uri[:80]!r} is not subscribable")
        return parts.path
