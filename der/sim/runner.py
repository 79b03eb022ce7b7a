"""The simulated home at work: physics at 10 Hz, devices on their sockets, until told to stop."""

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from der.sim.control import ControlDoor
from der.sim.devices import Devices
from der.sim.errors import OptionError
from der.sim.journal import Journal
from der.sim.mapped.home import DESCRIBED
from der.sim.modbus.server import HOST
from der.sim.mqtt.home import TOPICS
from der.sim.options import Options
from der.sim.physics.dataset import load_week
from der.sim.physics.house import House

TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class Address:
    """Where a device is to be reached.

    Attributes:
        protocol: "sunspec", "ocpp1.6", "ocpp2.0.1", "mqtt", "p1", or "modbus" and the name of the
            description that a hub reads it by.
        host: IP address, empty for a device that connects by itself.
        port: TCP port, 0 likewise.
        url: What it connects to, empty for one that listens.
    """

    protocol: str
    host: str = ""
    port: int = 0
    url: str = ""


class SimulatedHome:
    """The home as an asynchronous context: inside it, everything answers and time passes.

    Raises:
        ListenError: On entry, if a port is taken.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.house = House(options.house(), load_week())
        self.journal = Journal()
        self.devices = Devices(options, self.house, self.journal)
        self.control = ControlDoor(self.house, self.devices, self.journal, options.control_port)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        try:
            for server in self.devices.servers.values():
                await server.start()
            if self.devices.p1 is not None:
                await self.devices.p1.start()
            await self.control.start()
        except BaseException:
            await self._close()
            raise
        courses = [self._pass_time()]
        courses += [server.follow_fault() for server in self.devices.servers.values()]
        if self.devices.link is not None:
            courses.append(self.devices.link.run())
        if self.devices.p1 is not None:
            courses += [self.devices.p1.push(), self.devices.p1.follow_fault()]
        courses += self.devices.mqtt.courses()
        self._tasks = [asyncio.create_task(course) for course in courses]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def until_failed(self) -> None:
        """Return when a part of the home has failed; raises what it failed with."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    def addresses(self) -> dict[str, Address]:
        """Return where each device is to be reached."""
        described = {"water_heater": "relay-board", "heat_pump": "relay-board", **DESCRIBED}
        found = {
            name: Address(
                f"modbus {described[name]}" if name in described else "sunspec", HOST, server.port
            )
            for name, server in self.devices.servers.items()
        }
        if self.options.ocpp:
            found["ev"] = Address(f"ocpp{self.options.ocpp_version}", url=self.options.ocpp)
        for name in self.devices.mqtt.nodes:
            found[name] = Address("mqtt", url=f"mqtt://{self.options.mqtt}/{TOPICS[name]}")
        if self.devices.p1 is not None:
            found["p1"] = Address("p1", HOST, self.devices.p1.port)
        return found

    def description(self) -> str:
        """Return process, control door and addresses as one line of JSON."""
        devices = {
            name: {"protocol": at.protocol, "host": at.host, "port": at.port, "url": at.url}
            for name, at in self.addresses().items()
        }
        control = {"host": HOST, "port": self.control.port}
        return json.dumps({"pid": os.getpid(), "control": control, "devices": devices})

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self.devices.servers.values():
            await server.stop()
        if self.devices.p1 is not None:
            await self.devices.p1.stop()
        await self.control.stop()

    async def _pass_time(self) -> None:
        last = due = time.monotonic()
        while True:
            due += TICK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            due = max(due, now - TICK_S)  # after a stall, no burst of steps to make up for it
            home = self.house.step(now - last, self.devices.commands())
            last = now
            self.journal.sampled(home)
            if self.devices.link is not None:
                self.devices.link.tick()


def publish(text: str, path: Path) -> None:
    """Write `text` to `path`, so that a reader sees all of it or nothing.

    Raises:
        OptionError: The file cannot be written.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        half.write_text(text + "\n", "ascii")
        half.replace(path)
    except OSError as error:
        raise OptionError(f"--ready {path}: {error}") from error
