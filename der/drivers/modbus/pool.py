"""The Modbus connections of a home: one for each host, port and transport, whoever needs it.

It is the shared part (`der.description.Service`) of all drivers that speak Modbus.
"""

from der.addresses import ModbusAddress, Shared, TlsFiles, Transport
from der.description import Now
from der.drivers.modbus.channel import Channel, User

_Key = tuple[str, int, Transport, TlsFiles | None]


def service(shared: Shared, now: Now) -> "ModbusPool":
    """Return the shared part of Modbus drivers."""
    del shared, now
    return ModbusPool()


class ModbusPool:
    """Channels by where they lead. One without users is closed, and what it learnt is kept."""

    def __init__(self) -> None:
        self._channels: dict[_Key, Channel] = {}
        self._users: dict[User, Channel] = {}

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
