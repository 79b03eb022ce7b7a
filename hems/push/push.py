"""Pushing: looks at the home, and tells those who asked for it what is new."""

import asyncio
import hashlib
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from der.sentence import say
from hems.clock import Clock
from hems.plan_surface import PlanView
from hems.push.address import check_endpoint
from hems.push.errors import BadSubscriptionError, UnknownSubscriptionError
from hems.push.kept import PushStore
from hems.push.occasions import CarNeed, Occasion, occasions
from hems.push.post import FIRST_WAIT_S, Letter, Post
from hems.push.sealing import Signer
from hems.push.subscription import Subject, Subscription
from hems.push.turns import Memory, begun, turns
from hems.store.settings import Settings
from hems.surface import Snapshot

_log = logging.getLogger(__name__)

MOST: Final = 32
"""So many browsers can be told."""
_LOOK_S: Final = 3.0
_TITLE: Final = 120
_TEXT: Final = 400
"""So many characters are told: with every one escaped it is less than a message can hold."""
_TEST_LASTS_S: Final = 600.0


class PushedHome(Protocol):
    """What pushing looks at; cheap, no I/O."""

    def snapshot(self) -> Snapshot:
        """Return the home as shown."""
        ...

    def plan(self) -> PlanView | None:
        """Return the plan in force."""
        ...

    def car_needs(self) -> Sequence[CarNeed]:
        """Return the cars that are wanted ready at a time."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is pushed.

    Attributes:
        zone: The home's time zone.
        tell: Says a sentence in a language.
        contact: Where the operator of a push service reaches us, a mailto: or https: address.
        private: Whether push services at private addresses are spoken to.
        trust: Whom push services' certificates must come from; None for the system's roots.
        first_wait_s: Pause after a first failure of a push service, s.
        knows: Whether somebody of that name is still let in; who is not is told nothing.
    """

    zone: ZoneInfo
    tell: Callable[[str, str], str]
    contact: str
    private: bool = False
    trust: ssl.SSLContext | None = None
    first_wait_s: float = FIRST_WAIT_S
    knows: Callable[[str], bool] = lambda _who: True


class Push:
    """Tells browsers what is new in the home; made by `open_push`, run by `pushing`.

    Attributes:
        signer: Says towards push services who we are.
    """

    def __init__(
        self, home: PushedHome, store: PushStore, signer: Signer, clock: Clock, manner: Manner
    ) -> None:
        self.signer = signer
        self._home = home
        self._store = store
        self._clock = clock
        self._manner = manner
        self._subscriptions: dict[str, Subscription] = {}
        self._memory = Memory()
        self._changing = asyncio.Lock()
        self._post = Post(
            signer,
            clock,
            self._dropped,
            private=manner.private,
            trust=manner.trust,
            first_wait_s=manner.first_wait_s,
        )

    @property
    def waiting(self) -> int:
        """How many messages are on their way."""
        return self._post.waiting

    def all(self) -> list[Subscription]:
        """Return all subscriptions, the oldest first."""
        return sorted(self._subscriptions.values(), key=lambda each: each.since)

    async def subscribe(self, wanted: Subscription) -> Subscription:
        """Take a browser's wish, in place of what the same browser wished before.

        Args:
            wanted: The wish; its id and time are set here.

        Raises:
            BadSubscriptionError: Its address is none of a push service, or there are too many.
        """
        check_endpoint(wanted.endpoint, private=self._manner.private)
        made = replace(wanted, id=id_of(wanted.endpoint), since=self._clock.now())
        async with self._changing:
            before = self._subscriptions.get(made.id)
            if before is None and len(self._subscriptions) >= MOST:
                raise BadSubscriptionError(
                    say("{count} browsers are told already; remove one first.", count=MOST)
                )
            if before is None:
                self._memory = begun(made, self._present(), self._memory)
            else:
                made = replace(made, since=before.since)
            self._subscriptions[made.id] = made
            await self._keep()
        return made

    async def move(self, subscription: str, endpoint: str, keys: tuple[bytes, bytes]) -> None:
        """Tell a browser at another address: its push service has given it a new one.

        Args:
            subscription: Which wish.
            endpoint: The new address.
            keys: The browser's new public point and secret.

        Raises:
            UnknownSubscriptionError: There is none.
            BadSubscriptionError: The address is none of a push service.
        """
        check_endpoint(endpoint, private=self._manner.private)
        async with self._changing:
            before = self._found(subscription)
            point, secret = keys
            made = replace(before, id=id_of(endpoint), endpoint=endpoint, p256dh=point, auth=secret)
            told = dict(self._memory.told)
            del self._subscriptions[before.id]
            self._subscriptions[made.id] = made
            told[made.id] = told.pop(before.id, {})
            self._memory = replace(self._memory, told=told)
            await self._keep()

    async def unsubscribe(self, subscription: str) -> None:
        """End a browser's wish.

        Raises:
            UnknownSubscriptionError: There is none.
        """
        async with self._changing:
            self._found(subscription)
            del self._subscriptions[subscription]
            await self._keep()

    async def forget(self, who: str) -> None:
        """End all wishes of a person who is no longer known here."""
        async with self._changing:
            for each in self.all():
                if each.who == who:
                    del self._subscriptions[each.id]
            await self._keep()

    def find(self, subscription: str) -> Subscription:
        """Return a browser's wish.

        Raises:
            UnknownSubscriptionError: There is none.
        """
        return self._found(subscription)

    def try_out(self, subscription: str) -> None:
        """Send a browser a message that says that messages arrive.

        Raises:
            UnknownSubscriptionError: There is none.
        """
        found = self._found(subscription)
        now = self._clock.now()
        title, text = say("It works"), say("Messages from your home arrive on this device.")
        until = now + _TEST_LASTS_S
        trial = Occasion("try", Subject.MESSAGES, title, text, "/phone", urgent=True, until=until)
        self._post.send(self._letter(found, trial, now))

    async def take_up(self) -> None:
        """Begin with what was kept."""
        self._subscriptions = {each.id: each for each in await self._store.subscriptions()}
        self._memory = Memory(since=self._clock.now(), told=await self._store.told())

    async def look(self) -> None:
        """Look at the home once, and send off what is new."""
        if not self._subscriptions:
            return
        now = self._clock.now()
        local = datetime.fromtimestamp(now, self._manner.zone)
        async with self._changing:
            before = self._memory
            found, self._memory = turns(
                [each for each in self.all() if self._manner.knows(each.who)],
                self._present(),
                before,
                now=now,
                minute=local.hour * 60 + local.minute,
                room=self._post.room,
            )
            if self._memory.told != before.told:  # first kept, then sent: nothing is told twice
                await self._store.keep_told(self._memory.told)
        for turn in found:
            self._post.send(self._letter(turn.subscription, turn.occasion, now))

    async def close(self) -> None:
        """End all deliveries."""
        await self._post.close()

    async def _dropped(self, subscription: Subscription) -> None:
        """Forget a browser that its push service knows no more."""
        async with self._changing:
            if self._subscriptions.pop(subscription.id, None) is not None:
                _log.info("%s is told no more: its push service has let it go", subscription.called)
                await self._keep()

    def _present(self) -> list[Occasion]:
        home = self._home
        return occasions(home.snapshot(), home.car_needs(), home.plan(), self._manner.zone)

    async def _keep(self) -> None:
        told = {key: each for key, each in self._memory.told.items() if key in self._subscriptions}
        self._memory = replace(self._memory, told=told)
        await self._store.keep_subscriptions(self.all())
        await self._store.keep_told(told)

    def _found(self, subscription: str) -> Subscription:
        found = self._subscriptions.get(subscription)
        if found is None:
            raise UnknownSubscriptionError(say("This browser is not told anything yet."))
        return found

    def _letter(self, subscription: Subscription, occasion: Occasion, now: float) -> Letter:
        language = subscription.language
        told: Mapping[str, str | float] = {
            "title": self._manner.tell(occasion.title, language)[:_TITLE],
            "body": self._manner.tell(occasion.text, language)[:_TEXT],
            "path": occasion.path,
            "tag": occasion.key,
            "at": now,
            "lang": language,
        }
        content = json.dumps(told, ensure_ascii=False).encode()
        return Letter(subscription, content, occasion.key, occasion.urgent, occasion.until)


def id_of(endpoint: str) -> str:
    """Return the id of the browser that is reached at an address."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:24]


async def open_push(home: PushedHome, settings: Settings, clock: Clock, manner: Manner) -> Push:
    """Return the hub's pushing with what was kept of it; its key is made if there is none."""
    store = PushStore(settings)
    push = Push(home, store, Signer(await store.key(), manner.contact), clock, manner)
    await push.take_up()
    return push


@asynccontextmanager
async def pushing(push: Push, look_s: float = _LOOK_S) -> AsyncIterator[None]:
    """Tell what is new while the context lasts.

    Args:
        push: Tells it.
        look_s: How often the home is looked at, s.
    """
    looking = asyncio.create_task(_keep_looking(push, look_s))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await push.close()


async def _keep_looking(push: Push, look_s: float) -> None:
    while True:
        await push.look()
        await asyncio.sleep(look_s)
