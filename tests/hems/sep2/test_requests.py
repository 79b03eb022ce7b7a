"""Flow reservations: durable wishes, told once, and what was granted."""

import random

import pytest
from lxml import etree

from hems.sep2 import resources as res
from hems.sep2.book.book import Book, BookSettings
from hems.sep2.book.messages import Reservation, reservations
from hems.sep2.book.receipts import KEEP_S
from hems.sep2.book.requests import Wish
from hems.sep2.book.states import state_of
from hems.sep2.errors import UnknownEventError
from hems.sep2.rules.events import Program
from hems.sep2.xml import serialize
from tests.hems.sep2.kinds_made import grant
from tests.hems.sep2.schema import Edition, validator

LFDI = "0" * 39 + "1"
WISH = Wish(7000.0, 3500.0, 1000, 9000, takes_s=7200, description="car")

pytestmark = pytest.mark.requirement("PRO-2030.5")


def make_book() -> Book:
    return Book(BookSettings("utility", LFDI), random.Random(1))  # noqa: S311 - draws, not secrets


def restarted(book: Book, now: float) -> Book:
    rows, _ = book.unsaved()
    again = make_book()
    again.recall(rows, now)
    return again


def test_a_wish_in_words_of_2030_5() -> None:
    book = make_book()
    mrid = book.requests.add(WISH, 500.5)
    (request,) = book.requests.owed
    assert request.mrid == mrid
    assert request.resource == res.FlowReservationRequest(
        mrid=mrid,
        description="car",
        creation_time=500,
        duration_requested=7200,
        energy_requested=res.SignedRealEnergy(multiplier=0, value=7000),
        interval_requested=res.DateTimeInterval(start=1000, duration=8000),
        power_requested=res.ActivePower(multiplier=0, value=3500),
        request_status=res.RequestStatus(date_time=500, request_status=0),
    )


@pytest.mark.parametrize("edition", Edition)
def test_what_is_posted_is_valid_in_both_editions(edition: Edition) -> None:
    book = make_book()
    mrid = book.requests.add(WISH, 500)
    book.requests.cancel(mrid, 510)
    for request in book.requests.owed:
        validator(edition).assertValid(etree.fromstring(serialize(request.resource)))


@pytest.mark.parametrize(
    "wish",
    [
        Wish(1.0, 1.0, 1000, 1000),
        Wish(1.0, 1.0, 0, 400),
        Wish(float("nan"), 1.0, 1000, 9000),
    ],
)
def test_a_wish_that_cannot_be_asked_for(wish: Wish) -> None:
    with pytest.raises(ValueError, match=r"no time|cannot be"):
        make_book().requests.add(wish, 500)


def test_a_wish_stays_owed_over_restarts_until_it_is_placed() -> None:
    book = make_book()
    mrid = book.requests.add(WISH, 500)
    again = restarted(book, 600)
    assert again.requests.all == book.requests.all
    (request,) = again.requests.owed
    again.requests.placed(request, "/edev/1/frq/1")
    third = restarted(again, 600)
    assert third.requests.owed == []
    assert third.requests.all[mrid].resource.href == "/edev/1/frq/1"


def test_taken_back_while_it_was_on_its_way_it_is_told_again() -> None:
    book = make_book()
    mrid = book.requests.add(WISH, 500)
    (request,) = book.requests.owed
    book.requests.cancel(mrid, 510)
    book.requests.placed(request, "/edev/1/frq/1")
    (owed,) = book.requests.owed
    assert (owed.cancelled, owed.resource.href) == (True, "/edev/1/frq/1")
    book.requests.placed(owed, "/edev/1/frq/1")
    book.requests.cancel(mrid, 520)
    assert book.requests.owed == []


def test_an_unknown_request_is_not_taken_back() -> None:
    with pytest.raises(UnknownEventError, match="F9"):
        make_book().requests.cancel("F9", 0)


def test_what_is_over_is_forgotten() -> None:
    book = make_book()
    book.requests.add(WISH, 500)
    book.advance(9000 + KEEP_S, None)
    assert len(book.requests.all) == 1
    book.advance(9001 + KEEP_S, None)
    assert book.requests.all == {}
    assert restarted(book, 9001 + KEEP_S).requests.all == {}


def test_the_grant_that_runs_counts() -> None:
    book = make_book()
    mrid = book.requests.add(WISH, 500)
    other = book.requests.add(WISH, 500)

    def granted(now: float) -> tuple[Reservation, ...]:
        book.advance(now, None)
        states = [state_of(e, now, 0.0) for e in book.entries.values()]
        return reservations(book.requests.all, states)

    offers = [
        grant("E1", mrid, 2000, 3600, watts=2000.0),
        grant("E2", mrid, 7000, 1800, watts=4000.0, creation=2),
    ]
    book.update(Program(""), offers, 600, kind=res.FlowReservationResponse, complete=True)
    first, second = granted(600)
    assert (first.power_w, first.running, second.granted) == (0.0, False, None)
    first, _ = granted(2000)
    assert (first.power_w, first.energy_wh, first.running) == (2000.0, 2000.0, True)
    first, _ = granted(7000)
    assert (first.power_w, first.energy_wh) == (4000.0, 2000.0)
    book.choose("E2", 7100, opted_out=True)
    first, _ = granted(7100)
    assert first.power_w == 0.0
    assert other in book.requests.all
