"""hardwareModuleName: DER by hand, checked against bytes made by hand and over all values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.hwname import HARDWARE_MODULE_NAME, HardwareName, read_hardware_name

ARCS = st.lists(st.integers(0, 2**40), min_size=1, max_size=8)
KINDS = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39)), st.tuples(st.just(2), st.integers(0, 2**30))
)


def test_known_bytes() -> None:
    name = HardwareName("1.3.6.1.4.1.32473.1", b"AB1")
    other = name.other_name()
    assert other.type_id == HARDWARE_MODULE_NAME
    # 30 10: sequence; 06 09: 1.3.6.1.4.1.32473.1 (fd 59 is 32473 in base 128); 04 03: "AB1"
    assert other.value == bytes.fromhex("3010 0609 2b06010401 81fd59 01 0403 414231")


@given(KINDS, ARCS, st.binary(min_size=1, max_size=300))
def test_what_is_written_is_read_again(
    root: tuple[int, int], arcs: list[int], serial: bytes
) -> None:
    name = HardwareName(".".join(map(str, (*root, *arcs))), serial)
    assert read_hardware_name(name.other_name().value) == name


@given(st.binary(max_size=60))
def test_any_bytes_are_read_to_the_same_bytes_or_refused(data: bytes) -> None:
    try:
        name = read_hardware_name(data)
    except ValueError:
        return
    assert name.other_name().value == data


GOOD = bytes.fromhex("3009 0604 2b060104 0401 41")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\0",
        bytes.fromhex("3108 0604 2b060104 0400"),
        bytes.fromhex("3008 0604 2b060104 0400"),
        bytes.fromhex("300a 0604 2b060184 0401 41 00"),
        bytes.fromhex("3009 0604 2b060184 0401 41"),
        bytes.fromhex("308109 0604 2b060104 0401 41"),
        bytes.fromhex("30ff"),
    ],
)
def test_bad_der_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_hardware_name(data)


def test_the_bad_cases_are_one_step_from_a_good_one() -> None:
    assert read_hardware_name(GOOD) == HardwareName("1.3.6.1.4", b"A")


@pytest.mark.parametrize("kind", ["", "1", "1.40", "3.1", "1.3.", "1.x", "1.-3", "2 .3"])
def test_a_kind_that_is_no_oid_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="is not an object identifier"):
        HardwareName(kind, b"1").other_name()
