"""One message of the signal: taken, or refused with a word that says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.regulation.message import Refused, Taken, judge

NOW = 1_750_000_000.0


def said(payload: bytes, last: int = 10) -> Taken | Refused:
    return judge(payload, last, NOW, 5.0)


def message(**words: object) -> bytes:
    return json.dumps({"seq": 11, "at": NOW, "value": 0.5, **words}).encode()


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    "payload",
    [message(), message(at=NOW - 5), message(at=NOW + 5), message(value=1), message(more="x")],
)
def test_taken(payload: bytes) -> None:
    assert isinstance(said(payload), Taken)


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (message(seq=10), "message 10 came after 10: it is a copy, or too late"),
        (message(seq=3), "message 3 came after 10: it is a copy, or too late"),
        (message(at=NOW - 60), "message 11 is 60.0 s old"),
        (message(at=NOW + 60), "message 11 is 60.0 s ahead of the time"),
        (message(value=1.01), "value: "),
        (message(value=-1.01), "value: "),
        (message(value=float("nan")), "value: "),
        (message(value=float("inf")), "value: "),
        (message(value="0.5"), "value: "),
        (message(value=True), "value: "),
        (message(value=None), "value: "),
        (message(at=float("nan")), "at: "),
        (message(seq=-1), "seq: "),
        (message(seq=1.5), "seq: "),
        (message(seq=1 << 60), "seq: "),
        (b"{}", "seq: "),
        (b"", "the message: "),
        (b"\xff\xfe", "the message: "),
        (b"[1, 2]", "the message: "),
        (b"[" * 100_000, "the message: "),
    ],
)
def test_refused(payload: bytes, why: str) -> None:
    found = said(payload)
    assert isinstance(found, Refused)
    assert found.why.startswith(why)


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_nonsense_is_refused_and_never_more(payload: bytes) -> None:
    found = said(payload)
    assert isinstance(found, Refused) or -1 <= found.value <= 1
