"""The test move of a device: what the running hub and the commands do alike."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from der.model import Control, DeviceSpec
from der.sentence import say
from der.service import Handle
from hems.device_surface import MoveOutcome
from hems.on_demand import load, on_demand

if TYPE_CHECKING:
    from der.commissioning import move
    from der.commissioning.judge import Verdict
    from der.commissioning.move import Progress
else:  # a device is tested when it is added, and seldom again
    move = on_demand("der.commissioning.move")


def quiet(_share: float, _words: str) -> None:
    """Tell nobody how far a move is."""


def untestable(spec: DeviceSpec) -> str | None:
    """Return why a device has no test move; None if it has one."""
    if spec.control is Control.NONE:
        return say(
            "{id}: a {kind} is only read: there is nothing to move", id=spec.id, kind=spec.kind
        )
    return None


async def moved(
    device: Handle,
    meter: Handle | None,
    now: Callable[[], float],
    *,
    move_s: float,
    progress: "Progress" = quiet,
) -> MoveOutcome:
    """Do the test move; arguments as for `der.commissioning.move.run`."""
    await load(move)
    return outcome(await move.run(device, meter, now, progress, move_s=move_s))


def outcome(verdict: "Verdict") -> MoveOutcome:
    """Return a verdict as it is shown."""
    return MoveOutcome(
        passed=verdict.passed,
        moved=verdict.moved,
        findings=tuple(finding.text for finding in verdict.findings),
        phases=verdict.phases,
    )
