"""What a utility offers beside DER programmes: tariffs, load control, messages."""

from dataclasses import dataclass, field

from tests.interop.grid.markup import Element, el
from tests.interop.grid.server import Grid
from tests.interop.grid.tree import ANSWERS, ROOT, Listing
from tests.interop.grid.words import (
    ACTIVE,
    ALL_ANSWERS,
    SCHEDULED,
    interval,
    link,
    new_mrid,
    status,
)


def _event(
    grid: Grid,
    name: str,
    start_in_s: float,
    duration_s: int,
    *more: Element | None,
    href: str,
    answers: str | None = ALL_ANSWERS,
    before: tuple[Element, ...] = (),
) -> tuple[str, Element]:
    """Return an event of any kind and its mRID; `before` stands between interval and `more`."""
    now, mrid = grid.now(), new_mrid()
    made = el(
        name,
        el("mRID", mrid),
        el("description", "as dispatched"),
        el("creationTime", int(now)),
        status(SCHEDULED if start_in_s > 0 else ACTIVE, now),
        interval(now + start_in_s, duration_s),
        *before,
        *more,
        href=f"{href}/{mrid}",
    )
    if answers is not None:
        made.set("replyTo", ANSWERS)
        made.set("responseRequired", answers)
    return mrid, made


@dataclass
class TariffOffer:
    """A tariff with one component, for energy drawn from the grid."""

    grid: Grid
    href: str
    intervals: Listing = field(default_factory=lambda: Listing("TimeTariffIntervalList"))

    def add(
        self,
        start_in_s: float,
        duration_s: int,
        *prices: tuple[int, int],
        tier: int = 1,
        answers: str | None = None,
    ) -> str:
        """Add an interval; returns its mRID.

        Args:
            start_in_s: From now on.
            duration_s: How long.
            prices: Pairs of the kWh from which a block applies, and its price a kWh in 1/1000.
            tier: Its touTier.
            answers: responseRequired.
        """
        place = f"{self.href}/blocks/{len(self.grid.extra)}"
        blocks = [
            el(
                "ConsumptionTariffInterval",
                el("consumptionBlock", number),
                el("price", price),
                el("startValue", start),
                href=f"{place}/{number}",
            )
            for number, (start, price) in enumerate(prices, start=1)
        ]
        self.grid.extra[place] = Listing("ConsumptionTariffIntervalList", blocks)
        mrid, made = _event(
            self.grid,
            "TimeTariffInterval",
            start_in_s,
            duration_s,
            link("ConsumptionTariffIntervalListLink", place, len(blocks)),
            el("touTier", tier),
            href=f"{self.href}/intervals",
            answers=answers,
        )
        self.intervals.items.append(made)
        return mrid


def offer_tariff(grid: Grid, primacy: int = 1, *, first: bool = True) -> TariffOffer:
    """Offer a tariff to the home; `first` of its list."""
    href = f"{ROOT}/tariffs/{primacy}"
    made = TariffOffer(grid, href)
    profile = el(
        "TariffProfile",
        el("mRID", new_mrid()),
        el("description", f"Tariff {primacy}"),
        el("currency", 36),
        el("pricePowerOfTenMultiplier", -3),
        el("primacy", primacy),
        link("RateComponentListLink", f"{href}/components", 1),
        el("serviceCategoryKind", 0),
        href=href,
    )
    component = el(
        "RateComponent",
        el("mRID", new_mrid()),
        el("description", "energy"),
        link("ReadingTypeLink", f"{href}/type"),
        el("roleFlags", "0003"),
        link("TimeTariffIntervalListLink", f"{href}/intervals", 0),
        href=f"{href}/components/1",
    )
    grid.extra[f"{href}/components"] = Listing("RateComponentList", [component])
    grid.extra[f"{href}/type"] = el(
        "ReadingType",
        el("commodity", 1),
        el("flowDirection", 1),
        el("powerOfTenMultiplier", 3),
        el("uom", 72),
        href=f"{href}/type",
    )
    grid.extra[f"{href}/intervals"] = made.intervals
    listed = grid.extra.setdefault(
        f"{ROOT}/tariffs", Listing("TariffProfileList", poll_s=grid.poll_s)
    )
    assert isinstance(listed, Listing)
    listed.items.append(profile)
    if first:
        group = grid.home.members[0]
        group.more.append(link("TariffProfileListLink", f"{ROOT}/tariffs", 1))
    return made


@dataclass
class LoadOffer:
    """A demand-response programme."""

    grid: Grid
    href: str
    events: Listing = field(default_factory=lambda: Listing("EndDeviceControlList"))

    def add(
        self,
        start_in_s: float,
        duration_s: int,
        *asks: Element,
        category: str = "00004000",
        mandatory: bool = True,
    ) -> str:
        """Add an EndDeviceControl that asks something; returns its mRID."""
        order = ("DutyCycle", "loadShiftForward", "Offset", "SetPoint", "TargetReduction")
        shift = el("loadShiftForward", "false")
        parts = sorted((*asks, shift), key=lambda e: order.index(e.tag.rpartition("}")[2]))
        mrid, made = _event(
            self.grid,
            "EndDeviceControl",
            start_in_s,
            duration_s,
            *parts,
            href=f"{self.href}/events",
            before=(
                el("deviceCategory", category),
                el("drProgramMandatory", str(mandatory).lower()),
            ),
        )
        self.events.items.append(made)
        return mrid


def offer_load_control(grid: Grid, primacy: int = 1) -> LoadOffer:
    """Offer a demand-response programme to the home."""
    href = f"{ROOT}/loads/{primacy}"
    made = LoadOffer(grid, href)
    programme = el(
        "DemandResponseProgram",
        el("mRID", new_mrid()),
        el("description", "Shedding"),
        link("EndDeviceControlListLink", f"{href}/events", 0),
        el("primacy", primacy),
        href=href,
    )
    grid.extra[f"{href}/events"] = made.events
    grid.extra[f"{ROOT}/loads"] = Listing(
        "DemandResponseProgramList", [programme], poll_s=grid.poll_s
    )
    group = grid.home.members[0]
    group.more.append(link("DemandResponseProgramListLink", f"{ROOT}/loads", 1))
    return made


@dataclass
class MessageOffer:
    """A messaging programme."""

    grid: Grid
    href: str
    messages: Listing = field(default_factory=lambda: Listing("TextMessageList"))

    def add(self, start_in_s: float, duration_s: int, text: str, priority: int = 1) -> str:
        """Add a message; returns its mRID."""
        mrid, made = _event(
            self.grid,
            "TextMessage",
            start_in_s,
            duration_s,
            el("originator", "utility"),
            el("priority", priority),
            el("textMessage", text),
            href=f"{self.href}/messages",
        )
        self.messages.items.append(made)
        return mrid


def offer_messages(grid: Grid) -> MessageOffer:
    """Offer a messaging programme to the home."""
    href = f"{ROOT}/news/1"
    made = MessageOffer(grid, href)
    programme = el(
        "MessagingProgram",
        el("mRID", new_mrid()),
        el("description", "News"),
        el("locale", "en"),
        el("primacy", 1),
        link("TextMessageListLink", f"{href}/messages", 0),
        href=href,
    )
    grid.extra[f"{href}/messages"] = made.messages
    grid.extra[f"{ROOT}/news"] = Listing("MessagingProgramList", [programme], poll_s=grid.poll_s)
    grid.home.members[0].more.append(link("MessagingProgramListLink", f"{ROOT}/news", 1))
    return made
