"""When a report counts as changed, which DER is which, what a server still shows; file pieces."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2 import resources as res
from hems.sep2.enddevice.reports import (
    DerReport,
    Report,
    dated,
    dated_report,
    match,
    pressing,
    shows,
)
from hems.sep2.errors import MalformedError
from hems.sep2.transport.connections import Answer
from hems.sep2.transport.pieces import Piece, piece_of

pytestmark = [pytest.mark.requirement("PRO-2030.5")]


def status(at: int, soc: int | None, mode: int | None) -> res.DERStatus:
    return res.DERStatus(
        reading_time=at,
        state_of_charge_status=None
        if soc is None
        else res.StateOfChargeStatusType(date_time=at, value=soc),
        operational_mode_status=None
        if mode is None
        else res.OperationalModeStatusType(date_time=at, value=mode),
    )


def content(told: res.DERStatus) -> tuple[int | None, int | None]:
    soc, mode = told.state_of_charge_status, told.operational_mode_status
    return None if soc is None else soc.value, None if mode is None else mode.value


STATES = st.tuples(
    st.none() | st.integers(0, 3),
    st.none() | st.integers(0, 3),
)


@given(st.lists(STATES, min_size=1, max_size=20))
def test_a_date_is_that_of_the_last_change(states: list[tuple[int | None, int | None]]) -> None:
    told: res.DERStatus | None = None
    for at, (soc, mode) in enumerate(states):
        told = dated(status(at, soc, mode), told)
        assert content(told) == (soc, mode)
        since = _since(states[: at + 1], lambda s: s)
        assert told.reading_time == since
        if told.state_of_charge_status is not None:
            assert told.state_of_charge_status.date_time == _since(states[: at + 1], lambda s: s[0])
        if told.operational_mode_status is not None:
            assert told.operational_mode_status.date_time == _since(
                states[: at + 1], lambda s: s[1]
            )


def _since(states: list[tuple[int | None, int | None]], part: object) -> int:
    """Return since when the last of the states holds, looking back one by one."""
    assert callable(part)
    at = len(states) - 1
    while at and part(states[at - 1]) == part(states[-1]):
        at -= 1
    return at


def test_the_first_report_and_new_parts_keep_their_own_dates() -> None:
    first = Report(der=DerReport(status=status(5, 1, 1)))
    assert dated_report(first, None) == first
    two = replace(first, ders=(DerReport(status=status(9, 1, 1)),))
    told = dated_report(two, first)
    assert told.der == first.der
    assert told.ders == two.ders


@pytest.mark.parametrize(
    ("now", "before", "at_once"),
    [
        (status(9, 1, 1), status(5, 1, 1), False),
        (status(9, 2, 1), status(5, 1, 1), False),
        (status(9, 2, 2), status(5, 1, 1), True),
        (status(9, None, None), status(5, None, 1), True),
        (res.DERAvailability(reading_time=9), res.DERAvailability(reading_time=5), False),
        (res.DeviceStatus(changed_time=9, op_state=1), res.DeviceStatus(changed_time=5), True),
    ],
)
def test_states_press_and_amounts_do_not(
    now: res.Resource, before: res.Resource, at_once: bool
) -> None:
    assert pressing(now, before) is at_once


def power(value: int, multiplier: int) -> res.DERCapability:
    rated = res.ActivePower(value=value, multiplier=multiplier)
    return res.DERCapability(modes_supported=1, rtg_max_w=rated, type=4)


@pytest.mark.parametrize(
    ("shown", "there"),
    [
        (power(5000, 0), True),
        (power(5, 3), True),
        (replace(power(5000, 0), href="/x", rtg_v_nom=res.VoltageRMS.of(230)), True),
        (power(5001, 0), False),
        (replace(power(5000, 0), type=80), False),
    ],
)
def test_a_server_still_has_what_it_was_told_whatever_it_adds(
    shown: res.DERCapability, there: bool
) -> None:
    assert shows(shown, power(5000, 0)) is there


@given(
    st.lists(st.sampled_from([None, 4, 80, 83]), max_size=5),
    st.lists(st.sampled_from([4, 80, 83]), max_size=5),
)
def test_each_der_of_ours_is_one_of_theirs_at_most(
    types: list[int | None], ours: list[int]
) -> None:
    ders = [DerReport(capability=replace(power(1, 0), type=kind)) for kind in ours]
    found = match(types, ders)
    used = [i for i in found if i is not None]
    assert len(found) == len(types)
    assert len(used) == len(set(used)) == min(len(types), len(ours))
    for kind in {t for t in types if t is not None}:
        same = sum(t == kind and i is not None and ours[i] == kind for t, i in zip(types, found))  # noqa: B905
        assert same == min(types.count(kind), ours.count(kind)), "what is alike belongs together"


@pytest.mark.parametrize(
    ("status_code", "headers", "piece"),
    [
        (200, {}, Piece(0, b"abc", 3, None)),
        (206, {"Content-Range": "bytes 5-7/9"}, Piece(5, b"abc", 9, None)),
        (206, {"Content-Range": "BYTES 5-7/*", "ETag": '"x"'}, Piece(5, b"abc", None, '"x"')),
        (206, {"Content-Range": "bytes 5-7/9", "ETag": 'W/"x"'}, Piece(5, b"abc", 9, None)),
        (206, {"Content-Range": "bytes 4-6/9"}, "4-6/9"),
        (206, {"Content-Range": "bytes 5-8/9"}, "5-8/9"),
        (206, {"Content-Range": "lines 5-7/9"}, "lines"),
        (206, {}, "Content-Range"),
    ],
)
def test_a_piece_is_the_one_that_was_asked_for(
    status_code: int, headers: dict[str, str], piece: Piece | str
) -> None:
    answer = Answer(status_code, headers, b"abc")
    if isinstance(piece, Piece):
        assert piece_of("here", answer, 5) == piece
    else:
        with pytest.raises(MalformedError, match=piece):
            piece_of("here", answer, 5)
