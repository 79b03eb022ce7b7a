"""Files of stored keys: what is written is read, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.keys.envelope import LONGEST, Envelope, decode, encode, labels_of, packed

fields = st.lists(st.binary(max_size=300), max_size=8).map(tuple)
labels = st.sampled_from(["HEMS SEALED KEY", "HEMS TPM KEY", "HEMS TOKEN KEY"])


@given(labels, fields)
def test_what_is_written_is_read(label: str, content: tuple[bytes, ...]) -> None:
    written = encode(Envelope(label, content))
    assert decode(written) == Envelope(label, content)
    assert labels_of(written) == (label,)


@given(fields, fields)
def test_no_two_lists_of_fields_are_packed_alike(
    one: tuple[bytes, ...], two: tuple[bytes, ...]
) -> None:
    assert (packed(one) == packed(two)) is (one == two)


@given(st.binary(max_size=400))
def test_garbage_is_refused_or_read_never_more(content: bytes) -> None:
    try:
        found = decode(content)
    except ValueError:
        return
    assert decode(encode(found)) == found


@given(labels, fields, st.data())
def test_a_file_that_is_cut_short_is_refused(
    label: str, content: tuple[bytes, ...], data: st.DataObject
) -> None:
    written = encode(Envelope(label, content)).rstrip()
    size = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises(ValueError, match=r"PEM|base64|cut short|version"):
        decode(written[:size])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN HEMS TPM KEY-----\n-----END HEMS TPM KEY-----\n",
        b"-----BEGIN HEMS TPM KEY-----\nAg==\n-----END HEMS TPM KEY-----\n",
        b"-----BEGIN HEMS TPM KEY-----\nAQAF\n-----END HEMS TPM KEY-----\n",
        b"-----BEGIN HEMS TPM KEY-----\nAQ=A\n-----END HEMS TPM KEY-----\n",
        b"-----BEGIN HEMS TPM KEY-----\nAQ==\n-----END HEMS TOKEN KEY-----\n",
        encode(Envelope("HEMS TPM KEY", (b"a",))) * 2,
        b"more before\n" + encode(Envelope("HEMS TPM KEY", (b"a",))),
    ],
)
def test_what_is_no_whole_block_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"PEM|base64|cut short|version"):
        decode(content)


def test_a_field_that_is_too_long_is_refused() -> None:
    assert decode(encode(Envelope("X", (bytes(LONGEST),)))).fields == (bytes(LONGEST),)
    with pytest.raises(ValueError, match="too long"):
        encode(Envelope("X", (bytes(LONGEST + 1),)))
