"""Connecting and disconnecting a SunSpec inverter: model 703's ES, model 123's Conn.

Only model 123 has a timer after which the inverter connects again by itself. Where a device has
both models, a disconnection that is to end by itself goes by 123, any other one by 703.
"""

from typing import Final

from der.commands import Disconnect
from der.drivers.sunspec.active import seconds
from der.drivers.sunspec.map import SunSpecMap
from der.drivers.sunspec.writer import PointWriter

ENTER_SERVICE: Final = 703
IMMEDIATE: Final = 123
_TIME: Final = "Conn_RvrtTms"


class Switch:
    """The switch of one inverter.

    Args:
        device: Its models; at least one of 703 and 123 is among them.
    """

    def __init__(self, device: SunSpecMap) -> None:
        models = device.models
        self._service = self._connection = None
        if ENTER_SERVICE in models:
            self._service = PointWriter(device, models[ENTER_SERVICE])
        if IMMEDIATE in models:
            self._connection = PointWriter(device, models[IMMEDIATE])

    @staticmethod
    def of(device: SunSpecMap) -> "Switch | None":
        """Return the switch of a device; None if it has none."""
        has = device.models.keys() & {ENTER_SERVICE, IMMEDIATE}
        return Switch(device) if has else None

    async def connect(self) -> str:
        """Permit the inverter to connect, by all models that it has.

        Raises:
            PermanentError: It refuses.
            TransientError: No usable answer, or it did not change.
        """
        if self._connection is not None:
            await self._set(self._connection, {"Conn": 1})
        if self._service is not None:
            await self._set(self._service, {"ES": 1})
        return "service permitted"

    async def disconnect(self, command: Disconnect) -> str:
        """Take the inverter off; errors as for `connect`."""
        if self._connection is not None:
            present = await self._connection.read((_TIME, "Conn"))
            timed = present.has(_TIME)
            if self._service is None or (command.lapse_s is not None and timed):
                point = self._connection.at.model.points[_TIME]
                lapse = 0 if command.lapse_s is None else seconds(command.lapse_s, point)
                # The time first, and in one frame: it is never off without its end.
                values = {_TIME: lapse, "Conn": 0} if timed else {"Conn": 0}
                await self._set(self._connection, values)
                return f"ceased to energise{self._for(lapse if timed else 0, command)}"
        if self._service is not None:
            await self._set(self._service, {"ES": 0})
        return f"ceased to energise{self._for(0, command)}"

    @staticmethod
    async def _set(writer: PointWriter, values: dict[str, int]) -> None:
        present = await writer.read(values)
        await writer.write(values, present)
        if values.get(_TIME):
            await writer.verify_timed(values, _TIME, present)
        else:
            await writer.verify(values)

    @staticmethod
    def _for(lapse: int, command: Disconnect) -> str:
        if lapse:
            return f"; connects again by itself after {lapse} s"
        return "" if command.lapse_s is None else "; stays off until it is told otherwise"
