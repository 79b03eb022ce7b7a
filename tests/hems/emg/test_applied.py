"""What the home tells of a load control that it carries out."""

import pytest

from hems.emg.applied import applied
from hems.sep2.book.answers import Applied
from programs.signal import Signal, SignalKind

NOW = 1_000.0


def signal(kind: SignalKind, value: float, **fields: float) -> Signal:
    return Signal("E1", "Grid", kind, value, NOW - 60, NOW + 60, binding=False, **fields)  # type: ignore[arg-type]


@pytest.mark.requirement("BUC-7")
@pytest.mark.parametrize(
    ("asked", "net_w", "expected"),
    [
        (signal(SignalKind.SHED, 2_000, baseline_w=5_000), 3_500.0, Applied(reduction=1_500.0)),
        (signal(SignalKind.SHED, 2_000, baseline_w=5_000), 5_500.0, Applied(reduction=0.0)),
        (signal(SignalKind.SHED, 2_000, baseline_w=5_000), None, None),
        (signal(SignalKind.SHED, 2_000), 3_500.0, None),
        (
            signal(SignalKind.ENERGY, 500, baseline_w=5_000, delivered_wh=120.0),
            None,
            Applied(reduction=120.0),
        ),
        (signal(SignalKind.DUTY_CYCLE, 40), 0.0, Applied(duty_cycle=40)),
        (signal(SignalKind.IMPORT_LIMIT, 40), 0.0, None),
    ],
)
def test_what_was_done_is_told(
    asked: Signal, net_w: float | None, expected: Applied | None
) -> None:
    assert applied([asked], net_w, NOW) == ({} if expected is None else {"E1": expected})
    assert applied([asked], net_w, NOW + 60) == {}, "its time is over"
