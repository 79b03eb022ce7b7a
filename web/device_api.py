"""Single devices under /api: each operation is one call of the surface."""

from collections.abc import Callable, Mapping, Sequence

from hems.access.rights import Right
from hems.device_surface import DeviceSurface
from hems.emg.firmware.judge import Verdict
from web.device_models import (
    CallerAnswer,
    CallersAnswer,
    DeviceDetailAnswer,
    MoveOutcomeAnswer,
    MoveQuery,
)
from web.operation import Operation
from web.words import LANGUAGE, tell


class DeviceApi:
    """What can be asked of single devices, under /api.

    Args:
        surface: They.
        verdicts: Returns what is thought of their firmware, by their ids.
    """

    def __init__(
        self, surface: DeviceSurface, verdicts: Callable[[], Mapping[str, Verdict]] = dict
    ) -> None:
        self._surface = surface
        self._verdicts = verdicts

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [
            Operation("GET", "/api/devices/{device}", cls.device, Right.SEE),
            Operation("POST", "/api/devices/{device}/test", cls.test, Right.SET_UP),
            Operation("GET", "/api/callers", cls.callers, Right.SET_UP),
        ]

    async def device(self, device: str) -> DeviceDetailAnswer:
        """Return all that is known of a device."""
        answer = DeviceDetailAnswer.model_validate(await self._surface.device(device))
        verdict = self._verdicts().get(device)
        if verdict is None:
            return answer
        words = tell(verdict.words, LANGUAGE.get())  # a copy is not validated, hence not told
        firmware = {"firmware_standing": verdict.standing.value, "firmware_words": words}
        return answer.model_copy(update=firmware)

    async def test(self, device: str, query: MoveQuery) -> MoveOutcomeAnswer:
        """Make a test move with a device; what it has shown, when it is over."""
        return MoveOutcomeAnswer.model_validate(await self._surface.test(device, query.move_s))

    async def callers(self) -> CallersAnswer:
        """Return the chargers that have called in of late."""
        callers = self._surface.callers()
        answers = [CallerAnswer.model_validate(each) for each in callers or ()]
        return CallersAnswer(listening=callers is not None, callers=answers)
