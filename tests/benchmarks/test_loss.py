"""What the benchmark of a lost hub makes of what it saw."""

from collections.abc import Sequence

import pytest

from tests.benchmarks.loss import RULES, Kill, Seen, judge, summary

KILLED, ENDS = 1000.0, 1010.0


def seen(at: float, **powers: float) -> Seen:
    devices = ("pv", "battery", "ev", "water_heater", "heat_pump")
    house = {d: {"power_w": powers.get(d, 0.0)} for d in devices}
    offered = powers.get("offered_w")
    return Seen.model_validate({"at": at, "house": house, "charger": {"limit_w": offered}})


def kill(course: Sequence[Seen]) -> Kill:
    return Kill(KILLED, ENDS, course[0], course)


@pytest.mark.parametrize(
    ("device", "name", "rows", "held", "safe", "took_s"),
    [
        # A battery is idle 30 s after the kill, with 4 s to be seen to be.
        ("battery", "battery", [(1, -3000), (29, -3000), (33, 0), (50, 0)], True, True, 33.0),
        ("battery", "battery", [(1, -3000), (35, 0), (50, 0)], True, False, 35.0),
        ("battery", "battery", [(1, 0), (20, 0), (33, 500)], True, False, None),
        # What was off stays off to the event's end, and runs 40 s after the kill.
        ("heat_pump", "heat_pump", [(1, 0), (9, 0), (21, 2000), (50, 2000)], True, True, 21.0),
        ("heat_pump", "heat_pump", [(1, 0), (5, 2000), (50, 2000)], False, True, 5.0),
        ("heat_pump", "heat_pump", [(1, 0), (50, 0)], True, False, None),
        ("heat_pump", "heat_pump", [(1, 2000), (5, 0), (50, 2000)], True, False, 50.0),
        # A charger goes on as it is, and then at its fallback; without a limit it is not safe.
        ("ev", "offered_w", [(1, 3680), (9, 3680), (20, 1380), (50, 1380)], True, True, 20.0),
        ("ev", "offered_w", [(1, 0), (5, 1380), (50, 1380)], False, True, 1.0),
    ],
)
def test_rows(
    device: str,
    name: str,
    rows: list[tuple[float, float]],
    *,
    held: bool,
    safe: bool,
    took_s: float | None,
) -> None:
    verdict = judge(device, RULES[device], kill([seen(KILLED + t, **{name: w}) for t, w in rows]))
    assert (verdict.held, verdict.safe, verdict.took_s) == (held, safe, took_s)


def test_a_charger_without_any_limit_is_not_safe() -> None:
    verdict = judge("ev", RULES["ev"], kill([seen(KILLED + 1), seen(KILLED + 60)]))
    assert not verdict.safe


def test_the_summary_counts_a_kill_as_safe_only_if_every_device_was() -> None:
    free = {"pv": -2500.0, "water_heater": 3000.0, "heat_pump": 2000.0, "offered_w": 1380.0}
    good = kill([seen(KILLED + t, **free) for t in (1, 60)])
    bad = kill([seen(KILLED + t, **{**free, "battery": -900.0}) for t in (1, 60)])
    figures = summary([good, bad], [3.0, 4.25])
    assert (figures["kills"], figures["safe"], figures["recover_max_s"]) == (2, 1, 4.25)
    assert figures["late_max_s"] is None  # the battery never was
