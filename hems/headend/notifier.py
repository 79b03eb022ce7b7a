"""Who is told of a changed resource, and what; each subscriber by one worker only.

A resource is written once for all subscribers who get the same. Every worker sees that it changed,
claims some of the subscribers who have not been told yet, sends to them, and claims more.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Final
from xml.sax.saxutils import escape

from hems.clock import Clock
from hems.headend import hrefs
from hems.headend.book import Book
from hems.headend.errors import BusyError
from hems.headend.feeds import Feeds, Sight, programme_at
from hems.headend.forms import encode
from hems.headend.modes import Edition
from hems.headend.postman import Letter, Outcome, Postman
from hems.headend.records import Home, SubscriptionRecord
from hems.headend.subscriptions import Subscriptions, Word
from hems.sep2.resources import Notification

AT_ONCE: Final = 200
"""How many a worker claims at a time, and has on their way at most when it claims more."""
_AGAIN_S: Final = 0.5
_SETTLE_S: Final = 0.05

_log = logging.getLogger(__name__)


class Notifier:
    """Tells subscribers. Make it inside the running loop; close it at the end.

    Args:
        book: Homes.
        subscriptions: Who wants to be told.
        feeds: What they may subscribe to.
        tls: Context of the server as a TLS client.
        clock: The utility's time.
        served: Whether a home is served events now.

    Attributes:
        base_url: The server's own origin, for the absolute subscriptionURI.
        on_letter: Told of each letter that is done with, and how long that took, s.
    """

    def __init__(
        self,
        book: Book,
        subscriptions: Subscriptions,
        feeds: Feeds,
        tls: SSLContext,
        clock: Clock,
        *,
        served: Callable[[str], bool],
    ) -> None:
        self._served = served
        self._book = book
        self._subscriptions = subscriptions
        self._feeds = feeds
        self._clock = clock
        self._postman = Postman(tls, clock, self._told)
        self._watched: dict[str, dict[Edition, str]] = {}
        self._twins: dict[str, set[str]] = {}
        self._known: dict[tuple[str, Edition], str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._done: list[tuple[int, str]] = []
        self._sent: list[tuple[str, str, float]] = []
        self._settling: asyncio.Task[None] | None = None
        self.base_url = ""
        self.on_letter: Callable[[Letter, Outcome, float], None] = _nobody

    @property
    def attempts(self) -> int:
        """How often it was tried to deliver a notification."""
        return self._postman.attempts

    async def close(self) -> None:
        """Drop what is still unsent and close all connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._postman.close()
        if self._settling is not None:
            await asyncio.gather(self._settling, return_exceptions=True)

    async def look(self) -> None:
        """Learn what is subscribed to, and what others have begun to tell and not ended.

        Raises:
            BusyError: The database cannot serve.
        """
        watched: dict[str, dict[Edition, str]] = {}
        for (resource, edition), lfdi in (await self._subscriptions.watched()).items():
            watched.setdefault(resource, {})[edition] = lfdi
        self._watched = watched
        self._twins = {}
        for resource in watched:
            self._know_twin(resource)
        for known in await self._subscriptions.lost(self._clock.now()):
            self._known.pop(known, None)

    def announce(self, resource: str, events: Iterable[str] = ()) -> None:
        """Tell subscribers of a resource, if it is not as it was when they were told last.

        Args:
            resource: Its path.
            events: mRIDs of the events that were just accepted or cancelled, if that is why.
        """
        for each in (resource, *self._twins.get(resource, ())):
            self._announce(each, events)

    def _announce(self, resource: str, events: Iterable[str]) -> None:
        for edition, lfdi in self._watched.get(resource, {}).items():
            home = self._viewer(resource, edition, lfdi)
            sight = None if home is None else self._feeds.sight(resource, home)
            if sight is None:
                continue
            word = self._word(resource, edition, sight)
            if self._known.get((resource, edition)) != word.mark:
                self._known[resource, edition] = word.mark
                self._begin(word, sight, frozenset(events))

    def _know_twin(self, resource: str) -> None:
        """Have what is below one home's copy of a programme told with what it is a copy of."""
        program = programme_at(self._book, resource)
        if program is not None and program.twin_of is not None:
            whole = resource.replace(f"/{program.index}/", f"/{program.twin_of}/", 1)
            self._twins.setdefault(whole, set()).add(resource)

    async def subscribe(self, item: SubscriptionRecord, home: Home) -> "First":
        """Keep a subscription; `told` is to be called once the home knows of it.

        Raises:
            BusyError: The database cannot take it.
        """
        sight = self._sight(item.resource, home)
        word = self._word(item.resource, home.edition, sight)
        now = self._clock.now()
        kept = await self._subscriptions.save(item, word, now, taken=sight.empty)
        return First(kept, home, sight, word)

    def subscribed(self, first: "First") -> None:
        """Send a new subscription the resource as it is, unless it is empty.

        The home read it before it subscribed, and what was dispatched in between was told to
        nobody. What was cancelled in between is still in the list.
        """
        item, home = first.kept, first.home
        self._watched.setdefault(item.resource, {})[home.edition] = home.lfdi
        self._know_twin(item.resource)
        self._known.setdefault((item.resource, home.edition), first.word.mark)
        sight = self._sight(item.resource, home)
        word = self._word(item.resource, home.edition, sight)
        if word.mark != first.word.mark:  # it has changed while the subscription was written down
            self._begin(word, sight, frozenset())
        elif not sight.empty:
            own = sight.apart(home) or sight
            self._send(self._form(own, item, home.edition), home, item, word.mark)

    def _viewer(self, resource: str, edition: Edition, lfdi: str) -> Home | None:
        """Return a home of an edition that sees a resource; this one if it does."""
        home = self._book.home(lfdi)
        program = programme_at(self._book, resource)
        if program is None or (home is not None and self._book.sees(program, lfdi)):
            return home
        others = self._book.reached_by(program)
        return next((other for other in others if other.edition is edition), None)

    def _sight(self, resource: str, home: Home) -> Sight:
        sight = self._feeds.sight(resource, home)
        if sight is None:
            raise LookupError(f"there is nothing to subscribe to at {resource}")
        return sight

    def _word(self, resource: str, edition: Edition, sight: Sight) -> Word:
        mark = hashlib.blake2b(repr(sight.signature).encode(), digest_size=12).hexdigest()
        return Word(resource, edition, mark, self._book.change)

    def _begin(self, word: Word, sight: Sight, events: frozenset[str]) -> None:
        task = asyncio.create_task(self._tell(word, sight, events), name=f"tell {word.resource}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, word: Word, sight: Sight, events: frozenset[str]) -> None:
        """Claim subscribers and send to them until all have been told."""
        forms: dict[int, _Form] = {}
        while self._known.get((word.resource, word.edition)) == word.mark:
            try:
                claimed = await self._subscriptions.claim(word, self._clock.now(), AT_ONCE)
            except BusyError as error:
                _log.warning("subscribers of %s wait to be told: %s", word.resource, error)
                await asyncio.sleep(_AGAIN_S)
                continue
            program = programme_at(self._book, word.resource)
            for item in claimed:
                home = self._book.home(item.lfdi)
                if home is None or not self._served(item.lfdi):
                    self._end(item, word.mark)  # who is served nothing is told nothing
                    continue
                if program is not None and not self._book.sees(program, home.lfdi):
                    await self._forget(item, "has left the group")
                    continue
                own, form = sight.apart(home), forms.get(item.limit)
                if own is not None:  # its contract keeps something from it
                    form = self._form(own, item, word.edition)
                elif form is None:
                    form = forms[item.limit] = self._form(sight, item, word.edition)
                self._send(form, home, item, word.mark, events)
            if len(claimed) < AT_ONCE:
                return
            while self._postman.busy >= AT_ONCE:
                self._room.clear()
                await self._room.wait()

    def _send(
        self,
        form: "_Form",
        home: Home,
        item: SubscriptionRecord,
        mark: str,
        events: frozenset[str] = frozenset(),
    ) -> None:
        uri = self.base_url + hrefs.subscription(home.id, item.id)
        to = home.aggregator or home.lfdi
        self._postman.send(Letter(item, form.filled(uri), mark, events, to, self._clock.now()))

    def _form(self, sight: Sight, item: SubscriptionRecord, edition: Edition) -> "_Form":
        """Write the notification once; only subscriptionURI differs between subscribers."""
        place = f"urn:{secrets.token_hex(8)}"
        body = encode(
            Notification(
                subscribed_resource=item.resource,
                created_date_time=int(self._clock.now()) if edition is Edition.Y2023 else None,
                resource=sight.write(item.limit),
                status=0,
                subscription_uri=place,
            ),
            edition,
        )
        before, _, after = body.partition(place.encode())
        return _Form(before, after)

    async def _told(self, letter: Letter, outcome: Outcome, at: float) -> None:
        self._room.set()
        self.on_letter(letter, outcome, self._clock.now() - letter.made_at)
        if outcome is Outcome.GONE:
            await self._forget(letter.to, "knows it no more")
            return
        if outcome is Outcome.TAKEN:
            self._sent += [(mrid, letter.to.lfdi, at) for mrid in letter.events]
        self._end(letter.to, letter.mark)

    def _end(self, item: SubscriptionRecord, mark: str) -> None:
        """Have it written down that a claim is seen through."""
        self._done.append((item.id, mark))
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle(), name="settle notifications")

    async def _forget(self, item: SubscriptionRecord, why: str) -> None:
        try:
            await self._subscriptions.delete(item.id)
        except BusyError as error:
            _log.warning("subscription %d stays: %s", item.id, error)
        else:
            _log.warning("%s %s: subscription %d ends", item.uri, why, item.id)

    async def _settle(self) -> None:
        """Write down what letters came to, many at a time."""
        await asyncio.sleep(_SETTLE_S)
        while self._done:
            done, sent = self._done, self._sent
            self._done, self._sent = [], []
            try:
                await self._subscriptions.settle(done, sent)
            except BusyError as error:
                _log.warning("%d notifications may be sent again: %s", len(done), error)
                return


@dataclass(frozen=True, slots=True)
class First:
    """A new subscription, and what its home is told first.

    Attributes:
        kept: As it is kept.
        home: Whose it is.
        sight: What the home saw when it subscribed.
        word: The same in the words of the database.
    """

    kept: SubscriptionRecord
    home: Home
    sight: Sight
    word: Word


@dataclass(frozen=True, slots=True)
class _Form:
    """A notification with a gap for its subscriptionURI."""

    before: bytes
    after: bytes

    def filled(self, uri: str) -> bytes:
        return b"".join((self.before, escape(uri).encode(), self.after))


def _nobody(_letter: Letter, _outcome: Outcome, _took_s: float) -> None:
    """Stand in until someone listens."""


Sent = Mapping[str, float]
"""When a notification that an event caused was begun to be sent, epoch s, by LFDI; only of homes
that then took it. A connection that had to be opened first comes after it, and a list longer than
the subscription's limit may leave the event itself to the home's next poll."""
