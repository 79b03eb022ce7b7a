"""Changed answers and changed registers, in every test run; the long run is `fuzz_modbus.py`."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz import modbus_target
from tests.fuzz.modbus_seeds import MBAP, REGISTERS, RTU, mbap, rtu, seeds
from tests.fuzz.modbus_target import RUNNER, examine
from tests.fuzz.sunspec_target import SOUND, WrongError

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.requirement("PRO-IP")]


@pytest.fixture(autouse=True, scope="module")
def loop() -> Iterator[None]:
    yield
    RUNNER.close()


def test_what_devices_are_known_to_send_breaks_no_promise() -> None:
    outcomes = {examine(data) for data in seeds()}
    assert outcomes == {
        "registers", "refused 2", "busy", "lost", "waits", "a reading", "an error",
    }  # fmt: skip


pdus = st.one_of(
    st.binary(min_size=2, max_size=12),
    st.builds(lambda n, data: bytes([3, n]) + data, st.integers(0, 255), st.binary(max_size=12)),
    st.binary(min_size=6, max_size=6).map(lambda data: b"\x03\x06" + data),
    st.builds(lambda f, code: bytes([f | 0x80, code]), st.integers(0, 127), st.integers(0, 255)),
)
units = st.sampled_from([modbus_target.UNIT, modbus_target.UNIT, 0, 6])
framed = st.lists(
    st.one_of(
        st.builds(mbap, pdus, st.sampled_from([1, 1, 0, 2, 65535]), units),
        st.builds(rtu, pdus, units),
        st.binary(max_size=9),
    ),
    min_size=1,
    max_size=3,
).map(b"".join)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from([MBAP, RTU]), framed)
@example(MBAP, mbap(b"\x03\x06\0\1\0\2\0\3", number=0))
def test_an_answer_is_read_as_it_is_or_not_at_all(framing: bytes, data: bytes) -> None:
    examine(framing + data)


changes = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.sampled_from([0, 1, 0x7FFF, 0x8000, 0xFFFF, 0xFFF5, 0x7FC0, 66, 103])
        | st.integers(0, 65535),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SOUND) - 1), changes)
def test_a_reading_is_what_the_registers_say(device: int, changed: list[tuple[int, int]]) -> None:
    packed = b"".join(struct.pack(">HH", *change) for change in changed)
    examine(REGISTERS + bytes([device]) + packed)


def test_the_target_itself_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_target, "expected", lambda *_: ["waits"])
    with pytest.raises(WrongError, match="which should be one of"):
        examine(seeds()[0])
