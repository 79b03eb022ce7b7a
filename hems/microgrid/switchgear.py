"""Tie and inverter: told what to do, one order after the other, each again until it shows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from der.commands import Command, Connect, Disconnect, FollowGrid, FormGrid
from der.errors import DeviceError
from der.sentence import say
from hems.clock import Clock
from hems.microgrid.plant import Plant
from hems.microgrid.states import Act, Order

_TROUBLE: Final = "microgrid order"
_AGAIN_S: Final = 2.0
"""An order that changed nothing is given again after so long."""


class Switchgear:
    """The one writer of tie and inverter.

    Args:
        plant: Which they are.
        clock: Where the time comes from.
        command: Has a device carry out a command.
        alarm: Sets what the owner must know, by source; None when it is over.
        react: Has the home decide anew at once.
    """

    def __init__(
        self,
        plant: Plant,
        clock: Clock,
        command: Callable[[str, Command[str]], Awaitable[str]],
        alarm: Callable[[str, str | None], None],
        react: Callable[[], None],
    ) -> None:
        self._plant = plant
        self._clock = clock
        self._command = command
        self._alarm = alarm
        self._react = react
        self._given: tuple[Order, float] | None = None
        self._due: Order | None = None
        self._called = asyncio.Event()

    def order(self, order: Order) -> None:
        """Have an order given; the latest wins, and the same one is not repeated at once."""
        if self._given is not None:
            given, at = self._given
            if order == given and self._clock.monotonic() - at < _AGAIN_S:
                return
        self._due = order
        self._called.set()

    def forget(self) -> None:
        """Take the next order for a new one, whatever it is; none that waits is given."""
        self._given = self._due = None

    async def run(self) -> None:
        """Give orders until cancelled."""
        while True:
            await self._called.wait()
            self._called.clear()
            order, self._due = self._due, None
            if order is not None:
                await self._give(order)

    async def _give(self, order: Order) -> None:
        self._given = (order, self._clock.monotonic())
        target, command = self._told(order)
        try:
            await self._command(target, command)
        except DeviceError as error:
            self._alarm(_TROUBLE, say("What an island needs is not done: {error}", error=error))
            return
        self._alarm(_TROUBLE, None)
        if order.act is not Act.FORM:
            self._react()

    def _told(self, order: Order) -> tuple[str, Command[str]]:
        match order.act:
            case Act.OPEN:
                return self._plant.tie, Disconnect()
            case Act.CLOSE:
                return self._plant.tie, Connect()
            case Act.FORM:
                return self._plant.former, FormGrid(order.hz, order.volts)
            case Act.FOLLOW:
                return self._plant.former, FollowGrid()
