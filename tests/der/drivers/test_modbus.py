"""The Modbus transport against pymodbus's server and against sick ones."""

import asyncio
from dataclasses import replace

import pytest
from pymodbus.constants import ExcCodes

from der.addresses import ModbusAddress
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.modbus.pool import ModbusPool
from der.errors import DeviceError, PermanentError, RefusalError, TransientError
from tests.der.drivers.servers import (
    Conversation,
    garbage,
    hang,
    hang_up,
    serve_board,
    serve_bytes,
    serve_registers,
    torn_frame,
    wrong_count,
    wrong_function,
)
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-IP")


async def test_long_blocks_are_read_in_frames_of_125() -> None:
    values = list(range(300))
    async with serve_registers(100, values) as served:
        connection = await ModbusConnection.open("d", served.address)
        assert await connection.read_holding(100, 300, "all") == tuple(values)
        connection.close()
    assert [(f.address, f.count) for f in served.frames] == [(100, 125), (225, 125), (350, 50)]


async def test_registers_and_coils_are_written() -> None:
    async with serve_registers(0, [0] * 10) as served:
        connection = await ModbusConnection.open("d", served.address)
        await connection.write_holding(2, [7, 8], "pair")
        assert await connection.read_holding(0, 5, "all") == (0, 0, 7, 8, 0)
        connection.close()
    async with serve_board([1, 2, 3, 4]) as served:
        connection = await ModbusConnection.open("d", served.address)
        await connection.write_coil(0, False, "coil")
        assert await connection.read_input(0, 4, "inputs") == (1, 2, 3, 4)
        assert await served.registers(0, 1, function=1) == [0]
        connection.close()


async def test_calls_at_once_are_served_one_after_the_other() -> None:
    async with serve_registers(0, list(range(50))) as served:
        connection = await ModbusConnection.open("d", served.address)
        answers = await asyncio.gather(*(connection.read_holding(n, 1, "n") for n in range(50)))
        connection.close()
    assert answers == [(n,) for n in range(50)]


async def test_nobody_listens() -> None:
    async with serve_bytes(hang) as address:
        pass
    with pytest.raises(TransientError, match=r"^tank: no Modbus connection to 127\.0\.0\.1:\d+"):
        await ModbusConnection.open("tank", address)


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        (hang, "no answer within 0.2 s"),
        (garbage, "not Modbus"),
        (hang_up, "closed the connection"),
        (wrong_count, "sent 1 registers where 3 were asked"),
        (torn_frame, "not Modbus"),
        (wrong_function, "another function"),
    ],
)
@pytest.mark.requirement("LC-TEST")
async def test_a_sick_device_ends_in_one_error(
    talk: Conversation, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_bytes(talk) as address:
        connection = await ModbusConnection.open("tank", address)
        with pytest.raises(TransientError, match=says) as caught:
            await connection.read_holding(0, 3, "power")
        assert str(caught.value).startswith(f"tank: power at {address}: ")
        with pytest.raises(TransientError):  # and the connection is not used again
            await connection.read_holding(0, 3, "power")
        connection.close()
    assert [r for r in caplog.records if r.levelname in {"ERROR", "CRITICAL"}] == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (ExcCodes.ILLEGAL_FUNCTION, RefusalError),
        (ExcCodes.ILLEGAL_ADDRESS, RefusalError),
        (ExcCodes.ILLEGAL_VALUE, RefusalError),
        (ExcCodes.DEVICE_FAILURE, TransientError),
        (ExcCodes.ACKNOWLEDGE, TransientError),
        (ExcCodes.DEVICE_BUSY, TransientError),
        (ExcCodes.GATEWAY_NO_RESPONSE, TransientError),
    ],
)
async def test_exceptions_are_typed_and_leave_the_connection(
    code: ExcCodes, error: type[DeviceError]
) -> None:
    async with serve_registers(0, [1, 2, 3]) as served:
        served.refuse[3, 1] = code
        connection = await ModbusConnection.open("tank", served.address)
        with pytest.raises(error, match=f"^tank: power at .*: Modbus exception {code.value} "):
            await connection.read_holding(1, 1, "power")
        assert await connection.read_holding(0, 1, "power") == (1,)
        connection.close()


async def test_a_call_given_up_ends_the_connection() -> None:
    async with serve_bytes(hang, timeout_s=5.0) as address:
        connection = await ModbusConnection.open("tank", address)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await connection.read_holding(0, 1, "power")
        with pytest.raises(TransientError, match="given up"):
            await connection.read_holding(0, 1, "power")
        connection.close()


async def test_closing_ends_calls_under_way() -> None:
    async with serve_bytes(hang, timeout_s=5.0) as address:
        connection = await ModbusConnection.open("tank", address)
        call = asyncio.create_task(connection.read_holding(0, 1, "power"))
        await asyncio.sleep(0)
        connection.close()
        with pytest.raises(TransientError, match="closed"):
            await call


def test_error_tree() -> None:
    assert issubclass(RefusalError, PermanentError)
    assert str(ModbusAddress("h", 5, 7)) == "h:5 unit 7"


async def test_a_call_given_up_leaves_the_others_behind_its_gateway_their_connection() -> None:
    called: list[bytes] = []
    gate = asyncio.Event()

    async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(b"")
        while request := await reader.read(12):
            called[-1] += request
            unit = request[6]
            if unit == 1:  # its answer is late
                await gate.wait()
            writer.write(request[:2] + bytes([0, 0, 0, 5, unit, 3, 2, 0, unit]))
        writer.close()

    async with serve_bytes(gateway, timeout_s=5.0) as address:
        pool = ModbusPool()
        slow = await ModbusConnection.open("slow", replace(address, unit=1), pool)
        other = await ModbusConnection.open("other", replace(address, unit=2), pool)
        call = asyncio.create_task(slow.read_holding(0, 1, "power"))

        async def asked() -> bool:
            return bool(called and called[0])

        await until(asked, bool, 5.0, "the gateway is asked")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        gate.set()
        assert await other.read_holding(0, 1, "power") == (2,)
        assert len(called) == 1
        other.close()
