"""Events of all kinds go by the same rules: what each asks, who contends, what is answered."""

import random

import pytest

from hems.sep2 import resources as res
from hems.sep2.book.book import Book, BookSettings
from hems.sep2.book.controls import Control
from hems.sep2.book.kinds import KINDS, kind_of, modes_of
from hems.sep2.errors import BindingError, UnknownEventError
from hems.sep2.rules.events import Program
from hems.sep2.rules.lifecycle import Code, Edition, Profile
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.kinds_made import grant, load_control, message, tariff_interval

P1 = Program("A1", "Peak", 1)
P2 = Program("A2", "Other", 0)
LFDI = "0" * 39 + "1"

pytestmark = pytest.mark.requirement("PRO-2030.5")


def make_book(profile: Profile | None = None) -> Book:
    settings = BookSettings("utility", LFDI, profile or Profile())
    return Book(settings, random.Random(1))  # noqa: S311 - draws, not secrets


def take(
    book: Book, now: float, *events: Control, program: Program = P1, complete: bool = True
) -> None:
    book.update(program, events, now, kind=type(events[0]), complete=complete)
    book.advance(now, None)


def told(book: Book) -> list[tuple[str, int, str]]:
    """Return what came due since the last look: subject, code, class of the response."""
    _, responses = book.unsaved()
    book.saved()
    return [(r.subject, r.status, r.kind) for r in responses]


EACH: list[tuple[Control, str]] = [
    (control("E1", 100, 60), "DERControlResponse"),
    (load_control("E1", 100, 60), "DrResponse"),
    (tariff_interval("E1", 100, 60), "PriceResponse"),
    (message("E1", 100, 60), "TextResponse"),
    (grant("E1", "F1", 100, 60), "FlowReservationResponseResponse"),
]


@pytest.mark.parametrize(("event", "response"), EACH)
def test_each_kind_is_received_started_and_completed_by_its_own_response(
    event: Control, response: str
) -> None:
    book = make_book()
    for now in (90, 100, 160):
        take(book, now, event)
    assert told(book) == [("E1", code, response) for code in (1, 2, 3)]


@pytest.mark.parametrize(("event", "response"), EACH)
def test_each_kind_is_cancelled_when_it_vanishes(event: Control, response: str) -> None:
    book = make_book()
    take(book, 110, event)
    book.update(P1, [], 120, kind=type(event), complete=True)
    book.advance(120, None)
    assert told(book) == [("E1", code, response) for code in (1, 2, 6)]


@pytest.mark.parametrize(("event", "response"), EACH)
def test_each_kind_is_taken_up_again_from_the_ledger(event: Control, response: str) -> None:
    book = make_book()
    take(book, 110, event)
    rows, _ = book.unsaved()
    again = make_book()
    again.recall(rows, 120)
    again.advance(120, None)
    assert again.entries["E1"] == book.entries["E1"]
    again.advance(170, None)
    assert told(again) == [("E1", 3, response)]


@pytest.mark.parametrize(("event", "response"), EACH)
def test_each_kind_that_is_over_on_receipt_is_refused(event: Control, response: str) -> None:
    book = make_book()
    take(book, 1000, event)
    assert told(book) == [("E1", Code.EXPIRED, response)]


@pytest.mark.parametrize(("event", "response"), EACH[2:])
def test_what_no_device_carries_out_is_taken_in_by_any_home(event: Control, response: str) -> None:
    book = make_book(Profile(Edition.V2023, modes=frozenset({"opModImpLimW"})))
    take(book, 110, event)
    assert told(book) == [("E1", 1, response), ("E1", 2, response)]


def test_only_responses_to_der_controls_name_modes_in_2023() -> None:
    book = make_book(Profile(Edition.V2023))
    for event, _ in EACH:
        take(book, 110, event)
        (row, *_) = book.unsaved()[1]
        assert bool(row.modes) is isinstance(event, res.DERControl)
        book = make_book(Profile(Edition.V2023))


def test_a_load_control_is_refused_whole_in_2023_because_its_response_is_of_the_whole() -> None:
    book = make_book(Profile(Edition.V2023, modes=frozenset({"TargetReduction.W"})))
    take(
        book,
        110,
        load_control("E1", 100, 60, target=res.TargetReduction(type=1, value=2), duty_cycle=50),
    )
    assert told(book) == [("E1", Code.NOT_SUPPORTED, "DrResponse")]


def test_messages_never_contend() -> None:
    book = make_book()
    take(book, 110, message("E1", 100, 60), message("E2", 100, 60))
    take(book, 110, message("E3", 100, 60), program=P2)
    assert {code for _, code, _ in told(book)} == {1, 2}


def test_prices_contend_within_their_rate_component_only() -> None:
    book = make_book()
    first, newer = tariff_interval("E1", 100, 60), tariff_interval("E2", 100, 60, creation=2)
    take(book, 110, first, newer)
    take(book, 110, tariff_interval("E3", 100, 60), program=P2)
    codes = told(book)
    assert ("E1", Code.SUPERSEDED, "PriceResponse") in codes
    assert {(e, c) for e, c, _ in codes if c == Code.STARTED} == {("E2", 2), ("E3", 2)}


def test_grants_contend_for_the_request_that_they_answer() -> None:
    book = make_book()
    take(
        book,
        110,
        grant("E1", "F1", 100, 60),
        grant("E2", "F1", 100, 60, creation=2),
        grant("E3", "F2", 100, 60),
    )
    codes = [(e, c) for e, c, _ in told(book)]
    assert ("E1", Code.SUPERSEDED) in codes
    assert {e for e, c in codes if c == Code.STARTED} == {"E2", "E3"}


def test_a_message_is_acknowledged_once_where_that_was_asked() -> None:
    book = make_book()
    take(book, 110, message("E1", 100, 60), message("E2", 100, 60, required=3))
    told(book)
    for _ in range(2):
        book.acknowledge("E1", 120)
        book.acknowledge("E2", 120)
    assert told(book) == [("E1", Code.ACKNOWLEDGED, "TextResponse")]
    assert book.entries["E2"].acknowledged
    book.advance(160, None)
    assert told(book) == [("E1", 3, "TextResponse"), ("E2", 3, "TextResponse")]


def test_a_message_is_acknowledged_after_its_time_too() -> None:
    book = make_book()
    for now in (110, 160):
        take(book, now, message("E1", 100, 60))
    told(book)
    book.acknowledge("E1", 170)
    assert told(book) == [("E1", Code.ACKNOWLEDGED, "TextResponse")]


def test_only_a_message_is_acknowledged() -> None:
    book = make_book()
    take(book, 110, control("E1", 100, 60))
    for mrid in ("E1", "E9"):
        with pytest.raises(UnknownEventError, match=mrid):
            book.acknowledge(mrid, 110)


@pytest.mark.parametrize("event", [tariff_interval("E1", 100, 60), message("E1", 100, 60)])
def test_a_price_or_a_message_is_not_opted_out_of(event: Control) -> None:
    book = make_book()
    take(book, 110, event)
    with pytest.raises(BindingError, match="E1"):
        book.choose("E1", 110, opted_out=True)


def test_a_grant_may_be_left() -> None:
    book = make_book()
    take(book, 110, grant("E1", "F1", 100, 60))
    book.choose("E1", 120, opted_out=True)
    assert [c for _, c, _ in told(book)] == [1, 2, 4]


def test_what_each_kind_sets() -> None:
    assert modes_of(message("E1", 1, 1, text="Hi"), P1) == {"TextMessage E1": "Hi"}
    assert modes_of(tariff_interval("E1", 1, 1, tier=3), P1) == {"TimeTariffInterval A1": 3.0}
    assert modes_of(grant("E1", "F1", 1, 3600, watts=-2000), P1) == {
        "FlowReservationResponse F1": (-2000.0, -2000.0)
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            load_control("E1", 1, 1, target=res.TargetReduction(type=0, value=2), duty_cycle=40),
            {"TargetReduction.Wh": 2000.0, "DutyCycle": 40.0},
        ),
        (
            load_control("E1", 1, 1, offset=res.Offset(cooling_offset=15, heating_offset=20)),
            {"Offset.cooling": 1.5, "Offset.heating": -2.0},
        ),
        (
            load_control(
                "E1",
                1,
                1,
                forward=True,
                offset=res.Offset(
                    cooling_offset=15, heating_offset=20, load_adjustment_percentage_offset=1000
                ),
            ),
            {"Offset.cooling": -1.5, "Offset.heating": 2.0, "Offset.load": 10.0},
        ),
        (
            load_control("E1", 1, 1, set_point=res.SetPoint(cooling_setpoint=2550), appliance=1),
            {"SetPoint.cooling": 25.5, "ApplianceLoadReduction": 1.0},
        ),
        (
            load_control("E1", 1, 1, forward=True, duty_cycle=90),
            {"LoadShiftForward.DutyCycle": 90.0},
        ),
        (load_control("E1", 1, 1, forward=True), {"LoadShiftForward.TargetReduction.W": 2000.0}),
    ],
)
def test_what_a_load_control_asks(event: res.EndDeviceControl, expected: dict[str, float]) -> None:
    assert modes_of(event, P1) == pytest.approx(expected)


def test_a_control_that_raises_the_load_is_never_taken_for_one_that_sheds_it() -> None:
    book = make_book(Profile(modes=frozenset({"TargetReduction.W"})))
    take(book, 110, load_control("E1", 100, 60, forward=True))
    assert told(book) == [("E1", Code.NOT_APPLICABLE, "DrResponse")]


def test_another_category_of_device_is_not_answered_and_not_kept() -> None:
    book = make_book()
    take(book, 110, load_control("E1", 100, 60, category=1 << 3))
    assert (told(book), book.entries) == ([], {})


def test_the_table_is_whole() -> None:
    assert len(KINDS) == 5
    for kind in KINDS.values():
        assert kind_of(kind.single) is kind
        assert kind.listed.__name__ == kind.name + "List"
        assert kind.items(kind.listed(all=0, results=0)) == ()
