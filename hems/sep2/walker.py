"""Walks a server's tree of links and keeps up with every resource on it.

Each resource is a `Stop` that is visited at its own poll rate by a task of its own; a visit names
the stops it leads to. What no visit leads to any more is left alone. A stop that fails waits with
back-off and stalls nobody else.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlsplit

from hems.sep2 import resources as res
from hems.sep2.backoff import after_failure, until_next_poll
from hems.sep2.errors import (
    MalformedError,
    NotFoundError,
    PinError,
    RejectedError,
    Sep2Error,
    TransientError,
)
from hems.sep2.troubles import Troubles

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
    """

    children: Sequence[Stop] = ()
    poll_s: float | None = None
    subscribable: bool = False


@dataclass(slots=True)
class _Running:
    stop: Stop
    inherited_s: float
    task: asyncio.Task[None] | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    children: tuple[Key, ...] = ()
    subscribable: bool = False
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
        on_answer: Told of each stop that was read well.
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
    ) -> None:
        self._root = root
        self._pace = pace
        self._rng = rng
        self._troubles = troubles
        self._on_answer = on_answer
        self._on_failure = on_failure
        self._on_subscribable = on_subscribable
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
        except* PinError as errors:
            raise PinError(str(_first(errors))) from None
        finally:
            self._group = None
            self._running.clear()

    def poke(self, href: str) -> bool:
        """Visit the resource at `href` now; False if none of the stops is there."""
        found = [r for r in self._running.values() if same_place(r.stop.href, href)]
        for running in found:
            running.wake.set()
        return bool(found)

    async def take(self, href: str, resource: res.Resource) -> bool:
        """Give a notified resource to the stop at `href`; False if it must be read instead."""
        found = [r for r in self._running.values() if same_place(r.stop.href, href)]
        taken = [await running.stop.take(resource) for running in found]
        return bool(taken) and all(taken)

    def _start(self, stop: Stop, inherited_s: float) -> None:
        if self._group is None:
            return
        running = _Running(stop, inherited_s)
        self._running[key_of(stop)] = running
        running.task = self._group.create_task(self._keep_up(running))

    async def _keep_up(self, running: _Running) -> None:
        failures = 0
        while True:
            try:
                visit = await running.stop.visit()
            except PinError:
                raise
            except Sep2Error as error:
                failures += 1
                self._failed(running, error, failures)
                wait_s = self._retry_s(running, error, failures)
            else:
                failures = 0
                self._troubles.over(name_of(running.stop))
                wait_s = self._follow(running, visit)
                self._on_answer()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await running.wake.wait()
            running.wake.clear()

    def _failed(self, running: _Running, error: Sep2Error, failures: int) -> None:
        new = self._troubles.meet(name_of(running.stop), error)
        self._on_failure(running.stop, error, failures, new)
        if isinstance(error, NotFoundError) and failures == 1:
            for parent in self._running.values():
                if key_of(running.stop) in parent.children:
                    parent.wake.set()  # it may have moved

    def _retry_s(self, running: _Running, error: Sep2Error, failures: int) -> float:
        if isinstance(error, NotFoundError | RejectedError):
            return until_next_poll(running.inherited_s, self._rng)
        longest = self._pace.longest_retry_s
        if not isinstance(error, TransientError):
            longest = max(longest, running.inherited_s)
        return after_failure(
            failures, error, self._rng, first_s=self._pace.first_retry_s, longest_s=longest
        )

    def _follow(self, running: _Running, visit: Visit) -> float:
        """Start and stop what the visit changed; returns the seconds to the next one."""
        poll_s = running.inherited_s if visit.poll_s is None else visit.poll_s
        poll_s = max(self._pace.least_poll_s, poll_s)
        changed = running.subscribable != visit.subscribable
        running.subscribable = visit.subscribable
        children = self._sound(running, visit.children)
        running.children = tuple(key_of(c) for c in children)
        for child in children:
            known = self._running.get(key_of(child))
            if known is None:
                self._start(child, poll_s)
            else:
                known.stop, known.inherited_s = child, poll_s
        changed |= self._prune()
        if changed:
            self._on_subscribable()
        return until_next_poll(poll_s, self._rng)

    def _sound(self, running: _Running, children: Sequence[Stop]) -> Sequence[Stop]:
        """Return those that can be gone to; a malformed link is told once and left out."""
        sound: list[Stop] = []
        bad: set[str] = set()
        for child in children:
            try:
                key_of(child)
            except MalformedError as error:
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


def key_of(stop: Stop) -> Key:
    """Return what a stop is and where.

    Raises:
        MalformedError: Its href is no URI reference.
    """
    return type(stop).__name__, place_of(stop.href)


def name_of(stop: Stop) -> str:
    """Return a stop's name among those who meet troubles."""
    return " ".join(key_of(stop))


def place_of(href: str) -> str:
    """Return the path and query of an href, which may be absolute or relative to the root.

    Raises:
        MalformedError: It is no URI reference.
    """
    try:
        parts = urlsplit(href)
    except ValueError as error:
        raise MalformedError("", f"{href!r} is not a usable link: {error}") from None
    path = "/" + parts.path.strip("/")
    return f"{path}?{parts.query}" if parts.query else path


def same_place(a: str, b: str) -> bool:
    """Whether two hrefs of one server name the same resource."""
    return place_of(a) == place_of(b)


def _first(errors: BaseExceptionGroup) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
