"""The Modbus connections of a home: one for each host, port and transport, whoever needs it.

It is the shared part (`der.description.Service`) of all drivers that speak Modbus.
"""

import time
from typing import Final

from der.addresses import ModbusAddress, Shared, TlsFiles, Transport
from der.description import Now
from der.drivers.modbus.channel import Channel, User
from der.oddity import Oddity, Tell, What, untold
from der.patience import Patience
from der.sentence import say

_MOST_ALIEN: Final = 10
_SPAN_S: Final = 600.0
"""A device that starts anew may once send half a frame; it does not do so each minute."""
_Key = tuple[str, int, Transport, TlsFiles | None]


def service(shared: Shared, now: Now) -> "ModbusPool":
    """Return the shared part of Modbus drivers."""
    del shared
    return ModbusPool(now)


class ModbusPool:
    """Channels by where they lead. One without users is closed, and what it learnt is kept.

    Args:
        now: Seconds of any clock.
    """

    def __init__(self, now: Now = time.time) -> None:
        self._now = now
        self._channels: dict[_Key, Channel] = {}
        self._users: dict[User, Channel] = {}
        self._patience: dict[str, Patience] = {}
        self._tell: Tell = untold

    def tell_by(self, tell: Tell) -> None:
        """Have somebody told of devices that answer what is no Modbus (`der.oddity.Telling`)."""
        self._tell = tell

    def alien(self, device: str, host: str) -> None:
        """Count an answer that was no Modbus; it is told once there were many.

        Args:
            device: Its id.
            host: Its IP address.
        """
        patience = self._patience.setdefault(device, Patience(_MOST_ALIEN, _SPAN_S, self._now))
        if patience.ends():
            why = say("it answers what is no Modbus")
            self._tell(Oddity(What.HOSTILE, why, device, host))

    async def start(self) -> None:
        """Do nothing: connections are opened when devices are."""

    async def stop(self) -> None:
        """End all connections."""
        for user in list(self._users):
            user.end("the hub is stopping")

    def join(self, user: User, address: ModbusAddress) -> Channel:
        """Return the channel that leads to an address, with one more user."""
        key = (address.host, address.port, address.transport, address.tls)
        channel = self._channels.setdefault(key, Channel(address))
        channel.join(user)
        self._users[user] = channel
        return channel

    def leave(self, user: User) -> None:
        """Take a user out; calling it again does nothing."""
        channel = self._users.pop(user, None)
        if channel is not None:
            channel.leave(user)
