"""The line between hub and agent: what the other side did not write, now, is not believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.agent.seal import Seal, SealError, hello, read_hello

pytestmark = pytest.mark.requirement("L1-AGENT")

SECRET, SESSION = b"s" * 32, b"n" * 64
BODIES = st.lists(st.binary(max_size=50).filter(lambda body: b"\n" not in body), max_size=5)


def pair(
    secret: bytes = SECRET, session: bytes = SESSION, side: str = "agent"
) -> tuple[Seal, Seal]:
    return Seal(SECRET, SESSION, "agent"), Seal(secret, session, side)


@given(bodies=BODIES)
def test_what_was_said_is_heard(bodies: list[bytes]) -> None:
    writer, reader = pair()
    assert [reader.opened(writer.seal(body)) for body in bodies] == bodies


@pytest.mark.parametrize(
    "reader",
    [
        Seal(b"t" * 32, SESSION, "agent"),
        Seal(SECRET, b"m" * 64, "agent"),
        Seal(SECRET, SESSION, "hub"),
    ],
    ids=["another secret", "another session", "the other side"],
)
def test_others_are_not_believed(reader: Seal) -> None:
    with pytest.raises(SealError):
        reader.opened(Seal(SECRET, SESSION, "agent").seal(b"{}"))


def test_a_line_counts_once_and_in_its_place() -> None:
    writer, reader = pair()
    first, second = writer.seal(b"1"), writer.seal(b"2")
    assert reader.opened(first) == b"1"
    with pytest.raises(SealError):
        reader.opened(first)
    _, reader = pair()
    with pytest.raises(SealError):
        reader.opened(second)


@given(at=st.integers(0, 66), bit=st.integers(0, 7))
def test_no_bit_of_a_line_can_be_changed(at: int, bit: int) -> None:
    writer, reader = pair()
    line = bytearray(writer.seal(b"{}")[:-1])
    line[at] ^= 1 << bit
    with pytest.raises(SealError):
        reader.opened(bytes(line))


def test_each_side_begins_with_a_nonce() -> None:
    assert read_hello(hello(b"n" * 32)) == b"n" * 32


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b'{"hello": 1}', b'{"hello": "00"}', b'{"hello": "xy"}', b"\xff"]
)
def test_who_begins_otherwise_is_not_heard(line: bytes) -> None:
    with pytest.raises(SealError):
        read_hello(line)
