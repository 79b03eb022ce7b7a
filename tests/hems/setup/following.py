"""A running home that takes up what its devices file holds, and can be told to be difficult."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hems.device_surface import DeviceDetail, MoveOutcome, UnknownDeviceError
from hems.settings.config import load
from hems.setup.found_surface import Joining
from hems.setup.joining import Progress, quiet
from hems.surface import SurfaceError

CAR = Joining(
    "Wallbox",
    given={"kind": "evse", "driver": "ocpp16", "station": "garage", "max": "7400 W"},
)


@dataclass
class FollowingHome:
    """A `hems.setup.joining.RunningHome` over a real devices file."""

    path: Path
    outcome: MoveOutcome = field(
        default_factory=lambda: MoveOutcome(passed=True, moved=True, phases=("B",))
    )
    refuses: SurfaceError | None = None
    stays_in_test: bool = False
    moves: list[str] = field(default_factory=list)
    given_back: int = 0

    async def device(self, device: str) -> DeviceDetail:
        for section in load(self.path).device:
            if section.id == device:
                return DeviceDetail(
                    section.id,
                    section.name,
                    section.kind,
                    section.driver,
                    section.min,
                    section.max,
                    section.essentiality,
                    section.ownership,
                    address="here",
                    quality="good",
                )
        raise UnknownDeviceError(device)

    async def test(self, device: str, move_s: float, progress: Progress = quiet) -> MoveOutcome:
        del move_s
        self.moves.append(device)
        progress(0.5, "take 1 kW")
        if self.refuses is not None:
            raise self.refuses
        try:
            while self.stays_in_test:  # noqa: ASYNC110 - the test sets it from outside
                await asyncio.sleep(0.01)
        finally:
            self.given_back += 1
        return self.outcome

    async def alarms(self) -> Sequence[str]:
        return ()
