"""Walks a server's tree of links and keeps up with every resource on it.

Each resource is a `Stop` that is visited at its own poll rate by a task of its own; a visit names
the stops it leads to. What no visit leads to any more is left alone. A stop that fails waits with
back-off and stalls nobody else.

A resource is polled at its own rate, or at that of what led to it; a rate that changes holds from
the moment that it is read. What is notified is polled less often (`hems.sep2.walk.notices`).
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from hems.sep2 import resources as res
from hems.sep2.errors import (
    NotFoundError,
    PermanentError,
    PinError,
    RejectedError,
    Sep2Error,
    TransientError,
)
from hems.sep2.transport.address import place_of, same_place
from hems.sep2.transport.backoff import Backoff, until_next_poll
from hems.sep2.transport.troubles import Troubles
from hems.sep2.walk.notices import Mark, Notices, lacks, mark_of, tells_news, with_event

DEFAULT_POLL_S: Final = 900.0

Key: TypeAlias = tuple[str, str]
"""What a stop is and where: no two stops have the same."""


class Stop(Protocol):
    """One resource to keep up with."""

    @property
    def href(self) -> str:
        """Where it is, as in the link that led to it."""
        ...

    async def visit(self) -> "Visit":
        """Read the resource and act on it.

        Raises:
            PinError: The server is not the right one; ends the walk.
            Sep2Error: It could not be read.
        """
        ...

    async def take(self, resource: res.Resource) -> bool:
        """Act on the resource as a notification brought it; False if it must be read instead."""
        ...


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit found.

    Attributes:
        children: The stops it leads to.
        poll_s: The resource's own poll rate; None if it has none, then its parent's holds.
        subscribable: Whether the server offers to tell of its changes.
        mark: What it held, as `hems.sep2.walk.notices.mark_of` has it; None if that cannot be said.
        asked: Whether the server was asked anything: a visit that sends nothing says nothing of
            whether it is still there.
    """

    children: Sequence[Stop] = ()
    poll_s: float | None = None
    subscribable: bool = False
    mark: Mark | None = None
    asked: bool = True


@dataclass(slots=True)
class _Running:
    """A stop that is kept up with.

    Attributes:
        stop: What is visited.
        inherited_s: Poll rate of what led to it.
        poll_s: Its own; None if it has none.
        read_at: When it was last read; None while it fails, or has not been yet.
        due: When it is visited next.
        asked: Whether it is to be visited at once.
        wake: Set when `due` or `asked` changed.
        children: What its last visit led to.
        subscribable: Whether the server offers to tell of its changes.
        mark: What it held when it was last known.
        bad: The links of its last visit that could not be followed.
    """

    stop: Stop
    inherited_s: float
    task: asyncio.Task[None] | None = None
    poll_s: float | None = None
    read_at: float | None = None
    due: float = 0.0
    asked: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    children: tuple[Key, ...] = ()
    subscribable: bool = False
    mark: Mark | None = None
    bad: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pace:
    """Bounds of the poll rate.

    Attributes:
        least_poll_s: No resource is polled more often, whatever the server says.
        default_poll_s: Where the server does not say.
        first_retry_s: Upper bound of the first wait after a failure.
        longest_retry_s: Upper bound of any wait after a failure.
    """

    least_poll_s: float = 1.0
    default_poll_s: float = DEFAULT_POLL_S
    first_retry_s: float = 1.0
    longest_retry_s: float = 300.0


class Walker:
    """Keeps up with all resources that a root leads to.

    Args:
        root: Where to begin.
        pace: Bounds of the poll rate.
        rng: For jitter.
        troubles: What goes wrong now.
        on_answer: Told of each stop that was read well, where its server was asked.
        on_failure: Told of each failure: stop, error, how many in a row, whether it is a new one.
        on_subscribable: Told when the set of subscribable resources may have changed.
    """

    def __init__(
        self,
        root: Stop,
        pace: Pace,
        rng: random.Random,
        troubles: Troubles,
        *,
        on_answer: Callable[[], None],
        on_failure: Callable[[Stop, Sep2Error, int, bool], None],
        on_subscribable: Callable[[], None] = lambda: None,
        notices: Notices | None = None,
        reach: Callable[[str], None] = lambda _href: None,
    ) -> None:
        self._root = root
        self._pace = pace
        self._rng = rng
        self._troubles = troubles
        self._on_answer = on_answer
        self._on_failure = on_failure
        self._on_subscribable = on_subscribable
        self._notices = notices or Notices()
        self._reach = reach
        self._running: dict[Key, _Running] = {}
        self._group: asyncio.TaskGroup | None = None

    @property
    def subscribable(self) -> Sequence[str]:
        """The hrefs of the resources that may be subscribed to."""
        return [r.stop.href for r in self._running.values() if r.subscribable]

    async def run(self) -> None:
        """Walk until cancelled.

        Raises:
            PinError: The server is not the right one.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._start(self._root, self._pace.default_poll_s)
        except BaseExceptionGroup as errors:
            # Not `except*`: before Python 3.11.4 what is raised there comes out in a group again.
            wrong = errors.subgroup(PinError)
            if wrong is None:
                raise
            raise PinError(str(_first(wrong))) from None
        finally:
            self._group = None
            self._running.clear()

    def poke(self, href: str) -> bool:
        """Visit the resource at `href` now; False if none of the stops is there."""
        found = self._at(href)
        for running in found:
            _ask(running)
        return bool(found)

    def reread(self, href: str) -> None:
        """Visit the resource at `href` now, whose changes so far nobody was to tell of."""
        for running in self._at(href):
            running.mark = None
            _ask(running)

    async def notified(self, href: str, resource: res.Resource | None) -> bool:
        """Act on a notification.

        What it brings is taken in at once. It is read as well where it does not say all: no
        resource, a part of a list, or a list that lacks what was known. Notifications may come
        late and in any order, and only the server's answer tells that something is gone.

        Args:
            href: What it is about.
            resource: What it brings, if that is sound.

        Returns:
            False if none of the stops is there.
        """
        found, now = self._at(href), asyncio.get_running_loop().time()
        whole = None if resource is None else mark_of(resource)
        for running in found:
            self._notices.told(place_of(href), now)
            known, running.mark = running.mark, whole
            if known is not None and resource is not None:
                running.mark = whole or with_event(known, resource)
            taken = resource is not None and await running.stop.take(resource)
            if not taken or (whole is not None and known is not None and lacks(known, whole)):
                _ask(running)
        return bool(found)

    def vanished(self, href: str) -> None:
        """Look anew for a resource that is said to have gone or moved, and for what led to it."""
        found = self._at(href)
        for running in found:
            _ask(running)
            self._ask_parents(running)

    def _at(self, href: str) -> Sequence[_Running]:
        return [r for r in self._running.values() if same_place(r.stop.href, href)]

    def _ask_parents(self, running: _Running) -> None:
        for parent in self._running.values():
            if key_of(running.stop) in parent.children:
                _ask(parent)

    def _start(self, stop: Stop, inherited_s: float) -> None:
        if self._group is None:
            return
        running = _Running(stop, inherited_s)
        self._running[key_of(stop)] = running
        running.task = self._group.create_task(self._keep_up(running))

    async def _keep_up(self, running: _Running) -> None:
        pace, clock = self._pace, asyncio.get_running_loop()
        backoff = Backoff(self._rng, first_s=pace.first_retry_s, longest_s=pace.longest_retry_s)
        while True:
            running.asked = False
            try:
                visit = await running.stop.visit()
            except PinError:
                raise
            except Sep2Error as error:
                running.read_at = None
                wait_s = self._retry_s(running, error, backoff)
                self._failed(running, error, backoff.failures)
                running.due = clock.time() + wait_s
            else:
                backoff.worked()
                self._troubles.over(name_of(running.stop))
                running.read_at = clock.time()
                self._follow(running, visit)
                if visit.asked:
                    self._on_answer()
            await _rest(running)

    def _failed(self, running: _Running, error: Sep2Error, failures: int) -> None:
        new = self._troubles.meet(name_of(running.stop), error)
        self._on_failure(running.stop, error, failures, new)
        if isinstance(error, NotFoundError) and failures == 1:
            self._ask_parents(running)  # it may have moved

    def _retry_s(self, running: _Running, error: Sep2Error, backoff: Backoff) -> float:
        poll_s = self._rate_s(running)
        longest = None if isinstance(error, TransientError) else poll_s
        wait_s = backoff.failed(
            error, longest_s=None if longest is None else max(longest, self._pace.longest_retry_s)
        )
        # Nothing but the next poll of what led to it, or somebody at the server, cures these; the
        # entry point has nothing that leads to it.
        if isinstance(error, NotFoundError | RejectedError) and running.stop is not self._root:
            return until_next_poll(poll_s, self._rng)
        return wait_s

    def _rate_s(self, running: _Running) -> float:
        poll_s = running.inherited_s if running.poll_s is None else running.poll_s
        return max(self._pace.least_poll_s, poll_s)

    def _time(self, running: _Running) -> None:
        """Set when a resource that was read is read next."""
        if running.read_at is not None:
            place, clock = place_of(running.stop.href), asyncio.get_running_loop()
            poll_s = self._notices.poll_s(place, self._rate_s(running), clock.time())
            running.due = running.read_at + until_next_poll(poll_s, self._rng)
            running.wake.set()

    def _follow(self, running: _Running, visit: Visit) -> None:
        """Start, stop and time what the visit changed."""
        known, running.mark = running.mark, visit.mark
        running.poll_s = visit.poll_s
        changed = running.subscribable != visit.subscribable
        if known is not None and visit.mark is not None and tells_news(known, visit.mark):
            changed |= self._notices.found(
                place_of(running.stop.href), asyncio.get_running_loop().time()
            )
        running.subscribable = visit.subscribable
        children = self._sound(running, visit.children)
        running.children = tuple(key_of(c) for c in children)
        self._lead(children, self._rate_s(running))
        changed |= self._prune()
        if changed:
            self._on_subscribable()
        self._time(running)

    def _lead(self, children: Iterable[Stop], poll_s: float) -> None:
        """Keep up with what a resource leads to, at that resource's rate or its own."""
        for child in children:
            known = self._running.get(key_of(child))
            if known is None:
                self._start(child, poll_s)
                continue
            known.stop = child
            if known.inherited_s != poll_s:
                known.inherited_s = poll_s
                if known.poll_s is None:
                    self._time(known)

    def _sound(self, running: _Running, children: Sequence[Stop]) -> Sequence[Stop]:
        """Return those that can be gone to; a link that cannot is told once and left out."""
        sound: list[Stop] = []
        bad: set[str] = set()
        for child in children:
            try:
                key_of(child)
                self._reach(child.href)
            except PermanentError as error:
                source = f"{name_of(running.stop)} -> {child.href}"
                bad.add(source)
                self._on_failure(running.stop, error, 1, self._troubles.meet(source, error))
            else:
                sound.append(child)
        for source in running.bad - bad:
            self._troubles.over(source)
        running.bad = frozenset(bad)
        return sound

    def _prune(self) -> bool:
        """Leave alone what no visit leads to any more."""
        reached: set[Key] = set()
        ahead = [key_of(self._root)]
        while ahead:
            key = ahead.pop()
            if key not in reached and key in self._running:
                reached.add(key)
                ahead += self._running[key].children
        left = set(self._running) - reached
        for key in left:
            running = self._running.pop(key)
            for source in (name_of(running.stop), *running.bad):
                self._troubles.over(source)
            if running.task is not None:
                running.task.cancel()
        return bool(left)


def _ask(running: _Running) -> None:
    running.asked = True
    running.wake.set()


async def _rest(running: _Running) -> None:
    """Wait until a stop is due or asked for, whatever changes about that meanwhile."""
    clock = asyncio.get_running_loop()
    while not running.asked and (left_s := running.due - clock.time()) > 0:
        running.wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await running.wake.wait()


def key_of(stop: Stop) -> Key:
    """Return what a stop is and where.

    Raises:
        MalformedError: Its href is no URI reference.
    """
    return type(stop).__name__, place_of(stop.href)


def name_of(stop: Stop) -> str:
    """Return a stop's name among those who meet troubles."""
    return " ".join(key_of(stop))


def _first(errors: BaseExceptionGroup) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
