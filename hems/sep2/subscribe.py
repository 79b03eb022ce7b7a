"""Subscriptions: asked for where the server offers them, found again after a restart.

A server that refuses them is polled; nothing else depends on them.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.backoff import after_failure, until_next_poll
from hems.sep2.errors import MalformedError, RejectedError, Sep2Error
from hems.sep2.http import Transport
from hems.sep2.troubles import Troubles
from hems.sep2.walker import place_of

_log = logging.getLogger(__name__)

_NAME: Final = "subscriptions"
_XML: Final = 0
_ITEMS: Final = 255
"""How many items of a list a notification may carry. Lists are sorted by start, so that what was
dispatched last is what a smaller limit would leave to the next poll."""


class Subscriber:
    """Keeps the home's subscriptions at one server.

    Args:
        transport: Way to the server.
        wanted: Returns the hrefs to be subscribed to.
        notification_uri: Where the server is to post, absolute.
        troubles: What goes wrong now.
        on_standing: Told the href of each resource whose subscription is newly known to stand.
        level: Schema level that the home speaks, such as "+S1"; see `hems.sep2.dialect`.
        rng: For the waiting times.
        check_s: How often the server is asked whether the subscriptions still stand.
    """

    def __init__(
        self,
        transport: Transport,
        wanted: Callable[[], Sequence[str]],
        notification_uri: str,
        rng: random.Random,
        troubles: Troubles,
        *,
        on_standing: Callable[[str], None] = lambda _href: None,
        level: str = "+S1",
        check_s: float = 900.0,
    ) -> None:
        self._transport = transport
        self._wanted = wanted
        self._uri = notification_uri
        self._rng = rng
        self._troubles = troubles
        self._on_standing = on_standing
        self._level = level
        self._check_s = check_s
        self._list: str | None = None
        self.synced = False
        self._standing: dict[str, str] = {}
        self._left: dict[str, str] = {}
        self._asking: set[str] = set()
        self._refused: set[str] = set()
        self._once_wanted: set[str] = set()
        self._wake = asyncio.Event()

    def use(self, href: str | None) -> None:
        """Set the SubscriptionList of the home's EndDevice; None if it has none."""
        if href != self._list:
            self._list = href
            self._wake.set()

    def wake(self) -> None:
        """Look again now: what is wanted may have changed."""
        self._wake.set()

    @property
    def standing(self) -> frozenset[str]:
        """Where the subscriptions that stand are, as paths."""
        return frozenset(self._standing)

    def knows(self, notification: res.Notification) -> bool:
        """Whether a notification comes from one of our subscriptions."""
        resource = place_of(notification.subscribed_resource)
        if resource in self._asking:  # told before the answer to our request was there
            return True
        place = place_of(notification.subscription_uri)
        return resource in (self._standing.get(place), self._left.get(place))

    def ended(self, notification: res.Notification) -> None:
        """Note that the server ended a subscription."""
        self._standing.pop(place_of(notification.subscription_uri), None)

    async def run(self) -> None:
        """Keep the subscriptions; never returns."""
        failures = 0
        while True:
            self._wake.clear()
            try:
                await self.sync()
            except Sep2Error as error:
                failures += 1
                if self._troubles.meet(_NAME, error):
                    _log.warning("%s: %s", _NAME, error)
                wait_s = after_failure(failures, error, self._rng, longest_s=self._check_s)
            else:
                failures = 0
                self._troubles.over(_NAME)
                wait_s = until_next_poll(self._check_s, self._rng)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def sync(self) -> None:
        """Bring what stands at the server in line with what is wanted."""
        if self._list is None:
            self.synced = True
            return
        wanted = {place_of(href): href for href in self._wanted()}
        self._once_wanted |= set(wanted)
        listed = await self._transport.get_list(self._list, res.SubscriptionList)
        standing, left, surplus = self._sorted(listed.subscription, set(wanted))
        for href in surplus:
            await self._transport.delete(href)
        before, self._standing, self._left = set(self._standing.values()), standing, left
        self.synced = True
        for resource, href in wanted.items():
            if resource in standing.values():
                if resource not in before:
                    self._on_standing(href)
            elif resource not in self._refused:
                await self._ask(resource, href)

    def _sorted(
        self, subscriptions: Sequence[res.Subscription], wanted: set[str]
    ) -> tuple[dict[str, str], dict[str, str], list[str]]:
        """Return the subscriptions that serve, those left alone for now, and those to delete."""
        standing: dict[str, str] = {}
        left: dict[str, str] = {}
        surplus: list[str] = []
        for held in subscriptions:
            if held.href is None:
                continue
            try:
                resource, place = place_of(held.subscribed_resource), place_of(held.href)
            except MalformedError as error:
                _log.debug("a subscription is left out: %s", error)
                continue
            ours = held.notification_uri == self._uri
            # After a restart the walk has not yet come by all that will be wanted: what stands
            # from before is left alone until then.
            if ours and resource not in wanted and resource not in self._once_wanted:
                left[place] = resource
            elif ours and resource in wanted and resource not in standing.values():
                standing[place] = resource
            elif ours or resource in wanted:
                surplus.append(held.href)  # a second one, of an earlier address, for what is gone
        return standing, left, surplus

    async def _ask(self, resource: str, href: str) -> None:
        if self._list is None:
            return
        wish = res.Subscription(
            subscribed_resource=href,
            encoding=_XML,
            level=self._level,
            limit=_ITEMS,
            notification_uri=self._uri,
        )
        self._asking.add(resource)
        try:
            location = await self._transport.post(self._list, wish)
        except RejectedError as error:
            self._refused.add(resource)
            _log.warning("%s is polled only: %s", href, error)
        else:
            if location is not None:
                with contextlib.suppress(MalformedError):  # then the list will tell
                    self._standing[place_of(location)] = resource
            # Between the last reading and the subscription nobody told of a change.
            self._on_standing(href)
        finally:
            self._asking.discard(resource)
