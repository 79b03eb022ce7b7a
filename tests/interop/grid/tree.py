"""What the utility keeps for a home: its device, groups, programmes and what hangs on them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.interop.grid.markup import Element, copied, el
from tests.interop.grid.words import (
    ACTIVE,
    ALL_ANSWERS,
    SCHEDULED,
    Modes,
    Setting,
    base,
    default_control,
    interval,
    link,
    new_mrid,
    status,
)

ROOT: Final = "/sep2/v1/A3F"
CAPABILITY: Final = f"{ROOT}/capability"
CLOCK: Final = "/clock"
DEVICES: Final = f"{ROOT}/devices"
ANSWERS: Final = "/inbox/A3F/answers"
MIRROR: Final = "/metering/mirror"


@dataclass
class Listing:
    """A list.

    Attributes:
        name: Of its element.
        items: As they stand.
        poll_s: Its pollRate; None to say nothing.
        subscribable: What it says of subscriptions; None for nothing.
    """

    name: str
    items: list[Element] = field(default_factory=list)
    poll_s: int | None = None
    subscribable: int | None = None

    def page(self, href: str, start: int, limit: int) -> Element:
        """Return a part of it."""
        part = self.items[start : start + limit]
        made = el(self.name, *(copied(item) for item in part))
        made.set("href", href)
        made.set("all", str(len(self.items)))
        made.set("results", str(len(part)))
        if self.poll_s is not None:
            made.set("pollRate", str(self.poll_s))
        if self.subscribable is not None:
            made.set("subscribable", str(self.subscribable))
        return made

    def replace(self, mrid: str, item: Element) -> None:
        """Put another version in the place of an item."""
        index = next(i for i, each in enumerate(self.items) if mrid_of(each) == mrid)
        self.items[index] = item

    def remove(self, mrid: str) -> None:
        """Take an item out."""
        self.items = [item for item in self.items if mrid_of(item) != mrid]


def mrid_of(element: Element) -> str:
    """Return an object's mRID, empty if it has none."""
    return element.findtext("{*}mRID") or ""


@dataclass
class Programme:
    """A DERProgram: its events and its default."""

    href: str
    mrid: str
    description: str
    primacy: int
    now: Callable[[], float]
    events: Listing
    default: Element | None = None
    offers_default: bool = True
    answer_to: str = ANSWERS

    @property
    def events_href(self) -> str:
        """Where its DERControlList is."""
        return f"{self.href}/events"

    @property
    def default_href(self) -> str:
        """Where its DefaultDERControl is."""
        return f"{self.href}/fallback"

    def element(self) -> Element:
        """Return it as it stands in its list."""
        return el(
            "DERProgram",
            el("mRID", self.mrid),
            el("description", self.description),
            link("DefaultDERControlLink", self.default_href) if self.offers_default else None,
            link("DERControlListLink", self.events_href, len(self.events.items)),
            el("primacy", self.primacy),
            href=self.href,
        )

    def fall_back(
        self, modes: Modes | None = None, *, grad_w: int | None = None, **named: Setting
    ) -> None:
        """Set its default: modes in a mapping or by name, see `words.base`."""
        self.default = default_control(
            self.default_href, f"DEF{self.mrid}"[:32], {**(modes or {}), **named}, grad_w=grad_w
        )

    def add(
        self,
        start_in_s: float = 0.0,
        duration_s: int = 60,
        modes: Modes | None = None,
        *,
        mrid: str | None = None,
        created: float | None = None,
        current: int | None = None,
        answers: str | None = ALL_ANSWERS,
        randomize_start_s: int | None = None,
        randomize_duration_s: int | None = None,
        category: str | None = None,
        **named: Setting,
    ) -> str:
        """Add a DERControl; returns its mRID.

        Args:
            start_in_s: From now on the utility's clock.
            duration_s: How long.
            modes: See `words.base`.
            mrid: Its mRID; a new one if None.
            created: creationTime; now if None.
            current: currentStatus; active or scheduled by its start if None.
            answers: responseRequired; None to ask for none.
            randomize_start_s: Range of its start's shift.
            randomize_duration_s: Range of its duration's change.
            category: deviceCategory, hexadecimal.
            named: More modes.
        """
        now = self.now()
        mrid = mrid or new_mrid()
        shown = current if current is not None else (SCHEDULED if start_in_s > 0 else ACTIVE)
        control = el(
            "DERControl",
            el("mRID", mrid),
            el("description", "as dispatched"),
            el("creationTime", int(now if created is None else created)),
            status(shown, now),
            interval(now + start_in_s, duration_s),
            None if randomize_duration_s is None else el("randomizeDuration", randomize_duration_s),
            None if randomize_start_s is None else el("randomizeStart", randomize_start_s),
            base({**(modes or {}), **named}),
            None if category is None else el("deviceCategory", category),
            href=f"{self.events_href}/{mrid}",
        )
        if answers is not None:
            control.set("replyTo", self.answer_to)
            control.set("responseRequired", answers)
        self.events.items.append(control)
        return mrid

    def restate(self, mrid: str, current: int, *, superseded_at: float | None = None) -> None:
        """Give an event another status."""
        item = copied(next(e for e in self.events.items if mrid_of(e) == mrid))
        old = item.find("{*}EventStatus")
        assert old is not None
        item.replace(old, status(current, self.now(), superseded_at))
        self.events.replace(mrid, item)


@dataclass
class Group:
    """A FunctionSetAssignments: programmes and whose clock they run on."""

    href: str
    mrid: str
    programmes: Listing
    members: list[Programme] = field(default_factory=list)
    clock: str | None = CLOCK
    more: list[Element] = field(default_factory=list)

    @property
    def programmes_href(self) -> str:
        """Where its DERProgramList is."""
        return f"{self.href}/programs"

    def element(self) -> Element:
        """Return it as it stands in its list."""
        return el(
            "FunctionSetAssignments",
            link("DERProgramListLink", self.programmes_href, len(self.members)),
            *(copied(each) for each in self.more),
            None if self.clock is None else link("TimeLink", self.clock),
            el("mRID", self.mrid),
            el("description", "group"),
            href=self.href,
        )


@dataclass
class Device:
    """An EndDevice and what it leads to.

    Attributes:
        withheld: Names of the links that it does not offer.
        post_s: Its postRate; None to say nothing.
        kept: What was put, by path.
    """

    href: str
    lfdi: str
    sfdi: int
    pin: int
    registered: int
    groups: Listing
    watchers: Listing
    members: list[Group] = field(default_factory=list)
    withheld: set[str] = field(default_factory=set)
    post_s: int | None = None
    enabled: bool = True
    kept: dict[str, Element] = field(default_factory=dict)

    def element(self) -> Element:
        """Return it as it stands in its list."""
        links = [
            link("DERListLink", f"{self.href}/units", 1),
            link("DeviceInformationLink", f"{self.href}/info"),
            link("DeviceStatusLink", f"{self.href}/health"),
            link("FunctionSetAssignmentsListLink", f"{self.href}/groups", len(self.members)),
            link("LogEventListLink", f"{self.href}/journal", 0),
            link("PowerStatusLink", f"{self.href}/supply"),
            link("RegistrationLink", f"{self.href}/pin"),
            link("SubscriptionListLink", f"{self.href}/watchers", len(self.watchers.items)),
            link("aus:ConnectionPointLink", f"{self.href}/cp"),
        ]
        offered = [each for each in links if each.tag.rpartition("}")[2] not in self.withheld]
        by_name = {each.tag.rpartition("}")[2]: each for each in offered}
        order = (
            *("DERListLink", "DeviceInformationLink", "DeviceStatusLink"),
            *("lFDI", "LogEventListLink", "PowerStatusLink", "sFDI", "changedTime", "enabled"),
            *("FunctionSetAssignmentsListLink", "postRate", "RegistrationLink"),
            *("SubscriptionListLink", "ConnectionPointLink"),
        )
        by_name["lFDI"] = el("lFDI", self.lfdi)
        by_name["sFDI"] = el("sFDI", self.sfdi)
        by_name["changedTime"] = el("changedTime", self.registered)
        by_name["enabled"] = el("enabled", str(self.enabled).lower())
        if self.post_s is not None:
            by_name["postRate"] = el("postRate", self.post_s)
        found = [by_name[name] for name in order if name in by_name]
        return el("EndDevice", *found, href=self.href)

    def unit(self) -> Element:
        """Return its one DER."""
        href = f"{self.href}/units/1"
        return el(
            "DER",
            link("DERAvailabilityLink", f"{href}/offer"),
            link("DERCapabilityLink", f"{href}/ratings"),
            link("DERSettingsLink", f"{href}/setup"),
            link("DERStatusLink", f"{href}/state"),
            href=href,
        )

    def registration(self) -> Element:
        """Return its Registration."""
        return el(
            "Registration",
            el("dateTimeRegistered", self.registered),
            el("pIN", self.pin),
            href=f"{self.href}/pin",
        )
