"""Who may see what: until a day, for a purpose, by certificate."""

import dataclasses
import math

import pytest

from hems.visibility.grants import (
    LONGEST_S,
    Data,
    Grant,
    GrantError,
    Purpose,
    granted,
    purposes_of,
    seen_by,
)

pytestmark = [pytest.mark.requirement("BUC-13"), pytest.mark.requirement("PRV-RBAC")]

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NOW = 1_800_000_000.0


def _granted(**changed: object) -> Grant:
    said: dict[str, object] = {
        "recipient": LFDI,
        "name": "Grid operator",
        "purpose": Purpose.TOPOLOGY,
        "data": [Data.VOLTAGE],
        "until": NOW + 86_400,
        "now": NOW,
        **changed,
    }
    return granted(**said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"recipient": "me"}, "'me' is no LFDI"),
        ({"recipient": LFDI[:-1] + "X"}, "is no LFDI"),
        ({"name": "   "}, "needs a name"),
        ({"name": "x" * 81}, "needs a name"),
        ({"name": "a\nb"}, "needs a name"),
        ({"data": []}, "at least one kind"),
        ({"until": NOW}, "in the future"),
        ({"until": math.nan}, "in the future"),
        ({"until": math.inf}, "in the future"),
        ({"until": NOW + LONGEST_S + 1}, "two years"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(changed: dict[str, object], why: str) -> None:
    with pytest.raises(GrantError, match=why):
        _granted(**changed)


def test_an_lfdi_is_taken_as_people_write_it() -> None:
    grouped = " ".join(LFDI[i : i + 4] for i in range(0, 40, 4)).lower()
    assert _granted(recipient=grouped).recipient == LFDI


def test_what_was_withdrawn_stays_so_when_a_wrong_clock_is_set_back() -> None:
    grant = _granted(until=NOW + 86_400)
    ended = dataclasses.replace(grant, until=NOW + 7200, withdrawn_at=NOW + 7200)
    assert grant.holds(NOW + 60)
    assert not ended.holds(NOW + 60)


def test_nobody_sees_what_was_not_granted_or_no_longer_holds() -> None:
    grants = [
        _granted(data=[Data.VOLTAGE, Data.EVENTS], until=NOW + 100),
        _granted(data=[Data.ENERGY], until=NOW + 50, purpose=Purpose.LOSSES),
        _granted(recipient="A" * 40, data=[Data.LIVE]),
    ]
    assert seen_by(grants, LFDI, NOW) == {Data.VOLTAGE, Data.EVENTS, Data.ENERGY}
    assert seen_by(grants, LFDI, NOW + 50) == {Data.VOLTAGE, Data.EVENTS}
    assert seen_by(grants, LFDI, NOW + 100) == set()
    assert seen_by(grants, LFDI, NOW - 1) == set()
    assert seen_by(grants, "B" * 40, NOW) == set()
    assert purposes_of(grants, LFDI, Data.ENERGY, NOW) == "line-loss-analysis"
    assert not purposes_of(grants, LFDI, Data.LIVE, NOW)
