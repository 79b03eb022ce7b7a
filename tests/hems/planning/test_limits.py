import math

import pytest

from hems.cem.slots import Slots
from hems.planning.economics import agreed_of
from hems.planning.limits import Agreed, limits
from hems.settings.market_section import ConnectionSection
from programs.signal import Signal, SignalKind

T0 = 1_792_400_400.0
SLOTS = Slots(T0, 900.0, 8)
BREAKER_W = 14_490.0


def signal(
    kind: SignalKind, value: float, start: float, end: float, baseline_w: float | None = None
) -> Signal:
    return Signal("E1", "Peak", kind, value, T0 + start, T0 + end, True, baseline_w=baseline_w)


def test_without_events_the_breaker_holds() -> None:
    found = limits(SLOTS, (), BREAKER_W)
    assert found.import_w == (BREAKER_W,) * 8
    assert found.export_w == (BREAKER_W,) * 8
    assert set(found.by) == {"main breaker"}


@pytest.mark.requirement("BUC-1", "BUC-11")
def test_a_slot_that_an_event_touches_is_under_its_limit() -> None:
    found = limits(SLOTS, [signal(SignalKind.IMPORT_LIMIT, 1_500, 1_000, 2_700)], BREAKER_W)
    assert found.import_w == (BREAKER_W, 1_500, 1_500, *(BREAKER_W,) * 5)
    assert found.by[1] == "import limit"


def test_of_two_limits_the_stricter_is_planned_on() -> None:
    asked = [
        signal(SignalKind.IMPORT_LIMIT, 3_000, 0, math.inf),
        signal(SignalKind.LOAD_LIMIT, 2_000, 900, 1_800),
    ]
    found = limits(SLOTS, asked, BREAKER_W)
    assert found.import_w == (3_000, 2_000, *(3_000,) * 6)


def test_export_is_bounded_by_agreement_and_by_event() -> None:
    asked = [signal(SignalKind.EXPORT_LIMIT, 0, 0, 900)]
    found = limits(SLOTS, asked, BREAKER_W, Agreed(export_w=5_000.0))
    assert found.export_w == (0, *(5_000.0,) * 7)


def test_a_shed_is_planned_from_its_baseline_and_never_below_zero() -> None:
    asked = [
        signal(SignalKind.SHED, 1_000, 0, 900, baseline_w=4_000),
        signal(SignalKind.SHED, 9_000, 900, 1_800, baseline_w=4_000),
        signal(SignalKind.SHED, 1_000, 1_800, 2_700),
    ]
    found = limits(SLOTS, asked, BREAKER_W)
    assert found.import_w[:3] == (3_000, 0, BREAKER_W)
    assert found.by[0] == "emergency"


@pytest.mark.requirement("BUC-11")
def test_what_the_connection_agreement_allows_is_planned_on() -> None:
    connection = ConnectionSection.model_validate(
        {
            "import_limit": "11 kW",
            "export_limit": "7 kW",
            "energy": [
                {"every": "15 min", "import": "2.5 kWh", "export": "2 kWh"},
                {"every": "1 d", "import": "24 kWh"},
            ],
        }
    )
    agreed = agreed_of(connection)
    assert agreed == Agreed(10_000.0, 7_000.0), "the day's energy bounds no single slot"
    found = limits(SLOTS, (), BREAKER_W, agreed)
    assert found.import_w == (10_000.0,) * 8
    assert found.export_w == (7_000.0,) * 8
    assert set(found.by) == {"connection's import limit"}
    assert agreed_of(ConnectionSection()) == Agreed()
