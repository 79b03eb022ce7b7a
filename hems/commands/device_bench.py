"""Devices opened by a command itself, while no hub holds them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from der.addresses import FeedAddress, MqttAddress, StationAddress
from der.description import DeviceDescription, Now
from der.errors import DeviceError, TransientError
from der.model import DeviceKind, DeviceState, Quality, Reading
from der.registry import build
from der.service import Device, Handle, Mode
from hems import wiring
from hems.bench.device_detail import asked, commissioned, with_state
from hems.commands.time_keeping import hub_clock
from hems.device_surface import DeviceDetail
from hems.settings.config import Config

CALL_IN_S: Final = 60.0
"""Chargers that were told of this hub a moment ago take this long to call it."""
_ATTEMPT_AGAIN_S: Final = 1.0

Say = Callable[[str], None]
"""Tells the person one sentence."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A device on the bench.

    Attributes:
        description: The device.
        handle: Open on it.
        meter: Open on the home's meter, for reading; None where there is none or it is silent.
        now: The hub's UTC, epoch seconds.
    """

    description: DeviceDescription
    handle: Handle
    meter: Handle | None
    now: Now

    async def detail(self) -> DeviceDetail:
        """Return all that is known of the device; asks it."""
        reading: Reading | None = None
        error: str | None = None
        try:
            reading = await self.handle.read()
        except DeviceError as failure:
            error = str(failure)
        quality = Quality.LOST if reading is None else Quality.GOOD
        state = DeviceState(self.description.spec, reading, quality, error)
        detail = with_state(commissioned(self.description), state, self.now())
        return await asked(detail, self.handle)


@asynccontextmanager
async def opened(
    config: Config, device: str, mode: Mode, say: Say, *, call_in_s: float = CALL_IN_S
) -> AsyncIterator[Bench]:
    """Open a configured device, and the home's meter to look at it by.

    Args:
        config: The home's.
        device: Id of the device.
        mode: What it is opened for; the meter is opened where it is for writing.
        say: Told what is waited for, and what does not answer.
        call_in_s: How long a device that calls in, or announces itself, is waited for.

    Raises:
        DeviceError: It does not answer, or is not what it should be.
    """
    every = {each.spec.id: each for each in wiring.descriptions(config)}
    description = every[device]
    meters = [
        each
        for each in every.values()
        if each.spec.kind is DeviceKind.METER and each.spec.id != device and mode.writes
    ]
    now = hub_clock(config.store.path).now  # what calls in is told the time
    registry = build([description, *meters], wiring.shared(config), now=now)
    await registry.start()
    try:
        meter = await _meter(registry.devices[meters[0].spec.id], say) if meters else None
        try:
            patience_s = call_in_s if _calls_in(description) else 0.0
            handle = await _open(registry.devices[device], mode, patience_s, say)
            try:
                await _heard(handle, patience_s)
                yield Bench(description, handle, meter, now)
            finally:
                await handle.close()
        finally:
            if meter is not None:
                await meter.close()
    finally:
        await registry.stop()


def _calls_in(description: DeviceDescription) -> bool:
    """Whether a device comes to us, in its own time, and is not asked."""
    return isinstance(description.at, StationAddress | MqttAddress | FeedAddress)


async def _meter(meter: Device, say: Say) -> Handle | None:
    try:
        return await meter.open(Mode.READ_ONLY)
    except DeviceError as error:
        say(f"the home's meter does not help: {error}")
        return None


async def _open(device: Device, mode: Mode, patience_s: float, say: Say) -> Handle:
    give_up_at = time.monotonic() + patience_s
    said = False
    while True:
        try:
            return await device.open(mode)
        except TransientError:
            if time.monotonic() >= give_up_at:
                raise
            if not said:
                say(f"waiting up to {patience_s:.0f} s for {device.spec.name} to call in")
                said = True
            await asyncio.sleep(_ATTEMPT_AGAIN_S)


async def _heard(handle: Handle, patience_s: float) -> None:
    """Wait for the first reading of a device that brings them by itself; no error without one."""
    give_up_at = time.monotonic() + patience_s
    while time.monotonic() < give_up_at:
        try:
            await handle.read()
        except TransientError:
            await asyncio.sleep(_ATTEMPT_AGAIN_S)
        else:
            return
