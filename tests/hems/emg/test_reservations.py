"""Reserve in 2030.5's words and back: signs, times by the server's clock, what was consented to."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hems.clock import SystemClock
from hems.emg.reservations import Reservations, commitment, posted, wish
from hems.sep2.book.book import BookSettings
from hems.sep2.book.engine import Engine
from hems.sep2.book.requests import Requests
from hems.sep2.book.requests import Wish as Flow
from hems.sep2.book.states import EventState
from hems.sep2.rules.events import Event, Program
from hems.sep2.rules.lifecycle import Phase
from hems.sep2.xml import serialize
from hems.store.store import open_store
from programs.commitment import Offer, Product
from tests.hems.sep2.kinds_made import grant
from tests.hems.sep2.schema import Edition, validator

OFFER = Offer(Product.SPINNING, 1_000.0, 9_000.0, 2_500.0, 1_250.0)

pytestmark = pytest.mark.requirement("BUC-8")


def requests() -> Requests:
    return Requests("grid", "0" * 40, lambda _row: None)


@settings(deadline=None)
@given(
    product=st.sampled_from(Product),
    offset_s=st.floats(-5_000, 5_000),
    power_w=st.floats(100, 1e5),
    hours=st.floats(0.1, 10),
    price=st.floats(0, 99),
)
def test_an_offer_comes_back_as_it_went(
    product: Product, offset_s: float, power_w: float, hours: float, price: float
) -> None:
    offer = Offer(product, 10_000.0, 90_000.0, power_w, power_w * hours, price)
    book = requests()
    mrid = book.add(wish(offer, offset_s), 0.0)
    (request,) = book.owed
    found = posted(request, offset_s)
    assert found is not None
    assert (found.mrid, found.offer.product, found.withdrawn) == (mrid, product, False)
    assert found.offer.starts_at == pytest.approx(offer.starts_at, abs=1.0)
    assert found.offer.ends_at == pytest.approx(offer.ends_at, abs=1.0)
    assert power_w - 10.0 <= found.offer.power_w <= power_w, "never more than is meant"
    assert offer.energy_wh - 1.0 <= found.offer.energy_wh <= offer.energy_wh
    assert request.resource.power_requested.watts < 0
    assert len((request.resource.description or "").encode()) <= 32
    for edition in Edition:
        validator(edition).assertValid(etree.fromstring(serialize(request.resource)))


@pytest.mark.parametrize(
    "flow",
    [
        Flow(7_000.0, 3_500.0, 1_000, 9_000, description="car"),
        Flow(-7_000.0, -3_500.0, 1_000, 9_000, description="car to grid"),
        Flow(7_000.0, 3_500.0, 1_000, 9_000, description="spinning reserve"),
    ],
)
def test_what_is_no_offer_of_reserve_is_none(flow: Flow) -> None:
    book = requests()
    book.add(flow, 0.0)
    assert posted(book.owed[0], 0.0) is None


def state(
    watts: float,
    starts_at: float,
    lasts_s: int,
    *,
    phase: Phase = Phase.RECEIVED,
    left: bool = False,
) -> EventState:
    control = grant("C1", "R1", int(starts_at), lasts_s, watts=watts)
    event = Event("C1", Program(""), 1, int(starts_at), lasts_s, {})
    return EventState(event, phase, starts_at, starts_at + lasts_s, left, "", None, control)


@pytest.mark.parametrize(
    ("found", "power_w", "energy_wh", "interval"),
    [
        (state(-2_000.0, 2_000.0, 1_800), 2_000.0, 1_000.0, (2_000.0, 3_800.0)),
        # More power, more energy and more time than was offered: nobody has consented to those.
        (state(-9_000.0, 0.0, 20_000), 2_500.0, 1_250.0, (1_000.0, 9_000.0)),
        (state(-1_000.0, 8_100.0, 3_600), 1_000.0, 1_000.0, (8_100.0, 9_000.0)),
    ],
)
def test_what_commits(
    found: EventState, power_w: float, energy_wh: float, interval: tuple[float, float]
) -> None:
    one = commitment(found, "grid", {"R1": OFFER}, binding=True)
    assert one is not None
    assert (one.power_w, one.energy_wh) == (power_w, energy_wh)
    assert (one.starts_at, one.ends_at) == interval
    assert one.binding
    assert one.product is Product.SPINNING


@pytest.mark.parametrize(
    "found",
    [
        state(2_000.0, 2_000.0, 1_800),
        state(0.0, 2_000.0, 1_800),
        state(-2_000.0, 9_000.0, 1_800),
        state(-2_000.0, 2_000.0, 1_800, phase=Phase.CANCELLED),
        state(-2_000.0, 2_000.0, 1_800, phase=Phase.SUPERSEDED),
        state(-2_000.0, 2_000.0, 1_800, phase=Phase.REJECTED),
        state(-2_000.0, 2_000.0, 1_800, left=True),
    ],
)
def test_what_does_not(found: EventState) -> None:
    assert commitment(found, "grid", {"R1": OFFER}, binding=False) is None
    assert commitment(found, "grid", {}, binding=False) is None


async def test_what_is_posted_follows_the_book_and_the_servers_clock(tmp_path: Path) -> None:
    clock = SystemClock()
    store = await open_store(tmp_path / "hems.db", clock)
    draws = random.Random(1)  # noqa: S311 - draws, not secrets
    engine = Engine(BookSettings("grid", "0" * 40), store.ledger, clock, draws)
    try:
        await engine.load()
        offers = Reservations(lambda: [("grid", engine)])
        begins = engine.server_time() + 3_600.0
        offer = replace(OFFER, starts_at=begins, ends_at=begins + 3_600.0)
        mrid = await offers.offer("grid", offer)
        (first,), (again,) = offers.posted("grid"), offers.posted("grid")
        assert again is first, "nothing has changed"
        assert offers.posted("another") == []
        asked = clock.monotonic()
        engine.sync_time(int(engine.server_time()) + 100, asked, asked, 3)
        (later,) = offers.posted("grid")
        assert later.offer.starts_at == pytest.approx(first.offer.starts_at - 100.0, abs=1.5)
        await offers.withdraw("grid", mrid)
        assert not [each for each in offers.posted("grid") if not each.withdrawn]
    finally:
        await store.close()
