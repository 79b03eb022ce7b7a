"""What the owner asks: checked, and resolved by the home's clock."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from hems.cem.needs import CarMode
from hems.needs.orders import CarOrder, CarWish, OrderError, car_order, run_order

pytestmark = pytest.mark.requirement("L1-OWNER")

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 10, 20, 0, tzinfo=UTC).timestamp()
MORNING = datetime(2026, 1, 11, 5, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("wish", "order"),
    [
        (CarWish(ready_by=time(6, 30)), CarOrder(ready_at=MORNING)),
        (CarWish(ready_by=MORNING), CarOrder(ready_at=MORNING)),
        (CarWish(energy_wh=20e3), CarOrder(energy_wh=20e3)),
        (CarWish(CarMode.NOW, until=NOW + 60), CarOrder(CarMode.NOW, until=NOW + 60)),
    ],
)
def test_a_wish_becomes_an_order(wish: CarWish, order: CarOrder) -> None:
    assert car_order(wish, NOW, ZONE) == order


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (CarWish(), "a mode, a time or an energy"),
        (CarWish(until=NOW + 60), "a mode, a time or an energy"),
        (CarWish(energy_wh=0), "more than 0"),
        (CarWish(energy_wh=float("nan")), "more than 0"),
        (CarWish(energy_wh=3e5), "250 kWh"),
        (CarWish(ready_by=NOW), "in the future"),
        (CarWish(ready_by=float("inf")), "in the future"),
        (CarWish(CarMode.NOW, until=NOW - 1), "in the future"),
        (CarWish(ready_by=NOW + 8 * 86_400), "7 days"),
    ],
)
def test_what_makes_no_sense_is_refused(wish: CarWish, reason: str) -> None:
    with pytest.raises(OrderError, match=reason):
        car_order(wish, NOW, ZONE)


@pytest.mark.parametrize(
    ("order", "over_at", "with_the_stay"),
    [
        (CarOrder(CarMode.NOW), None, True),
        (CarOrder(CarMode.NOW, asked_at=NOW), NOW + 7 * 86_400, True),
        (CarOrder(CarMode.NOW, until=NOW + 60), NOW + 60, False),
        (CarOrder(ready_at=MORNING), MORNING, True),
        (CarOrder(ready_at=MORNING, until=MORNING + 60), MORNING + 60, False),
    ],
)
def test_when_an_order_is_over(order: CarOrder, over_at: float | None, with_the_stay: bool) -> None:
    assert order.ends_with_the_stay is with_the_stay
    assert not order.over(NOW)
    if over_at is None:
        assert not order.over(NOW + 1e9)
    else:
        assert not order.over(over_at - 1)
        assert order.over(over_at)


def test_a_run_is_done_within_a_day_unless_said() -> None:
    assert run_order(None, None, NOW, ZONE).ready_by == NOW + 86_400
    order = run_order(time(6, 30), None, NOW, ZONE)
    assert (order.earliest, order.ready_by) == (NOW, MORNING)
    later = run_order(time(6, 30), MORNING + 60, NOW, ZONE)
    assert later.ready_by == MORNING + 86_400, "not before it may begin"
    assert run_order(None, NOW - 60, NOW, ZONE).earliest == NOW


@pytest.mark.parametrize(
    ("ready_by", "earliest"), [(NOW + 60, NOW + 60), (NOW - 1, None), (NOW + 1e9, None)]
)
def test_a_run_that_cannot_be_is_refused(ready_by: float, earliest: float | None) -> None:
    with pytest.raises(OrderError):
        run_order(ready_by, earliest, NOW, ZONE)
