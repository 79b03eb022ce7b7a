"""What the owner reads of messages and prices."""

import math

import pytest

from hems import tidings
from hems.sep2.book.messages import Message, Priority
from hems.sep2.rules.events import Event, Held, Program
from hems.sep2.rules.tariff import Block, Component, Flow, Priced, Tariff

NOW = 10_000.0


@pytest.mark.parametrize(
    ("priority", "urgent"),
    [(Priority.LOW, False), (Priority.NORMAL, False), (Priority.HIGH, True)],
)
def test_a_message_says_who_wrote_it_and_whether_it_is_urgent(
    priority: Priority, urgent: bool
) -> None:
    told = Message("M", "Programme", "Hello", "", priority, NOW, NOW + 60, True, False, True)
    shown = tidings.message(told)
    assert (shown.program, shown.text, shown.urgent) == ("Programme", "Hello", urgent)
    assert (shown.may_acknowledge, shown.acknowledged) == (True, False)


def interval(start: float, per_kwh: float, duration_s: int = 3600) -> Priced:
    event = Event(
        f"{start:032.0f}",
        Program("C"),
        1,
        int(start),
        duration_s,
        {"TimeTariffInterval C": 1.0},
        kind="TimeTariffInterval",
    )
    return Priced(Held(event), (Block(0.0, per_kwh),))


def tariff(*intervals: Priced, currency: int | None = 36) -> Tariff:
    component = Component("C", "Energy", frozenset({Flow.IMPORT}), intervals=intervals)
    return Tariff("T", "Evening", 1, currency, components=(component,))


def test_the_price_now_and_when_it_changes() -> None:
    told = [tariff(interval(NOW - 600 + 50, 0.25), interval(NOW + 3000 + 50, 0.4))]
    shown = tidings.price(told, NOW, 50.0)
    assert shown is not None
    assert (shown.tariff, shown.currency) == ("Evening", "AUD")
    assert (shown.per_kwh, shown.until, shown.next_per_kwh) == (0.25, NOW + 3000, 0.4)


def test_what_follows_is_not_known() -> None:
    shown = tidings.price([tariff(interval(NOW - 600, 0.25), currency=None)], NOW, 0.0)
    assert shown is not None
    assert (shown.currency, shown.until, shown.next_per_kwh) == ("", NOW + 3000, None)


def test_one_price_for_days_has_no_end_in_sight() -> None:
    shown = tidings.price([tariff(interval(NOW - 600, 0.25, 10**6))], NOW, 0.0)
    assert shown is not None
    assert shown.until == math.inf


def test_no_price_is_shown_that_is_not_known() -> None:
    assert tidings.price([], NOW, 0.0) is None
    assert tidings.price([tariff(interval(NOW + 600, 0.25))], NOW, 0.0) is None
