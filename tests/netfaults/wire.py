"""`python -m tests.netfaults.wire`: cables that lose, delay, disorder, throttle and swallow.

The kernel's `netem` does the same, but is not part of every kernel. A cable is a pair of TAP
devices, and this program carries each Ethernet frame from one to the other; the machines at its
ends speak TCP over it as they would over copper. Each argument is a cable, as
NAME:PID:DEVICE:PID:DEVICE, each PID a process in the namespace of that end.

Orders come on standard input, one JSON object a line: the cable's name and its new `Weather`.
Each is answered by a line: how many frames were carried and lost under the weather before.
"""

import asyncio
import fcntl
import json
import os
import random
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

_TUNSETIFF: Final = 0x400454CA
_TAP_WITHOUT_HEADER: Final = 0x1002
_MOST: Final = 65536
_ETHERNET: Final = 14
_BACKLOG_S: Final = 2.0
"""A throttled cable drops what would wait for longer, as a modem's queue does."""


class Weather(BaseModel):
    """What a cable does to each frame, both ways alike.

    Attributes:
        loss: Share of frames that are lost.
        delay_s: What each takes.
        jitter_s: What some take longer, evenly spread: frames overtake each other.
        bits_per_s: What goes through; 0 for no bound.
        mtu: Longer IP packets are swallowed, and nobody is told; 0 for no bound.
        cut: Nothing goes through.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    loss: float = Field(0.0, ge=0, le=1)
    delay_s: float = Field(0.0, ge=0)
    jitter_s: float = Field(0.0, ge=0)
    bits_per_s: float = Field(0.0, ge=0)
    mtu: int = Field(0, ge=0)
    cut: bool = False


class Carried(BaseModel):
    """How many frames a cable has carried and lost since its weather last changed."""

    model_config = ConfigDict(frozen=True)

    carried: int
    lost: int


@dataclass
class Cable:
    """Two TAP devices, and what happens between them."""

    ends: tuple[int, int]
    weather: Weather = field(default_factory=Weather)
    chance: random.Random = field(default_factory=random.SystemRandom)
    carried: int = 0
    lost: int = 0
    free_at: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def start(self) -> None:
        """Carry from now on."""
        loop = asyncio.get_running_loop()
        for side, end in enumerate(self.ends):
            loop.add_reader(end, self._take, side)

    def change(self, weather: Weather) -> Carried:
        """Set other weather; returns what went through under the one before."""
        done = Carried(carried=self.carried, lost=self.lost)
        self.weather, self.carried, self.lost = weather, 0, 0
        return done

    def _take(self, side: int) -> None:
        frame = os.read(self.ends[side], _MOST)
        now, weather = asyncio.get_running_loop().time(), self.weather
        wait_s = weather.delay_s + self.chance.uniform(0.0, weather.jitter_s)
        too_long = weather.mtu and len(frame) > weather.mtu + _ETHERNET
        full = False
        if weather.bits_per_s:
            begins = max(now, self.free_at[side])
            full = begins - now > _BACKLOG_S
            if not full:
                self.free_at[side] = begins + 8 * len(frame) / weather.bits_per_s
                wait_s += self.free_at[side] - now
        if weather.cut or too_long or full or self.chance.random() < weather.loss:
            self.lost += 1
            return
        self.carried += 1
        other = self.ends[1 - side]
        if wait_s:
            asyncio.get_running_loop().call_later(wait_s, self._give, other, frame)
        else:
            self._give(other, frame)

    def _give(self, end: int, frame: bytes) -> None:
        try:
            os.write(end, frame)
        except OSError:  # the interface is down, as one is that is pulled out
            self.lost += 1


def _tap(pid: int, device: str, number: int) -> int:
    """Make a TAP device in a process's namespace; returns what it is read and written by."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    made = f"cable{number}"
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", made.encode(), _TAP_WITHOUT_HEADER))
    subprocess.run(["ip", "link", "set", made, "netns", str(pid), "name", device], check=True)
    return end


async def _serve(cables: dict[str, Cable]) -> None:
    for cable in cables.values():
        cable.start()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        order = json.loads(line)
        done = cables[order.pop("cable")].change(Weather.model_validate(order))
        print(done.model_dump_json(), flush=True)


def main() -> None:
    """Carry frames until standard input ends."""
    cables: dict[str, Cable] = {}
    for number, argument in enumerate(sys.argv[1:]):
        name, one, its_device, other, other_device = argument.split(":")
        near = _tap(int(one), its_device, 2 * number)
        cables[name] = Cable((near, _tap(int(other), other_device, 2 * number + 1)))
    asyncio.run(_serve(cables))


if __name__ == "__main__":
    main()
