"""Closing, and shutting from above: what is under way, what is refused, what is taken off."""

import asyncio
from unittest.mock import patch

import pytest

from der.commands import (
    Command,
    Disconnect,
    SelfTest,
)
from der.errors import RejectedError, TransientError
from der.model import (
    Setpoint,
)
from der.service import Device, Mode
from tests.der.shelf import SPEC, Shelf, ioctl, read, release, seek, shelved, write


@pytest.mark.requirement("SVC-CLOSE")
async def test_closing_can_take_an_unsafe_device_off() -> None:
    device, shelf = shelved()
    handle = await device.open(Mode.READ_WRITE)
    await handle.close(disconnect=True)
    assert (shelf.commands, shelf.closed) == ([Disconnect()], 1)
    await handle.close(disconnect=True)
    assert shelf.commands == [Disconnect()]


@pytest.mark.requirement("SVC-CLOSE")
async def test_a_write_under_way_ends_before_the_device_is_taken_off() -> None:
    device, _ = shelved(deadline_s=30.0)
    handle = await device.open(Mode.READ_WRITE)
    done: list[object] = []
    gate = asyncio.Event()

    async def slow(setpoint: Setpoint | None) -> None:
        await gate.wait()
        done.append(setpoint)

    async def switch(command: Command[object]) -> object:
        done.append(command)
        return "off"

    with patch.multiple(Shelf, write=staticmethod(slow), ioctl=staticmethod(switch)):
        writing = asyncio.ensure_future(write(handle))
        await asyncio.sleep(0)
        closing = asyncio.create_task(device.shut("it was stolen"))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(writing, closing)
    assert done == [Setpoint(100, 10), Disconnect()]


@pytest.mark.requirement("SVC-CLOSE")
async def test_a_write_that_hangs_does_not_keep_the_device_from_being_taken_off() -> None:
    device, shelf = shelved(deadline_s=0.05)
    handle = await device.open(Mode.READ_WRITE)
    shelf.answers.clear()
    call = asyncio.create_task(handle.ioctl(SelfTest()))
    await asyncio.sleep(0)
    closing = asyncio.create_task(handle.close(disconnect=True))
    with pytest.raises(RejectedError, match=r"^bat: ioctl SelfTest on a closed handle$"):
        await call
    shelf.answers.set()
    await closing
    assert (shelf.commands, shelf.closed) == ([Disconnect()], 1)


@pytest.mark.requirement("SVC-CLOSE")
async def test_a_device_that_cannot_be_taken_off_is_closed_all_the_same() -> None:
    device, shelf = shelved()
    handle = await device.open(Mode.READ_WRITE)
    shelf.fails = True
    with pytest.raises(TransientError, match=r"^bat: shelf is broken$"):
        await handle.close(disconnect=True)
    assert (handle.closed, shelf.closed) == (True, 1)
    await (await device.open(Mode.READ_WRITE)).close()


@pytest.mark.requirement("SVC-CLOSE")
async def test_a_device_held_unsafe_is_shut_from_above() -> None:
    device, shelf = shelved()
    writer, reader = await device.open(Mode.READ_WRITE), await device.open(Mode.READ_ONLY)
    await device.shut("its firmware was tampered with")
    assert (shelf.commands, shelf.closed) == ([Disconnect()], 2)
    refused = "^bat: .* refused: its firmware was tampered with$"
    for call in (read, write, release, seek, ioctl):
        with pytest.raises(RejectedError, match=refused):
            await call(writer)
    with pytest.raises(RejectedError, match=refused):
        await reader.read()
    with pytest.raises(RejectedError, match=refused):
        await device.open(Mode.READ_ONLY)
    device.allow()
    assert (await (await device.open(Mode.READ_WRITE)).read()).power_w == 2.0


@pytest.mark.requirement("SVC-CLOSE")
@pytest.mark.parametrize("mode", [None, Mode.READ_ONLY])
async def test_without_a_writer_it_is_taken_off_through_a_connection_of_its_own(
    mode: Mode | None,
) -> None:
    device, shelf = shelved()
    if mode is not None:
        await device.open(mode)
    await device.shut("it was stolen")
    assert shelf.commands == [Disconnect()]
    assert shelf.closed == (1 if mode is None else 2)


@pytest.mark.requirement("SVC-CLOSE")
async def test_a_device_that_does_not_confirm_is_shut_all_the_same() -> None:
    device, shelf = shelved()
    writer = await device.open(Mode.READ_WRITE)
    shelf.fails = True
    with pytest.raises(TransientError, match=r"^bat: shelf is broken$"):
        await device.shut("it was stolen")
    assert writer.closed
    assert shelf.closed == 2
    with pytest.raises(RejectedError, match=r"^bat: open refused: it was stolen$"):
        await device.open(Mode.READ_WRITE)


@pytest.mark.requirement("SVC-CLOSE")
async def test_shutting_ends_calls_under_way_and_lets_nothing_new_through() -> None:
    device, shelf = shelved(deadline_s=30.0)
    handle = await device.open(Mode.READ_WRITE)
    shelf.answers.clear()
    under_way = asyncio.create_task(handle.read())
    await asyncio.sleep(0)
    shutting = asyncio.create_task(device.shut("it was stolen", disconnect=False))
    with pytest.raises(RejectedError, match=r"^bat: read refused: it was stolen$"):
        await under_way
    await shutting
    with pytest.raises(RejectedError, match=r"^bat: write refused: it was stolen$"):
        await write(handle)


@pytest.mark.requirement("SVC-CLOSE", "SVC-OPEN")
async def test_a_device_shut_while_it_is_opened_stays_shut() -> None:
    gate = asyncio.Event()
    shelf = Shelf()
    shelf.answers.set()

    async def connect() -> Shelf:
        await gate.wait()
        return shelf

    device = Device(SPEC, connect)
    opening = asyncio.create_task(device.open(Mode.READ_WRITE))
    await asyncio.sleep(0)
    await device.shut("it was stolen", disconnect=False)
    gate.set()
    with pytest.raises(RejectedError, match=r"^bat: open refused: it was stolen$"):
        await opening
    assert shelf.closed == 1
