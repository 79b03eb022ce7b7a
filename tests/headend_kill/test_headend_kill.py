"""The kill matrix at small and at full size, and that its verdict sees what is wrong."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.headend_kill.__main__ import figures, run
from tests.headend_kill.homes import CODES
from tests.headend_kill.orders import Order
from tests.headend_kill.verdict import Facts, Verdict, judge, settled

pytestmark = pytest.mark.requirement("PRO-2030.5", "PRO-CIM", "LC-TEST")

HOMES = 4


def told(*mrids: str) -> dict[str, Any]:
    return {
        "held": dict.fromkeys(mrids, HOMES),
        "answered": {f"{mrid}:{code}": HOMES for mrid in mrids for code in CODES},
    }


def answered(*mrids: str) -> Mapping[tuple[str, int], int]:
    return {(mrid, code): HOMES for mrid in mrids for code in CODES}


ORDERS = [
    Order("operator", 1000, 0, 5, mrid="A", state="acknowledged"),
    Order("operator", 1001, 0, 5),
    Order("http", 1002, 0, 5, name="m2", state="acknowledged"),
    Order("nats", 1003, 0, 5, name="m3", state="acknowledged"),
]
GOOD = Facts(
    {1000: ["A"], 1002: ["C"]},
    answered("A", "C"),
    answered("A", "C"),
    {"m2": 200, "m3": 422},
    {"m2": Counter(OK=1, REPEATED=2, FAILED=1), "m3": Counter(FAILED=2)},
    {"m2": 1},
)


def test_what_is_well_is_well() -> None:
    assert judge(ORDERS, GOOD, told("A", "C"), HOMES)
    assert settled(ORDERS, GOOD, told("A", "C"), HOMES)
    assert not settled(ORDERS, replace(GOOD, taken={"m2": 200}), told("A", "C"), HOMES)
    assert not settled(ORDERS, GOOD, told("A"), HOMES)


def of(verdict: Verdict) -> set[str]:
    return {name for name in Verdict.__slots__ if getattr(verdict, name)}


@pytest.mark.parametrize(
    ("spoil", "homes", "wanted"),
    [
        (lambda f: replace(f, events={1002: ["C"]}), told("C"), {"lost"}),
        (lambda f: replace(f, events={1000: ["B"], 1002: ["C"]}), told("A", "C"), None),
        (lambda f: f, told("A"), {"lost"}),
        (lambda f: replace(f, events=f.events | {1000: ["A", "B"]}), told("A", "C"), None),
        (lambda f: replace(f, events=f.events | {1003: ["D"]}), told("A", "C", "D"), None),
        (lambda f: replace(f, events=f.events | {7: ["E"]}), told("A", "C", "E"), None),
        (lambda f: f, told("A", "C", "Z"), {"ghosts"}),
        (
            lambda f: replace(f, responses=dict(f.responses) | {("A", 2): HOMES + 1}),
            told("A", "C"),
            {"answers"},
        ),
        (lambda f: replace(f, homes=answered("A")), told("A", "C"), {"answers"}),
        (lambda f: replace(f, trail={"m3": Counter(FAILED=1)}), told("A", "C"), {"trail"}),
        (lambda f: replace(f, trail=f.trail | {"m2": Counter(OK=2)}), told("A", "C"), {"trail"}),
        (lambda f: replace(f, orders={}), told("A", "C"), {"trail"}),
    ],
)
def test_what_is_wrong_is_seen(
    spoil: Callable[[Facts], Facts], homes: Mapping[str, Any], wanted: set[str] | None
) -> None:
    found = judge(ORDERS, spoil(GOOD), homes, HOMES)
    assert not found
    if wanted is not None:
        assert of(found) == wanted


@pytest.mark.deep
@pytest.mark.timeout(600)
async def test_three_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    made = await run(tmp_path, times=3, homes=50, seed=1, at_once=3)
    assert sorted(made.faults) == ["broker", "database", "worker"]
    assert made.well, figures(made, 50)
    assert made.homes["held"], "no order came through: nothing is shown"


@pytest.mark.deep
@pytest.mark.timeout(7200)
def test_thirty_kills_with_a_thousand_homes(tmp_path: Path) -> None:
    made = asyncio.run(run(tmp_path, times=30, homes=1000, seed=2))
    assert made.well, figures(made, 1000)
    assert len(made.homes["held"]) > 100
