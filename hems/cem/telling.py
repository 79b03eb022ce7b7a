"""One order told to one device: its guard first, its switch, its set-point."""

import logging
from dataclasses import dataclass

from der.commands import Connect, Disconnect
from der.errors import RejectedError
from der.model import Expiry
from der.service import Handle
from hems.cem.orders import Order
from hems.cem.sentry import Sentry

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Teller:
    """Tells a device its orders.

    Attributes:
        sentry: Who ends the set-points of devices that cannot do so themselves.
        switchless: Whether the device has refused to open or close a switch: it has none.
    """

    sentry: Sentry
    switchless: bool = False

    async def tell(self, handle: Handle, order: Order) -> None:
        """Tell a device what it is to do.

        A device that opens its switch is first brought to its set-point, which it keeps should the
        switch not open; one that closes it hears that first, for what is off takes no set-point.

        Raises:
            DeviceError: It did not confirm.
        """
        device, setpoint = handle.spec.id, order.setpoint
        endless = handle.safeguard.expiry is Expiry.GUARD
        opens = order.disconnect and not self.switchless
        # No device closes an open switch by itself, whatever becomes of its set-points.
        if setpoint is not None and (endless or opens):
            self.sentry.hold(device, setpoint.lapse_s, opened=opens)
        if order.connect:
            await self._switch(handle, Connect())
        await handle.write(setpoint)
        if opens:
            lapse_s = None if setpoint is None else setpoint.lapse_s
            await self._switch(handle, Disconnect(lapse_s))
        over = order.connect or (endless and setpoint is None)
        if over or (opens and self.switchless):
            # There is no open switch, but the set-point stands.
            self.sentry.given_back(device)
            if endless and setpoint is not None:
                self.sentry.hold(device, setpoint.lapse_s)

    async def give_back(self, handle: Handle, *, opened: bool) -> None:
        """Give a device back to its own control, its switch closed.

        Raises:
            DeviceError: It did not confirm.
        """
        await self.tell(handle, Order(None, write=True, connect=opened))

    async def _switch(self, handle: Handle, command: Connect | Disconnect) -> None:
        try:
            await handle.ioctl(command)
        except RejectedError as error:
            if handle.closed:
                raise
            self.switchless = True
            _log.info("%s; it stays at its set-point instead", error)
