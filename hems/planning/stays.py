"""When cars came to their chargers and left: what their next stay is foretold from.

Kept as a setting of the store, a few weeks of them: a charger's own history has powers only.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from der.model import DeviceKind, DeviceState, Quality
from hems.cem.planner.question import Stay
from hems.image import Image
from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)

_NAME: Final = "car stays"
_KEPT: Final = TypeAdapter(tuple[Stay, ...])
_KEPT_S: Final = 60 * 86400.0
_MOST: Final = 500


class Stays:
    """All stays of the last weeks.

    Args:
        settings: Where they are kept.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stays: tuple[Stay, ...] = ()
        self._told = True

    @property
    def all(self) -> tuple[Stay, ...]:
        """The stays, the oldest first; of each charger only its last may be unended."""
        return self._stays

    async def load(self) -> None:
        """Take up what was seen before a restart; what cannot be read is said and left."""
        try:
            text = (await self._settings.all()).get(_NAME)
            if text is not None:
                self._stays = _KEPT.validate_json(text)
        except (StoreError, ValidationError) as error:
            _log.warning("when cars came and left before is not known: %s", error)

    def take_image(self, image: Image) -> None:
        """Note who has come or left."""
        for state in image.devices.values():
            if state.spec.kind is DeviceKind.EVSE:
                self._take(state, image.at)

    def _take(self, state: DeviceState, now: float) -> None:
        reading = state.reading
        if reading is None or reading.connected is None or state.quality is not Quality.GOOD:
            return
        device = state.spec.id
        open_stay = next((s for s in self._stays if s.device == device and s.left_at is None), None)
        if reading.connected and open_stay is None:
            self._stays = (*self._stays, Stay(device, now))
        elif not reading.connected and open_stay is not None:
            ended = replace(open_stay, left_at=max(now, open_stay.came_at))
            self._stays = tuple(ended if s is open_stay else s for s in self._stays)
        else:
            return
        kept = [s for s in self._stays if s.left_at is None or s.left_at > now - _KEPT_S]
        self._stays = tuple(kept[-_MOST:])
        self._told = False

    async def save(self) -> None:
        """Write down what is new.

        Raises:
            StoreError: It cannot be written; it is tried again at the next call.
        """
        if not self._told:
            await self._settings.put(_NAME, _KEPT.dump_json(self._stays).decode())
            self._told = True


def under_way(stays: Sequence[Stay], device: str) -> Stay | None:
    """Return the stay of the car that is at a charger now; None if none is."""
    return next((s for s in stays if s.device == device and s.left_at is None), None)
