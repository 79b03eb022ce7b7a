"""What the planner is told of the past: the store's means, each stretch once."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from hems.cem.planner.question import Role, Stretch
from hems.image import Image
from hems.planning.gather import held_back
from hems.store.history import History

STEP_S: Final = 900
"""Length of the planner's steps of time, s."""
FIRST_S: Final = 60 * 86400
"""How much of the past it is told at first."""
_SLICE_S: Final = 7 * 86400
"""The store is read in slices of this length, between which others have their turn."""
_LATE_S: Final = 15.0
"""The recorder writes samples so much later than they were taken, at most."""


class Chronicle:
    """Reads the past from the store for one planner process.

    Args:
        history: The store's.
        roles: What each device is to the balance of the home.
    """

    def __init__(self, history: History, roles: Mapping[str, Role]) -> None:
        self._history = history
        self._roles = roles
        self._held: dict[str, set[int]] = {}

    def take_image(self, image: Image) -> None:
        """Note which inverter is held back: what it gives then is not what it could."""
        step = math.floor(image.at / STEP_S)
        for state in image.devices.values():
            if held_back(state):
                marks = self._held.setdefault(state.spec.id, set())
                if step not in marks:
                    marks.add(step)
                    oldest = step - FIRST_S // STEP_S
                    marks.intersection_update([m for m in marks if m > oldest])

    async def since(self, start: float | None, now: float) -> tuple[tuple[Stretch, ...], float]:
        """Return what was measured since `start`, and the time up to which it goes.

        Args:
            start: Where the last answer ended, UTC epoch seconds; None for all that is told at
                first. That is told again if it lies ahead: the clock has been set back, and the
                planner may have forgotten what was too old by the wrong time.
            now: UTC epoch seconds.

        Raises:
            StoreError: The store cannot be read.
        """
        end = math.floor((now - _LATE_S) / STEP_S) * STEP_S
        first = end - FIRST_S
        begin = first if start is None or start > end else max(start, first)
        found: list[Stretch] = []
        while begin < end:
            until = min(begin + _SLICE_S, end)
            for series in await self._history.history(begin, until, STEP_S):
                role = self._roles.get(series.device)
                if role is not None and any(w is not None for w in series.power_w):
                    found.append(self._stretch(series.device, role, begin, series.power_w))
            begin = until
        return tuple(found), end

    def _stretch(
        self, device: str, role: Role, start: float, power_w: Sequence[float | None]
    ) -> Stretch:
        marks = self._held.get(device, set())
        first = round(start / STEP_S)
        held = tuple(first + i in marks for i in range(len(power_w))) if marks else ()
        return Stretch(
            device, role, start, tuple(math.nan if w is None else w for w in power_w), held
        )
