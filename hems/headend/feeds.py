"""What homes may subscribe to, and what each sees there now."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from hems.headend import hrefs
from hems.headend.book import Book
from hems.headend.default_book import DefaultBook
from hems.headend.modes import Edition, ProgramKind
from hems.headend.paging import Query, page
from hems.headend.profiles import offers
from hems.headend.records import Home, Program
from hems.headend.render_events import Shown, control_list, default_control, visible
from hems.sep2.resources import Resource


@dataclass(frozen=True, slots=True)
class Sight:
    """A resource as homes of one edition see it now; all who may see it see the same, but few.

    Attributes:
        signature: Differs whenever what is seen does.
        empty: Whether it is not worth telling a new subscriber.
        write: Returns the resource with at most so many items, if it is a list.
        apart: Returns what a home sees instead, whose contract keeps something from it; None for
            one that sees what all see.
    """

    signature: Hashable
    empty: bool
    write: Callable[[int], Resource]
    apart: Callable[[Home], "Sight | None"] = field(default=lambda _home: None)


class Feed(Protocol):
    """Resources of one kind that may be subscribed to."""

    def resources(self) -> Iterable[str]:
        """Return the paths of those that change by themselves as time goes by."""
        ...

    def sight(self, resource: str, home: Home) -> Sight | None:
        """Return what a home sees at a path; None where there is nothing to subscribe to."""
        ...

    def next_change(self) -> float | None:
        """Return when one changes by itself next, epoch s; None: never."""
        ...


class Feeds:
    """All of them as one.

    Args:
        feeds: Each of its own paths.
    """

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = feeds

    def resources(self) -> Iterable[str]:
        """Return the paths of those that change by themselves as time goes by."""
        for feed in self._feeds:
            yield from feed.resources()

    def sight(self, resource: str, home: Home) -> Sight | None:
        """Return what a home sees at a path; None where there is nothing to subscribe to."""
        if not offers(home.edition, resource):
            return None
        found = (feed.sight(resource, home) for feed in self._feeds)
        return next((sight for sight in found if sight is not None), None)

    def next_change(self) -> float | None:
        """Return when one changes by itself next, epoch s; None: never."""
        times = [feed.next_change() for feed in self._feeds]
        return min((at for at in times if at is not None), default=None)


def list_of(program: Program) -> str:
    """Return the href of a programme's list of events."""
    if program.kind is ProgramKind.DER:
        return hrefs.der_controls(program.index)
    return hrefs.dr_controls(program.index)


class ProgramFeed:
    """The lists of events of der and drlc programmes.

    Args:
        book: Programmes and events.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def resources(self) -> Iterable[str]:
        """Return the paths of all lists."""
        return map(list_of, (*self._book.programs.values(), *self._book.own.due()))

    def sight(self, resource: str, home: Home) -> Sight | None:
        """Return a list as a home of its edition sees it."""
        program = _assigned(self._book, resource, home)
        if program is None or list_of(program) != resource:
            return None
        shown = visible(self._book.shown(program, home.edition), home.edition)

        def apart(home: Home) -> Sight | None:
            spared = self._book.spared(shown, home.lfdi)
            same = len(spared) == len(shown)
            return None if same else _sight(program, spared, home.edition)

        return replace(_sight(program, shown, home.edition), apart=apart)

    def next_change(self) -> float | None:
        """Return when a state changes next, epoch s; None: never."""
        times = (self._book.next_change(), self._book.own.next_change())
        return min((at for at in times if at is not None), default=None)


class DefaultFeed:
    """The default controls of der programmes.

    Args:
        defaults: What they say.
        book: Programmes.
    """

    def __init__(self, defaults: DefaultBook, book: Book) -> None:
        self._defaults = defaults
        self._book = book

    def resources(self) -> Iterable[str]:
        """Return nothing: they change by the operator's hand only."""
        return ()

    def sight(self, resource: str, home: Home) -> Sight | None:
        """Return a default control in the words of a home's edition."""
        program = _assigned(self._book, resource, home)
        if program is None or program.kind is not ProgramKind.DER:
            return None
        if resource != hrefs.default_control(program.index):
            return None
        default, edition = self._defaults.of(program.root), home.edition
        signature = (tuple(default.values.items()), default.ramp_s, default.set_grad_w)
        return Sight(signature, False, lambda _limit: default_control(program, default, edition))

    def next_change(self) -> float | None:
        """Return None: they change by the operator's hand only."""
        return None


def programme_at(book: Book, resource: str) -> Program | None:
    """Return the programme below which a path lies; None where it lies below none."""
    _, top, index, *_ = (*resource.split("/"), "", "", "")
    if f"/{top}" not in _TOPS or not (index.isascii() and index.isdigit()):
        return None
    return None if len(index) > _MAX_DIGITS else book.program(int(index))


def _assigned(book: Book, resource: str, home: Home) -> Program | None:
    """Return the programme below which a path lies, if the home sees it."""
    program = programme_at(book, resource)
    return program if program is not None and book.sees(program, home.lfdi) else None


_TOPS = frozenset({hrefs.DER_PROGRAMS, hrefs.DR_PROGRAMS})
_MAX_DIGITS = 18


def _sight(program: Program, shown: Sequence[Shown], edition: Edition) -> Sight:
    return Sight(
        _signature(shown),
        not shown,
        lambda limit: control_list(program, page(shown, Query(limit=limit)), edition),
    )


def _signature(shown: Sequence[Shown]) -> Hashable:
    return tuple((e.mrid, int(s.status), s.overlapped_since) for e, s in shown)
