"""The device service model's rules, on a link that only keeps what it is told."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.commands import (
    Command,
    Disconnect,
    Identify,
    Options,
    ReleaseReactive,
    Reset,
)
from der.errors import DeadlineError, PermanentError, RejectedError, TransientError
from der.model import (
    Connection,
    Setpoint,
)
from der.service import Device, Mode, Whence
from tests.der.shelf import METER, SPEC, Call, Shelf, ioctl, read, release, seek, shelved, write


@pytest.mark.requirement("SVC-OPEN", "L1-PRIVILEGE")
@pytest.mark.parametrize(
    ("mode", "call", "refusal"),
    [
        (Mode.READ_ONLY, read, None),
        (Mode.READ_ONLY, write, "bat: write through a read-only handle"),
        (Mode.READ_ONLY, release, "bat: write through a read-only handle"),
        (Mode.READ_ONLY, seek, "bat: write through a read-only handle"),
        (Mode.READ_ONLY, ioctl, "bat: ioctl Connect through a read-only handle"),
        (Mode.WRITE_ONLY, read, "bat: read through a write-only handle"),
        (Mode.WRITE_ONLY, write, None),
        (Mode.WRITE_ONLY, release, None),
        (Mode.WRITE_ONLY, seek, None),
        (Mode.WRITE_ONLY, ioctl, None),
        (Mode.READ_WRITE, read, None),
        (Mode.READ_WRITE, write, None),
        (Mode.READ_WRITE, release, None),
        (Mode.READ_WRITE, seek, None),
        (Mode.READ_WRITE, ioctl, None),
    ],
)
async def test_modes(mode: Mode, call: Call, refusal: str | None) -> None:
    device, shelf = shelved()
    handle = await device.open(mode)
    if refusal is None:
        await call(handle)
    else:
        with pytest.raises(RejectedError, match=f"^{refusal}$"):
            await call(handle)
        assert (shelf.setpoints, shelf.commands) == ([], [])
    await handle.close()


@pytest.mark.requirement("SVC-CLOSE")
@pytest.mark.parametrize("call", [read, write, release, seek, ioctl])
async def test_a_closed_handle_refuses_all(call: Call) -> None:
    device, shelf = shelved()
    handle = await device.open(Mode.READ_WRITE)
    await handle.close()
    await handle.close()
    assert (handle.closed, shelf.closed) == (True, 1)
    with pytest.raises(RejectedError, match=r"^bat: .* on a closed handle$"):
        await call(handle)
    with pytest.raises(RejectedError, match=r"closed handle"):
        _ = handle.connection


@pytest.mark.requirement("SVC-OPEN")
async def test_a_handle_describes_its_connection() -> None:
    device, _ = shelved()
    handle = await device.open(Mode.READ_ONLY)
    assert handle.connection == Connection("shelf:1", manufacturer="Maker")
    assert handle.mode is Mode.READ_ONLY
    await handle.close()


@pytest.mark.requirement("SVC-OPEN")
async def test_one_writer_and_many_readers() -> None:
    device, _ = shelved()
    writer = await device.open(Mode.READ_WRITE)
    for mode in (Mode.WRITE_ONLY, Mode.READ_WRITE):
        with pytest.raises(RejectedError, match=r"^bat: already open for writing"):
            await device.open(mode)
    readers = [await device.open(Mode.READ_ONLY) for _ in range(3)]
    for reader in readers:
        await reader.close()
    with pytest.raises(RejectedError):  # a reader's end is not the writer's
        await device.open(Mode.WRITE_ONLY)
    await writer.close()
    await (await device.open(Mode.WRITE_ONLY)).close()


@pytest.mark.requirement("SVC-OPEN")
async def test_of_two_writers_at_once_one_wins() -> None:
    device, _ = shelved()
    opened = await asyncio.gather(
        device.open(Mode.READ_WRITE), device.open(Mode.READ_WRITE), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in opened) == ["Handle", "RejectedError"]


@pytest.mark.requirement("SVC-OPEN")
async def test_a_failed_open_leaves_the_device_free() -> None:
    attempts = iter([TransientError("bat: off"), None])
    shelf = Shelf()

    async def connect() -> Shelf:
        error = next(attempts)
        if error is not None:
            raise error
        return shelf

    device = Device(SPEC, connect)
    with pytest.raises(TransientError, match=r"^bat: off$"):
        await device.open(Mode.READ_WRITE)
    await (await device.open(Mode.READ_WRITE)).close()


async def test_an_open_without_answer_ends_at_the_deadline() -> None:
    async def connect() -> Shelf:
        await asyncio.Event().wait()
        return Shelf()

    device = Device(SPEC, connect, deadline_s=0.02)
    for _ in range(2):
        with pytest.raises(DeadlineError, match=r"^bat: open got no answer within 0\.02 s$"):
            await device.open(Mode.READ_WRITE)


@pytest.mark.parametrize(("call", "name"), [(read, "read"), (write, "write"), (ioctl, "ioctl")])
async def test_calls_end_at_the_deadline(call: Call, name: str) -> None:
    device, shelf = shelved(hangs=True, deadline_s=0.02)
    handle = await device.open(Mode.READ_WRITE)
    with pytest.raises(DeadlineError, match=rf"^bat: {name}.* got no answer within 0\.02 s$"):
        await call(handle)
    shelf.answers.set()
    await call(handle)  # the handle is not spoilt
    await handle.close()


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(
    ("setpoint", "fault"),
    [
        (Setpoint(5000, 1), None),
        (Setpoint(-4000, 1), None),
        (Setpoint(0, 0.1, revert_w=-4000), None),
        (Setpoint(5000.1, 1), "5000.1 W is outside -4000 to 5000 W"),
        (Setpoint(-4001, 1), "-4001 W is outside"),
        (Setpoint(math.nan, 1), "nan W is outside"),
        (Setpoint(math.inf, 1), "inf W is outside"),
        (Setpoint(0, 1, revert_w=6000), "6000 W is outside"),
        (Setpoint(0, 0), "lapse time above 0 s"),
        (Setpoint(0, -1), "lapse time above 0 s"),
        (Setpoint(0, math.inf), "lapse time above 0 s"),
        (Setpoint(0, math.nan), "lapse time above 0 s"),
    ],
)
async def test_range(setpoint: Setpoint, fault: str | None) -> None:
    device, shelf = shelved()
    handle = await device.open(Mode.READ_WRITE)
    if fault is None:
        await handle.write(setpoint)
        assert shelf.setpoints == [setpoint]
    else:
        with pytest.raises(RejectedError, match=f"^bat: .*{fault}"):
            await handle.write(setpoint)
        assert shelf.setpoints == []
    await handle.close()


@pytest.mark.requirement("SVC-WRITE", "SVC-IOCTL")
@pytest.mark.parametrize("call", [write, release, seek, ioctl])
async def test_a_meter_cannot_be_controlled(call: Call) -> None:
    device, _ = shelved(METER)
    handle = await device.open(Mode.READ_WRITE)
    with pytest.raises(RejectedError, match=r"^meter: .* cannot be controlled$"):
        await call(handle)
    await handle.close()


@pytest.mark.requirement("SVC-SEEK")
@pytest.mark.parametrize(
    ("moves", "ends_w"),
    [
        ([(Whence.ABSOLUTE, 1200)], 1200),
        ([(Whence.RELATIVE, 300)], 300),
        ([(Whence.ABSOLUTE, 1200), (Whence.RELATIVE, -1500)], -300),
        ([(Whence.RELATIVE, 100), (Whence.RELATIVE, 100)], 200),
        ([(Whence.OF_MAX, 0.5)], 2500),
        ([(Whence.OF_MAX, -0.5)], -2000),
        ([(Whence.OF_MAX, 1), (Whence.RELATIVE, -1)], 4999),
    ],
)
async def test_seek(moves: list[tuple[Whence, float]], ends_w: float) -> None:
    device, shelf = shelved()
    handle = await device.open(Mode.READ_WRITE)
    for whence, offset in moves:
        now_w = await handle.seek(whence, offset, 30)
    assert now_w == ends_w
    assert shelf.setpoints[-1] == Setpoint(ends_w, 30)
    await handle.close()


@pytest.mark.requirement("SVC-SEEK")
async def test_the_cursor_moves_only_with_the_device() -> None:
    device, shelf = shelved()
    handle = await device.open(Mode.READ_WRITE)
    await handle.seek(Whence.ABSOLUTE, 1000, 30)
    with pytest.raises(RejectedError):
        await handle.seek(Whence.RELATIVE, 9000, 30)
    shelf.fails = True
    with pytest.raises(TransientError):
        await handle.seek(Whence.RELATIVE, 50, 30)
    shelf.fails = False
    assert await handle.seek(Whence.RELATIVE, 1, 30) == 1001
    await handle.write(None)
    assert await handle.seek(Whence.RELATIVE, 1, 30) == 1
    await handle.close()


@pytest.mark.requirement("SVC-SEEK")
@given(st.sampled_from(list(Whence)), st.floats(-10_000, 10_000))
def test_a_seek_never_leaves_the_range(whence: Whence, offset: float) -> None:
    async def run() -> None:
        device, shelf = shelved()
        handle = await device.open(Mode.READ_WRITE)
        try:
            now_w = await handle.seek(whence, offset, 30)
        except RejectedError:
            assert shelf.setpoints == []
        else:
            assert SPEC.min_w <= now_w <= SPEC.max_w
        await handle.close()

    asyncio.run(run())


@pytest.mark.requirement("SVC-IOCTL")
async def test_ioctl_answers_in_words() -> None:
    device, shelf = shelved()
    handle = await device.open(Mode.WRITE_ONLY)
    assert await handle.ioctl(Reset()) == "did Reset"
    assert shelf.commands == [Reset()]
    await handle.close()


@pytest.mark.requirement("SVC-IOCTL")
async def test_commands_answer_in_their_own_type() -> None:
    device, shelf = shelved()
    handle = await device.open(Mode.READ_ONLY)
    assert (await handle.ioctl(Identify())).manufacturer == "Maker"
    with pytest.raises(PermanentError, match=r"^bat: ioctl Options is answered with 'did Op"):
        await handle.ioctl(Options())  # the shelf answers words where a record is due
    changing: tuple[Command[object], ...] = (Disconnect(), Reset(hard=True), ReleaseReactive())
    for command in changing:
        with pytest.raises(RejectedError, match=f"^bat: ioctl {command} through a read-only"):
            await handle.ioctl(command)
    assert shelf.commands == [Identify(), Options()]
    await handle.close()


@pytest.mark.requirement("SVC-READ")
async def test_a_call_given_up_leaves_the_handle_in_use() -> None:
    device, shelf = shelved(deadline_s=30.0)
    handle = await device.open(Mode.READ_WRITE)
    shelf.answers.clear()
    call = asyncio.create_task(handle.read())
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    shelf.answers.set()
    assert (await handle.read()).power_w == 2.0
    await handle.close()
