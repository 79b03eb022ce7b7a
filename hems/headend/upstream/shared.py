"""An event of the utility as it is shared: who was given what by which order, how each does."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hems.headend.sharing.following import Followed, FollowRules, Span, as_found
from hems.headend.sharing.model import Ability, Ask, Kind, Shares
from hems.headend.sharing.share import changed
from hems.headend.sharing.standing import Standing, home_code, stand
from hems.headend.upstream.port import Answer, Order, Reading
from hems.sep2.rules.events import Event


@dataclass(frozen=True, slots=True)
class Given:
    """What a home is given by an order.

    Attributes:
        home: Its LFDI.
        borne_w: What it moves or forgoes by it.
        free_w: Of a limit: what it may use when it obeys none.
        baseline_w: Its net power before; None where that is not known.
        left_at: Since when it does not take part any more, epoch s; None while it does.
    """

    home: str
    borne_w: float = 0.0
    free_w: int = 0
    baseline_w: float | None = None
    left_at: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """An order of the aggregator's own for a set of homes.

    Attributes:
        key: Of the order.
        value_w: What each of them is asked, W.
        made_at: Epoch s.
        span: When.
        given: To whom.
        mrid: Of the event that it became; None until it is known to be dispatched.
    """

    key: str
    value_w: int
    made_at: float
    span: Span
    given: Sequence[Given]
    mrid: str | None = None

    @property
    def homes(self) -> frozenset[str]:
        """To whom it is given."""
        return frozenset(each.home for each in self.given)


@dataclass(frozen=True, slots=True)
class Head:
    """What is kept of a shared event beside its orders.

    Attributes:
        id: Its own: event, EndDevice and kind.
        server: Name of the utility.
        lfdi: Of the EndDevice that it came to.
        mrid: The utility's event.
        kind: What it asks.
        total_w: How much.
        span: When it runs by our clock, epoch s.
        short_w: What was missing when it was shared last, as nobody could do it.
        shared_at: When that was, epoch s.
        round: How often it was shared.
        told: What the utility was told for the group.
        closed: Whether it is over and told.
    """

    id: str
    server: str
    lfdi: str
    mrid: str
    kind: Kind
    total_w: int
    span: Span
    short_w: float = 0.0
    shared_at: float = 0.0
    round: int = 0
    told: frozenset[int] = frozenset()
    closed: bool = False

    def ask(self, now: float) -> Ask:
        """Return what is asked for the time that is left."""
        return Ask(self.kind, self.total_w, max(1.0, self.span.end - max(now, self.span.start)))


def id_of(mrid: str, lfdi: str, kind: Kind) -> str:
    """Return the id of a shared event."""
    return f"{mrid}.{lfdi}.{kind.value}"


@dataclass(slots=True)
class Shared:
    """A shared event with all that is known of it.

    Attributes:
        head: See `Head`.
        parts: Its orders by key, oldest first.
        heard_until: When the last answer came that was taken in, epoch s.
        homes: How each home does, by LFDI.
        passed_on: What the utility was told of single homes: LFDI and code.
        out: Homes that are known not to take part any more.
        taken: Answers that were taken in, with the order that they are to, as they came.
    """

    head: Head
    parts: dict[str, Part] = field(default_factory=dict)
    heard_until: float = 0.0
    homes: dict[str, Followed] = field(default_factory=dict)
    passed_on: set[tuple[str, int]] = field(default_factory=set)
    out: set[str] = field(default_factory=set)
    taken: dict[tuple[str, Answer], None] = field(default_factory=dict)

    def stand(self, now: float, rules: FollowRules) -> Standing:
        """Return how it stands."""
        return stand(self.head.ask(now), self.head.span, self.homes, now, rules)

    def abilities(
        self, homes: Iterable[Ability], standing: Standing, now: float
    ) -> Sequence[Ability]:
        """Return what homes can do, given how they do in this."""
        return as_found(homes, self.homes, standing.parts, self.head.ask(now))

    @property
    def shares(self) -> Mapping[str, int]:
        """What homes are counted on for, W."""
        return {name: home.share_w for name, home in self.homes.items()}

    def add(self, part: Part) -> None:
        """Take in an order that is made, as it was when it was made or after a restart."""
        self.parts[part.key] = part
        for given in part.given:
            before = self.homes.get(given.home)
            home = before or Followed(given.home, part.value_w, part.made_at, free_w=given.free_w)
            home = home.asked(part.key, part.value_w, part.made_at)
            if given.baseline_w is not None:
                home = home.based(given.baseline_w)
            self.homes[given.home] = home
            self.out.discard(given.home)
            if given.left_at is not None:
                self.out.add(given.home)

    def dispatched(self, key: str, mrid: str) -> None:
        """Note which event an order became."""
        self.parts[key] = replace(self.parts[key], mrid=mrid)

    def count_on(self, shares: Mapping[str, int]) -> None:
        """Count homes on for less than they are asked, of which they are not told."""
        for name, share_w in shares.items():
            if name in self.homes:
                self.homes[name] = self.homes[name].counted_on(share_w)

    def answered(self, part: Part, answers: Iterable[Answer]) -> None:
        """Take in what homes answered to an order; what was taken in before is nothing new."""
        for answer in answers:
            home = self.homes.get(answer.home)
            if home is not None and (part.key, answer) not in self.taken:
                self.taken[part.key, answer] = None
                self.heard_until = max(self.heard_until, answer.at)
                self.homes[answer.home] = home.answered(part.key, answer.code, answer.at)

    def untold(self, listed: Collection[str]) -> Sequence[Answer]:
        """Return what the utility may be told of single homes and was not yet.

        Args:
            listed: Homes that it lists, by LFDI.
        """
        return [
            answer
            for order, answer in (self.taken if listed else ())
            if answer.home in listed
            and (answer.home, answer.code) not in self.passed_on
            and home_code(self.homes[answer.home], order, answer.code) is not None
        ]

    def read(self, readings: Iterable[Reading], rules: FollowRules) -> None:
        """Take in what meters say."""
        for reading in readings:
            home = self.homes.get(reading.home)
            if home is None:
                continue
            home = home.heard(reading.at)
            if reading.net_w is not None:
                at = reading.measured_at
                home = home.read(self.head.kind, self.head.span, reading.net_w, at, rules)
            self.homes[reading.home] = home


def news(head: Head, before: Mapping[str, int], shares: Shares) -> dict[str, int]:
    """Return the shares that homes are to be told, W.

    Who does less than it is asked is counted on for less, and not told to do less: it may yet do
    more. Of a limit every change is told.
    """
    after = changed(before, shares)
    if head.kind.limit:
        return {home: w for home, w in after.items() if home in shares.by_home}
    return {home: w for home, w in after.items() if w > before.get(home, 0)}


def parts_of(
    head: Head, shares: Mapping[str, int], given: Mapping[str, Given], now: float
) -> Sequence[Part]:
    """Return the orders for new shares: one for all homes that are given the same."""
    by_value: dict[int, list[Given]] = {}
    for home, value_w in sorted(shares.items()):
        by_value.setdefault(value_w, []).append(given[home])
    span = Span(max(now, head.span.start), head.span.end)
    return [
        Part(f"{head.id}.{head.round}.{value_w}", value_w, now, span, tuple(homes))
        for value_w, homes in sorted(by_value.items())
    ]


def order_of(head: Head, part: Part, now: float, event: Event | None) -> Order:
    """Return an order as it is dispatched, which may be later than it was made.

    Args:
        head: What it is a part of.
        part: The order.
        now: Epoch s.
        event: The utility's; None while that is not known.
    """
    start = int(max(part.span.start, now))
    return Order(
        key=part.key,
        event=head.mrid,
        kind=head.kind,
        value_w=part.value_w,
        start=start,
        duration_s=max(1, round(part.span.end) - start),
        homes=part.homes,
        binding=event is not None and event.mandatory,
        ramp_s=None if event is None else event.ramp_s,
    )


def again(head: Head, shares: Shares, now: float) -> Head:
    """Return what is kept of an event that was shared just now."""
    return replace(head, short_w=float(shares.short_w), shared_at=now, round=head.round + 1)
