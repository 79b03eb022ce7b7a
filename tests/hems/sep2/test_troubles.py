"""A trouble is new once, however many parts meet it."""

import logging

import pytest

from hems.sep2.errors import UnreachableError
from hems.sep2.troubles import Troubles

AWAY = UnreachableError("a.example:1: no connection: Connection refused")
OTHER = UnreachableError("a.example:1/tm: the server closed the connection")


@pytest.mark.requirement("LC-TEST")
def test_a_trouble_is_new_once_and_over_once(caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles()
    with caplog.at_level(logging.INFO, logger="hems.sep2.troubles"):
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


def test_another_trouble_of_the_same_part_takes_the_place_of_the_first() -> None:
    troubles = Troubles()
    assert troubles.meet("poll", AWAY)
    assert troubles.meet("poll", OTHER)
    assert troubles.meet("poll", AWAY)
