"""Which OCPP 1.6 charging profile is in force, as rows."""

from dataclasses import replace

import pytest

from der.sim.physics.profiles import (
    Kind,
    Period,
    Profile,
    Purpose,
    Transaction,
    Unit,
    composite,
    in_force,
    installed,
)

NOW = 1_000_000.0
TX = Transaction("7", NOW - 100)

DEFAULT = Profile(
    id=1,
    connector=1,
    stack_level=0,
    purpose=Purpose.TX_DEFAULT,
    kind=Kind.ABSOLUTE,
    unit=Unit.WATTS,
    periods=(Period(0, 5000),),
    start=NOW - 10,
)
HIGHER = replace(DEFAULT, id=2, stack_level=3, periods=(Period(0, 4000),))
SESSION = replace(DEFAULT, id=3, purpose=Purpose.TX, periods=(Period(0, 2000),))
CEILING = replace(DEFAULT, id=4, purpose=Purpose.CHARGE_POINT_MAX, periods=(Period(0, 3000),))


@pytest.mark.parametrize(
    ("profiles", "transaction", "expected_w"),
    [
        ([], TX, None),
        ([DEFAULT], None, 5000),
        ([DEFAULT, HIGHER], TX, 4000),
        ([SESSION, HIGHER], TX, 2000),
        ([SESSION, HIGHER], None, 4000),
        ([replace(SESSION, transaction="8"), HIGHER], TX, 4000),
        ([replace(SESSION, transaction="7"), HIGHER], TX, 2000),
        ([HIGHER, CEILING], TX, 3000),
        ([SESSION, CEILING], TX, 2000),
        ([replace(HIGHER, duration_s=10), DEFAULT], TX, 5000),
        ([replace(HIGHER, duration_s=10.1), DEFAULT], TX, 4000),
        ([replace(HIGHER, valid_from=NOW + 1), DEFAULT], TX, 5000),
        ([replace(HIGHER, valid_to=NOW), DEFAULT], TX, 5000),
        ([replace(HIGHER, start=NOW + 1), DEFAULT], TX, 5000),
        ([replace(DEFAULT, unit=Unit.AMPERES, periods=(Period(0, 10),))], TX, 2300),
        ([replace(DEFAULT, periods=(Period(0, 1), Period(10, 2), Period(11, 3)))], TX, 2),
        ([replace(DEFAULT, kind=Kind.RELATIVE, periods=(Period(0, 1), Period(99, 2)))], TX, 2),
        (
            [
                replace(
                    DEFAULT,
                    kind=Kind.RECURRING,
                    recurrence_s=86_400,
                    start=NOW - 3 * 86_400 - 50,
                    duration_s=60,
                )
            ],
            TX,
            5000,
        ),
    ],
)
def test_limit_in_force(
    profiles: list[Profile], transaction: Transaction | None, expected_w: float | None
) -> None:
    limit = in_force(profiles, NOW, transaction)
    assert (None if limit is None else limit.power_w) == expected_w


def test_new_profile_replaces_the_same_id_or_place() -> None:
    assert installed([DEFAULT], replace(DEFAULT, stack_level=5)) == (
        replace(DEFAULT, stack_level=5),
    )
    assert installed([DEFAULT], replace(DEFAULT, id=9)) == (replace(DEFAULT, id=9),)
    assert installed([DEFAULT], HIGHER) == (DEFAULT, HIGHER)


def test_composite_schedule_shows_each_change() -> None:
    ends_soon = replace(HIGHER, duration_s=70)  # began 10 s ago
    later = replace(CEILING, start=NOW + 90)
    assert composite([DEFAULT, ends_soon, later], NOW, 120, None, most_w=7360) == (
        Period(0, 4000, 1),
        Period(60, 5000, 1),
        Period(90, 3000, 1),
    )


def test_composite_schedule_repeats_a_recurring_profile() -> None:
    daily = replace(
        DEFAULT, kind=Kind.RECURRING, recurrence_s=86_400, start=NOW - 86_390, duration_s=3600
    )
    assert composite([daily], NOW, 2 * 86_400, None, most_w=7360) == (
        Period(0, 7360, 1),
        Period(10, 5000, 1),
        Period(3610, 7360, 1),
        Period(86_410, 5000, 1),
        Period(90_010, 7360, 1),
    )
