"""Messages packed once are one gzip file for each reader, readable message by message."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from web.packed import Message, Packing

messages = st.lists(st.binary(max_size=3000).map(Message), max_size=8)


@given(messages)
def test_what_was_packed_is_one_gzip_file(told: list[Message]) -> None:
    packing = Packing()
    packed = b"".join(packing.add(message) for message in told) + packing.end()
    assert gzip.decompress(packed) == b"".join(message.plain for message in told)


@given(messages, messages)
def test_each_message_is_read_as_soon_as_it_is_there(
    before: list[Message], after: list[Message]
) -> None:
    """A reader who comes late gets the same bytes as one who was there from the start."""
    early, late = Packing(), Packing()
    early_reader, late_reader = zlib.decompressobj(wbits=31), zlib.decompressobj(wbits=31)
    for message in before:
        assert early_reader.decompress(early.add(message)) == message.plain
    for message in after:
        assert early_reader.decompress(early.add(message)) == message.plain
        assert late_reader.decompress(late.add(message)) == message.plain
