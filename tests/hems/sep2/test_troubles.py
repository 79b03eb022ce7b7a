"""A trouble is new once, however many parts meet it."""

import logging

import pytest

from hems.sep2.errors import UnreachableError
from hems.sep2.transport.troubles import MOST, Troubles

AWAY = UnreachableError("a.example:1: no connection: Connection refused")
OTHER = UnreachableError("a.example:1/tm: the server closed the connection")


@pytest.mark.requirement("LC-TEST")
def test_a_trouble_is_new_once_and_over_once(caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles()
    with caplog.at_level(logging.INFO, logger="hems.sep2.transport.troubles"):
        assert troubles.meet("poll", AWAY)
        assert not troubles.meet("poll", AWAY)
        assert not troubles.meet("mirror", AWAY)
        assert troubles.meet("time", OTHER)
        troubles.over("poll")
        troubles.over("mirror")
        troubles.over("mirror")
        troubles.over("never met any")
        assert troubles.meet("poll", AWAY)
    assert [record.getMessage() for record in caplog.records] == [f"over: {AWAY}"]


def test_troubles_that_take_turns_are_said_once_each(caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles()
    assert [troubles.meet("poll", e) for e in (AWAY, OTHER, AWAY, OTHER)] == [
        True,
        True,
        False,
        False,
    ]
    with caplog.at_level(logging.INFO, logger="hems.sep2.transport.troubles"):
        troubles.over("poll")
    assert [record.getMessage() for record in caplog.records] == [f"over: {AWAY}", f"over: {OTHER}"]
    assert troubles.meet("poll", AWAY)


def test_what_one_source_meets_is_bounded() -> None:
    troubles = Troubles()
    for number in range(2 * MOST):
        assert troubles.meet("poll", UnreachableError(f"reason {number}"))
    assert troubles.meet("poll", UnreachableError("reason 0"))
    assert not troubles.meet("poll", UnreachableError(f"reason {2 * MOST - 1}"))
