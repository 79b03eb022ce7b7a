"""Subscriptions: asked for where the server offers them, found again after a restart.

A server that refuses them is polled, and asked again later; nothing else depends on them. One that
has gone from the server's list, as when it expired there, is asked for again, and so is one that
stands but of which nothing comes (`hems.sep2.walk.notices`).
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.codec.reading import BadItem
from hems.sep2.enddevice.offers import safe_place
from hems.sep2.errors import (
    MalformedError,
    NotFoundError,
    RejectedError,
    Sep2Error,
    TransientError,
)
from hems.sep2.transport.address import place_of
from hems.sep2.transport.backoff import Backoff, until_next_poll
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles
from hems.sep2.walk.notices import Notices

_log = logging.getLogger(__name__)

_NAME: Final = "subscriptions"
_XML: Final = 0
_ANEW_S: Final = 1.0
"""Upper bound of the first wait before what the server ended is asked for again; it doubles."""
_ITEMS: Final = 255
"""How many items of a list a notification may carry. Lists are sorted by start, so that what was
dispatched last is what a smaller limit would leave to the next poll."""


@dataclass(slots=True)
class _Ends:
    """How often the server has ended the subscriptions of one resource, and when it last did."""

    backoff: Backoff
    last_at: float


class Subscriber:
    """Keeps the home's subscriptions at one server.

    Args:
        transport: Way to the server.
        wanted: Returns the hrefs to be subscribed to.
        notification_uri: Where the server is to post, absolute.
        troubles: What goes wrong now.
        notices: What is known of the subscriptions that stand.
        alarm: Told in one sentence of a subscription that brings nothing.
        on_standing: Told the href of each resource whose subscription is newly known to stand.
        level: Schema level that the home speaks, such as "+S1"; see `hems.sep2.rules.dialect`.
        rng: For the waiting times.
        check_s: How often the server is asked whether the subscriptions still stand.
        refused_s: When a subscription that was refused is asked for again.
    """

    def __init__(
        self,
        transport: Transport,
        wanted: Callable[[], Sequence[str]],
        notification_uri: str,
        rng: random.Random,
        troubles: Troubles,
        *,
        notices: Notices | None = None,
        alarm: Callable[[str], None] = _log.warning,
        on_standing: Callable[[str], None] = lambda _href: None,
        level: str = "+S1",
        check_s: float = 900.0,
        refused_s: float = 6 * 3600.0,
    ) -> None:
        self._transport = transport
        self._wanted = wanted
        self._uri = notification_uri
        self._rng = rng
        self._troubles = troubles
        self._notices = notices or Notices()
        self._alarm = alarm
        self._on_standing = on_standing
        self._level = level
        self._check_s = check_s
        self._refused_s = refused_s
        self._list: str | None = None
        self.synced = False
        self._standing: dict[str, str] = {}
        self._left: dict[str, str] = {}
        self._asking: set[str] = set()
        self._refused: dict[str, float] = {}
        self._ends: dict[str, _Ends] = {}
        self._distrusted: set[str] = set()
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

    def came(self, notification: res.Notification) -> None:
        """Note that a notification came by a subscription: it is trusted again."""
        with contextlib.suppress(MalformedError):  # then it is nobody's
            self._distrusted.discard(place_of(notification.subscribed_resource))

    def ended(self, notification: res.Notification) -> None:
        """Note that the server ended a subscription; the oftener, the later it is asked again."""
        resource = place_of(notification.subscribed_resource)
        self._standing.pop(place_of(notification.subscription_uri), None)
        ends, now = self._ends.get(resource), _now()
        if ends is None or now - ends.last_at > self._check_s:  # it stood for long enough
            ends = _Ends(Backoff(self._rng, first_s=_ANEW_S, longest_s=self._refused_s), now)
            self._ends[resource] = ends
        ends.last_at = now
        why = TransientError(f"{resource}: its subscription was ended")
        self._refused[resource] = now + ends.backoff.failed(why)

    async def run(self) -> None:
        """Keep the subscriptions; never returns."""
        backoff = Backoff(self._rng, longest_s=self._check_s)
        while True:
            self._wake.clear()
            try:
                await self.sync()
            except Sep2Error as error:
                if self._troubles.meet(_NAME, error):
                    _log.warning("%s: %s", _NAME, error)
                wait_s = backoff.failed(error)
            else:
                backoff.worked()
                self._troubles.over(_NAME)
                wait_s = until_next_poll(self._check_s, self._rng)
            doubt_s, again_s = self._notices.due_s(_now()), self._again_s()
            waits = [s for s in (wait_s, doubt_s, again_s) if s is not None]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(waits)):
                    await self._wake.wait()

    async def sync(self) -> None:
        """Bring what stands at the server in line with what is wanted.

        Raises:
            Sep2Error: The list cannot be read, or some of it not be brought in line; the rest is.
        """
        if self._list is None:
            self.synced = True
            self._standing, self._left = {}, {}
            self._notices.stand(frozenset())
            return
        wanted = {place_of(href): href for href in self._wanted()}
        self._forget(set(wanted))
        bad: list[BadItem] = []
        listed = await self._transport.get_list(self._list, res.SubscriptionList, on_bad=bad.append)
        standing, left, surplus = self._sorted(listed.subscription, set(wanted))
        if bad:
            self._presume(standing, set(wanted), bad[0])
        self._once_wanted = set(wanted) | (
            self._once_wanted & {safe_place(s.subscribed_resource) for s in listed.subscription}
        )
        before, self._standing, self._left = set(self._standing.values()), standing, left
        self.synced = True
        failed: list[Sep2Error] = []
        for href in (*surplus, *self._worthless()):
            await self._drop(href, failed)
        for resource, href in wanted.items():
            if resource in standing.values():
                if resource not in before:
                    self._notices.begin(resource)
                    self._on_standing(href)
            elif self._refused.get(resource, 0.0) <= _now():
                await self._ask(resource, href, failed)
        self._notices.stand(frozenset(self._standing.values()))
        if failed:
            raise failed[0]

    def _presume(self, standing: dict[str, str], wanted: set[str], why: BadItem) -> None:
        """Have what stood before go on standing: what is illegible now may be that."""
        _log.warning("%s: not all of it can be read: %s", self._list, why.error)
        for place, resource in self._standing.items():
            if resource in wanted and resource not in standing.values():
                standing[place] = resource

    def _forget(self, wanted: set[str]) -> None:
        """Let go of what is known of resources that are not wanted any more."""
        for resource in self._refused.keys() - wanted:
            del self._refused[resource]
            self._troubles.over(f"{_NAME} {resource}")
        for resource in self._ends.keys() - wanted:
            del self._ends[resource]
        self._distrusted &= wanted

    def _again_s(self) -> float | None:
        """Return the seconds until what was ended is asked for again; None if nothing is."""
        waits = [self._refused[r] - _now() for r in self._ends if r in self._refused]
        return min((s for s in waits if s > 0), default=None)

    def _worthless(self) -> Sequence[str]:
        """Return the subscriptions that stand and bring nothing; they are to be made anew."""
        silent = set(self._notices.untold(_now()))
        found = [place for place, resource in self._standing.items() if resource in silent]
        for place in found:
            resource = self._standing.pop(place)
            if resource not in self._distrusted:
                self._distrusted.add(resource)
                self._alarm(
                    f"{self._transport.host}{resource}: it changed and no notification told; it "
                    "is polled at its full rate, and its subscription made anew"
                )
        return found

    async def _drop(self, href: str, failed: list[Sep2Error]) -> None:
        try:
            await self._transport.delete(href)
        except NotFoundError:
            pass  # that was the aim
        except Sep2Error as error:
            failed.append(error)

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

    async def _ask(self, resource: str, href: str, failed: list[Sep2Error]) -> None:
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
            self._refused[resource] = _now() + self._refused_s
            if self._troubles.meet(f"{_NAME} {resource}", error):
                _log.warning("%s is polled only: %s", href, error)
        except Sep2Error as error:
            failed.append(error)
        else:
            self._troubles.over(f"{_NAME} {resource}")
            self._refused.pop(resource, None)
            if location is not None:
                with contextlib.suppress(MalformedError):  # then the list will tell
                    self._standing[place_of(location)] = resource
            self._notices.begin(resource)
            # Between the last reading and the subscription nobody told of a change.
            self._on_standing(href)
        finally:
            self._asking.discard(resource)


def _now() -> float:
    return asyncio.get_running_loop().time()
