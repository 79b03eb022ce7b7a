"""Requests and answers of Modbus, against pymodbus as a reader and writer of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsResponse,
    WriteMultipleCoilsResponse,
    WriteSingleCoilResponse,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterResponse,
)

from der.drivers.modbus.framing import MbapFraming, RtuFraming
from der.drivers.modbus.messages import (
    READ_COILS,
    READ_DISCRETE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Answer,
    ContradictionError,
    Request,
    crc,
    known,
    length,
)

pytestmark = pytest.mark.requirement("PRO-IP")

UNIT = 17
words = st.integers(0, 0xFFFF)
registers = st.lists(words, min_size=1, max_size=123)


def read_by_pymodbus(request: Request) -> ModbusPDU:
    """Return what pymodbus's server takes a request for, by the one framing and the other."""
    framer = FramerSocket(DecodePDU(True))
    _, unit, transaction, body = framer.decode(MbapFraming().frame(request, 7))
    assert (unit, transaction) == (UNIT, 7)
    rtu = RtuFraming().frame(request, 7)
    assert rtu[0] == UNIT
    assert rtu[1:-2] == body
    assert FramerRTU.check_CRC(rtu[:-2], int.from_bytes(rtu[-2:], "big"))
    found = DecodePDU(True).decode(body)
    assert found is not None
    return found


@pytest.mark.parametrize("function", [READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT])
@given(start=words, count=st.integers(1, 125))
def test_reads_are_understood(function: int, start: int, count: int) -> None:
    found = read_by_pymodbus(Request.read(UNIT, function, start, count))
    assert (found.function_code, found.address, found.count) == (function, start, count)


@given(words, registers)
def test_writing_registers_is_understood(start: int, values: list[int]) -> None:
    found = read_by_pymodbus(Request.write_registers(UNIT, start, values))
    assert (found.function_code, found.address) == (WRITE_REGISTERS, start)
    assert list(found.registers) == values


@given(words, words)
def test_writing_one_register_is_understood(address: int, value: int) -> None:
    found = read_by_pymodbus(Request.write_register(UNIT, address, value))
    assert (found.function_code, found.address) == (WRITE_REGISTER, address)
    assert list(found.registers) == [value]


@given(words, st.booleans())
def test_writing_a_coil_is_understood(address: int, value: bool) -> None:
    found = read_by_pymodbus(Request.write_coil(UNIT, address, value))
    assert (found.function_code, found.address) == (WRITE_COIL, address)
    assert found.bits[:1] == [value]


def read_by_us(answer: ModbusPDU) -> Answer:
    """Return what we take an answer of pymodbus's for, by the one framing and the other."""
    answer.dev_id, answer.transaction_id = UNIT, 7
    mbap = MbapFraming().take(FramerSocket(DecodePDU(False)).buildFrame(answer))
    rtu = RtuFraming().take(FramerRTU(DecodePDU(False)).buildFrame(answer))
    assert mbap is not None
    assert rtu is not None
    assert (mbap.unit, mbap.transaction) == (UNIT, 7)
    assert (rtu.unit, rtu.transaction) == (UNIT, None)
    assert mbap.answer == rtu.answer
    return mbap.answer


@given(registers)
def test_registers_are_read(values: list[int]) -> None:
    data = b"".join(value.to_bytes(2, "big") for value in values)
    holding = read_by_us(ReadHoldingRegistersResponse(registers=values))
    assert holding == Answer(READ_HOLDING, data)
    assert read_by_us(ReadInputRegistersResponse(registers=values)) == Answer(READ_INPUT, data)


@given(st.lists(st.booleans(), min_size=1, max_size=80))
def test_bits_are_read(bits: list[bool]) -> None:
    assert read_by_us(ReadCoilsResponse(bits=bits)).bits(len(bits)) == tuple(bits)


@given(words, registers)
def test_confirmations_are_read(start: int, values: list[int]) -> None:
    many = read_by_us(WriteMultipleRegistersResponse(address=start, count=len(values)))
    assert many.data == Request.write_registers(UNIT, start, values).confirmation
    one = read_by_us(WriteSingleRegisterResponse(address=start, registers=values[:1]))
    assert one.data == Request.write_register(UNIT, start, values[0]).confirmation
    coil = read_by_us(WriteSingleCoilResponse(address=start, bits=[True]))
    assert coil.data == Request.write_coil(UNIT, start, True).confirmation
    coils = read_by_us(WriteMultipleCoilsResponse(address=start, count=len(values)))
    assert coils.function == WRITE_COILS


@given(st.sampled_from([READ_COILS, READ_HOLDING, WRITE_REGISTERS]), st.integers(1, 11))
def test_refusals_are_read(function: int, code: int) -> None:
    assert read_by_us(ExceptionResponse(function, code)) == Answer(function, b"", refusal=code)


@given(st.binary(max_size=64))
def test_the_checksum_is_the_one_of_others(data: bytes) -> None:
    assert int.from_bytes(crc(data), "big") == FramerRTU.compute_CRC(data)


@pytest.mark.parametrize(
    "message",
    [
        b"\x03\x04\x12\x34\x56",
        b"\x03\x02\x12\x34\x56",
        b"\x04\x03\x12\x34\x56",
        b"\x01\x02\x12",
        b"\x06\x00\x01\x00",
        b"\x10\x00\x01\x00\x02\x00",
    ],
    ids=lambda message: message.hex(" "),
)
def test_what_contradicts_itself(message: bytes) -> None:
    with pytest.raises(ContradictionError):
        Answer.of(message)


@given(st.binary(min_size=2, max_size=260))
def test_a_message_is_as_long_as_it_begins(message: bytes) -> None:
    if not known(message[0]):
        return
    try:
        Answer.of(message[: length(message)])
    except (ContradictionError, IndexError):
        assert length(message) > len(message) or message[1] % 2
