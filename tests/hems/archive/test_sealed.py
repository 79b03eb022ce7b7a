"""A locked stream: read back whole, or refused in words."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.archive.errors import ArchiveError, DamagedError, NewerError, WrongPassphraseError
from hems.archive.sealed import CHUNK, Cost, Opener, Sealer
from tests.examples import examples

CHEAP = Cost(memory_kib=64, passes=1)
WORDS = "correct horse battery"


def sealed(content: bytes, passphrase: str = WORDS) -> bytes:
    out = io.BytesIO()
    with Sealer(out, passphrase, CHEAP) as sealer:
        sealer.write(content)
    return out.getvalue()


def opened(content: bytes, passphrase: str = WORDS) -> bytes:
    return Opener(io.BytesIO(content), passphrase).readall()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_locked_is_read_again(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    assert opened(sealed(content[:size])) == content[:size]


LOCKED = sealed(bytes(2 * CHUNK + 100))


@settings(max_examples=examples(150), deadline=None)
@given(st.integers(0, len(LOCKED) - 1), st.integers(1, 255))
def test_a_changed_octet_is_noticed_wherever_it_is(at: int, by: int) -> None:
    damaged = bytearray(LOCKED)
    damaged[at] ^= by
    with pytest.raises(ArchiveError) as refused:
        opened(bytes(damaged))
    assert str(refused.value).endswith(".")


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, len(LOCKED) - 1))
def test_a_cut_stream_is_noticed_wherever_it_ends(length: int) -> None:
    with pytest.raises(DamagedError):
        opened(LOCKED[:length])


def test_chunks_in_another_order_or_too_many_are_noticed() -> None:
    size = CHUNK + 16
    head = len(LOCKED) - 2 * size - 116
    first, second = LOCKED[head : head + size], LOCKED[head + size : head + 2 * size]
    rest = LOCKED[head + 2 * size :]
    for other in (LOCKED[:head] + second + first + rest, LOCKED + rest, LOCKED[: head + size]):
        with pytest.raises(DamagedError):
            opened(other)


def test_another_passphrase_is_told_from_damage() -> None:
    with pytest.raises(WrongPassphraseError):
        opened(LOCKED, "correct horse batterie")


def test_a_newer_version_says_so() -> None:
    newer = bytearray(LOCKED)
    newer[8] = 2
    with pytest.raises(NewerError):
        opened(bytes(newer))


def test_a_forged_header_cannot_take_the_hubs_memory() -> None:
    assert not Cost(memory_kib=2**31).bearable
    assert not Cost(memory_kib=64, lanes=16).bearable
    assert not Cost(passes=10_000).bearable
    assert not Cost(lanes=0).bearable  # found by fuzzing: no thread at all
    assert Cost().bearable


def test_a_short_passphrase_locks_nothing() -> None:
    out = io.BytesIO()
    with pytest.raises(ArchiveError, match="at least 10"):
        Sealer(out, "123456789", CHEAP)
    assert out.getvalue() == b""


def test_the_same_content_never_looks_the_same() -> None:
    assert sealed(b"content") != sealed(b"content")
