"""One event through the log: each thing that it brings about once, under its mRID."""

import logging
from dataclasses import replace

import pytest

from hems.cem.effects import Effect
from hems.correlation import current
from hems.noting import Noting
from programs.signal import Signal, SignalKind

EVENT = "5A0B43F1C2D34E9B8F00000000009F1C"
TOLD = Effect(
    event=EVENT,
    source="limits",
    device="battery",
    decided_at=100.0,
    written_at=100.1,
    setpoint_w=-500.0,
    error=None,
    refresh=False,
)


class Lines(logging.Handler):
    """What is logged, with what it belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        self.said.append((current(), record.getMessage()))


@pytest.fixture
def lines() -> "Lines":
    return Lines()


def test_an_event_can_be_followed(lines: Lines) -> None:
    log = logging.getLogger("hems.noting")
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    noting = Noting(lambda _effect: None, lambda *_: None)
    signal = asks(1500.0)
    try:
        for _ in range(3):
            noting.asked([signal], 100.0)
            noting.written(TOLD)
            noting.written(replace(TOLD, setpoint_w=-480.0))
            noting.written(replace(TOLD, refresh=True))
            noting.written(replace(TOLD, event=""))
        noting.written(replace(TOLD, error="battery: busy", written_at=None))
        noting.written(replace(TOLD, setpoint_w=None))
        noting.asked([asks(2000.0)], 101.0)
        noting.asked([], 102.0)
        noting.asked([], 103.0)
    finally:
        log.removeHandler(lines)
        log.setLevel(logging.NOTSET)
    assert {mark for mark, _ in lines.said} == {EVENT}
    assert [text for _, text in lines.said] == [
        f"the home is asked: {signal.kind.value} 1500",
        "battery is told, and has confirmed: -500 W",
        "battery does not take what it is told: battery: busy",
        "battery is told, and has confirmed: its own control",
        f"the home is asked: {signal.kind.value} 2000",
        "the home is not asked any more",
    ]


def asks(value: float) -> Signal:
    """Return what the event asks."""
    return Signal(
        event=EVENT,
        program="Peak Saver",
        kind=SignalKind.IMPORT_LIMIT,
        value=value,
        starts_at=100.0,
        ends_at=200.0,
        binding=True,
    )
