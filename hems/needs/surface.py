"""What the page and the command line may see and ask of the needs. Plain frozen records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Protocol

from hems.needs.habits import Usual
from hems.needs.orders import CarWish


@dataclass(frozen=True, slots=True)
class CarView:
    """A car as shown.

    Attributes:
        device: Id of its charger.
        mode: How it is charged now: "now", "cheapest" or "solar".
        ready_at: When it has to be ready, UTC epoch seconds; None for no time.
        energy_wh: What it needs by then, as drawn since it was plugged in; None for as much as it
            usually takes.
        taken_wh: What it has drawn since; None while that is not known.
        usual_wh: What it usually takes; None while that is not known.
        ordered: Whether the owner asked for something beside the habit.
        until: When that ends, UTC epoch seconds; None for when the car is ready or unplugged.
        plugged: Whether a car is there; None while that is not known.
        habit_mode: How it is charged as a rule.
        habit_ready: When it has to be ready as a rule, by the home's clock ("07:00"); None for no
            time.
        habit_days: Days of the week on which it has to be, 0 for Monday.
        habit_wh: What it needs as a rule, Wh; None for as much as it usually takes.
        habit_told: Whether the habit was told on the page, and is not the one that is configured.
        leaves_at: When it is next expected to leave, as it usually does, UTC epoch seconds; None
            where it has no habit that is known.
    """

    device: str
    mode: str
    ready_at: float | None
    energy_wh: float | None
    taken_wh: float | None
    usual_wh: float | None
    ordered: bool
    until: float | None
    plugged: bool | None = None
    habit_mode: str = ""
    habit_ready: str | None = None
    habit_days: Sequence[int] = ()
    habit_wh: float | None = None
    habit_told: bool = False
    leaves_at: float | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """An appliance as shown.

    Attributes:
        device: Id of its switch.
        length_s: How long a run takes, s.
        asked: Whether a run was asked for that is not over.
        earliest: When it may begin, UTC epoch seconds; None where none was asked for.
        ready_by: When it has to be done; None likewise.
        ends_at: When the run that has begun is over; None while it waits.
    """

    device: str
    length_s: float
    asked: bool
    earliest: float | None
    ready_by: float | None
    ends_at: float | None


@dataclass(frozen=True, slots=True)
class NeedsView:
    """All needs."""

    cars: Sequence[CarView] = ()
    runs: Sequence[RunView] = ()


class NeedsSurface(Protocol):
    """What can be asked of the needs."""

    def needs(self) -> NeedsView:
        """Return what is wanted; cheap, no I/O."""
        ...

    async def order_car(self, device: str, wish: CarWish) -> None:
        """Take what the owner asks of a car, in place of anything before.

        Raises:
            UnknownDeviceError: There is no such charger.
            ImpossibleWishError: It makes no sense.
        """
        ...

    async def end_car_order(self, device: str) -> None:
        """Go back to the car's habit; nothing happens if nothing was asked.

        Raises:
            UnknownDeviceError: There is no such charger.
        """
        ...

    async def accustom_car(self, device: str, usual: Usual | None) -> None:
        """Charge a car by another habit as a rule; None for what is configured.

        Raises:
            UnknownDeviceError: There is no such charger.
            ImpossibleWishError: It makes no sense.
        """
        ...

    async def ask_run(
        self, device: str, ready_by: time | float | None, earliest: float | None = None
    ) -> None:
        """Ask for a run of an appliance, in place of one that has not begun.

        Args:
            device: Its id.
            ready_by: When it has to be done, by the home's clock or in UTC epoch seconds; None for
                the appliance's habit.
            earliest: When it may begin, UTC epoch seconds; None for now.

        Raises:
            UnknownDeviceError: There is no such appliance.
            ImpossibleWishError: It makes no sense, or a run has begun.
        """
        ...

    async def cancel_run(self, device: str) -> None:
        """Take back what was asked of an appliance; one that runs is left to itself.

        Raises:
            UnknownDeviceError: There is no such appliance.
        """
        ...
