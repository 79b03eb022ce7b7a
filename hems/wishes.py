"""The owner's wishes about single devices: taken, ended, and kept over a restart.

What they mean is in `programs.owner`; here they are only remembered, as settings of the store.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from der.model import DeviceSpec
from der.sentence import say
from hems.clock import Clock
from hems.device_surface import UnknownDeviceError
from hems.store.errors import StoreError
from hems.store.settings import Settings
from hems.surface import ImpossibleWishError
from programs.comfort import ComfortPolicy
from programs.owner import Wish, WishError, wished

_log = logging.getLogger(__name__)

_NAME: Final = "wish "


class _Kept(BaseModel):
    """A wish as the store has it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    power_w: float
    until: float


class Wishes:
    """All wishes of the owner.

    Args:
        settings: Where they are kept.
        specs: The home's devices.
        clock: Where the time comes from.
    """

    def __init__(self, settings: Settings, specs: Iterable[DeviceSpec], clock: Clock) -> None:
        self._settings = settings
        self._specs = {spec.id: spec for spec in specs}
        self._clock = clock
        self._wishes: dict[str, Wish] = {}
        self._policy = ComfortPolicy()

    @property
    def policy(self) -> ComfortPolicy:
        """What the programmes are told; wishes whose time is over have no effect there."""
        return self._policy

    @property
    def present(self) -> Mapping[str, Wish]:
        """The wishes that have not ended, by device id."""
        now = self._clock.now()
        return {name: wish for name, wish in self._wishes.items() if now < wish.meant.until}

    async def load(self) -> None:
        """Take up what was wished before a restart; what cannot be read is said and left."""
        try:
            kept = await self._settings.all()
        except StoreError as error:
            _log.warning("the owner's wishes of before are not known: %s", error)
            return
        for name, text in kept.items():
            device = name.removeprefix(_NAME)
            if name == device or not text or device not in self._specs or device in self._wishes:
                continue
            try:
                found = _Kept.model_validate_json(text)
                self._set(device, found.power_w, found.until)
            except ValidationError:
                _log.warning("the owner's wish about %s cannot be read: %.80r", device, text)
            except WishError as error:
                _log.info("the owner's wish about %s is over: %s", device, error)

    async def wish(self, device: str, power_w: float, until: float) -> None:
        """Take a wish, in place of any other about the device; see `programs.owner`.

        Raises:
            UnknownDeviceError: There is no such device.
            ImpossibleWishError: The wish makes no sense.
        """
        self._known(device)
        try:
            self._set(device, power_w, until)
        except WishError as error:
            raise ImpossibleWishError(str(error)) from error
        await self._keep(device, _Kept(power_w=power_w, until=until).model_dump_json())

    async def end(self, device: str) -> None:
        """End the wish about a device; nothing happens if there is none.

        Raises:
            UnknownDeviceError: There is no such device.
        """
        self._known(device)
        if self._wishes.pop(device, None) is not None:
            self._settle()
            await self._keep(device, "")

    def _known(self, device: str) -> None:
        if device not in self._specs:
            raise UnknownDeviceError(say("There is no device {device!r}.", device=device))

    def _set(self, device: str, power_w: float, until: float) -> None:
        self._wishes[device] = wished(self._specs[device], power_w, until, self._clock.now())
        self._settle()

    def _settle(self) -> None:
        self._policy = ComfortPolicy(tuple(wish.meant for wish in self.present.values()))

    async def _keep(self, device: str, text: str) -> None:
        """Write it down; without that it holds until a restart, which is said."""
        try:
            await self._settings.put(f"{_NAME}{device}", text)
        except StoreError as error:
            _log.warning("the owner's wish about %s will not outlive a restart: %s", device, error)
