"""What the feed makes of the numbers of messages; the broker is left out."""

import json
import time

import aiomqtt
import pytest

from der.addresses import BrokerSettings
from hems.regulation.feed import Feed
from hems.regulation.message import Taken
from hems.regulation.settings import Source

pytestmark = pytest.mark.requirement("BUC-3")


def message(seq: int, at: float) -> aiomqtt.Message:
    words = json.dumps({"seq": seq, "at": at, "value": 0.5}).encode()
    return aiomqtt.Message("t", words, 0, False, 1, None)


def test_an_aggregator_that_counts_anew_is_heard_once_no_copy_can_be_fresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: held[0])
    taken: list[Taken] = []
    feed = Feed(
        Source(BrokerSettings(), "t"),
        lambda: taken[-1].seq if taken else 4_711,
        taken.append,
        time.time,
    )

    def come(seq: int, after_s: float) -> int:
        held[0] += after_s
        feed._take(message(seq, time.time()))
        return len(taken)

    assert come(4_711, 1.0) == 0, "what was taken before a restart of the loop is not taken again"
    assert come(4_712, 1.0) == 1
    assert come(1, 5.0) == 1
    assert "came after 4712" in feed.refusal
    assert come(2, 6.0) == 2, "more than twice the time in which a copy is fresh"
    assert come(2, 1.0) == 2
    assert come(3, 1.0) == 3
