"""The cycle's side of grid support: what is measured, what devices can do, what they run for it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from der.model import DeviceSpec
from hems.cem.abilities import Abilities
from hems.cem.sensing import Senses, SensingPolicy
from hems.cem.station import Station
from hems.cem.support_lane import Supported, SupportLane
from hems.cem.supports import (
    Due,
    SupportMemory,
    SupportPolicy,
    Supports,
    Yielded,
    decide,
    refused_by,
    sentences,
)
from hems.clock import Clock
from hems.image import Image
from programs.inputs import Sensed
from programs.rules import PRODUCING
from programs.support import Place, SupportWish, What

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SupportEvents:
    """Whom it tells; none of them may block.

    Attributes:
        follow_clock: Moves what is remembered along where the clock was set.
        done: That a device was told something, and that this is news.
    """

    follow_clock: Callable[[], None]
    done: Callable[[Supported], None]


class Supporting:
    """Has the devices do what is asked for the grid.

    Args:
        clock: Where the time comes from.
        abilities: What the devices can do.
        tell: See `SupportEvents`.
        policy: The arbiter's times.
        sensing: How what is measured is followed.
    """

    def __init__(
        self,
        clock: Clock,
        abilities: Abilities,
        tell: SupportEvents,
        policy: SupportPolicy | None = None,
        sensing: SensingPolicy | None = None,
    ) -> None:
        self.abilities = abilities
        self._clock = clock
        self._tell = tell
        self._policy = policy or SupportPolicy()
        self._sensing = sensing or SensingPolicy()
        self._senses = Senses()
        self._present = Supports({}, (), (), SupportMemory())

    def lane(self, device: str) -> SupportLane:
        """Return how a device is told."""
        return SupportLane(device, self._clock, self.abilities, self._on_done)

    @property
    def sensed(self) -> Sensed:
        """What is measured of the grid."""
        return self._senses.sensed

    @property
    def yielded(self) -> Sequence[Yielded]:
        """The wishes that gave way to others."""
        return self._present.yielded

    @property
    def sentences(self) -> Mapping[str, Sequence[str]]:
        """What each device runs or holds for the grid, by id, one sentence each."""
        return sentences(self._present)

    @property
    def refusals(self) -> Mapping[str, str]:
        """Why devices do not take what they are told, in words, by id."""
        return {key[0]: t.why for key, t in self._present.memory.troubles.items()}

    def nobody_takes(self, due: Due, specs: Iterable[DeviceSpec]) -> bool:
        """Return whether all devices refuse what an event asks, and the hub has no other way.

        For a device without a function of active power it bounds that power itself.

        Args:
            due: What one of them was told last.
            specs: The home's devices.
        """
        refusing = refused_by(self._present, due.cause, due.place)
        others = [s for s in specs if s.control in PRODUCING and s.min_w < 0]
        elsewhere = any(spec.id not in refusing for spec in others)
        return bool(refusing) and (due.place is Place.REACTIVE or not elsewhere)

    def held(self, device: str) -> Sequence[What]:
        """Return what a device has confirmed that it runs or holds."""
        return [h.what for key, h in self._present.memory.held.items() if key[0] == device]

    def take_image(self, image: Image) -> None:
        """Follow what is measured."""
        self._senses = self._senses.look(image, self._sensing)

    def decide(
        self,
        wishes: Sequence[SupportWish],
        stations: Mapping[str, Station],
        now: float,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Decide, and have told what has to be told; nothing waits for it.

        Args:
            wishes: What is asked.
            stations: By device id.
            now: UTC epoch seconds.
            tasks: Where the telling runs.
        """
        reachable = [name for name, station in stations.items() if station.supports]
        memory = self._present.memory
        self._present = decide(wishes, memory, reachable, now, self._policy)
        for due in self._present.due:
            stations[due.device].support(due, now, tasks)

    def shift(self, by_s: float) -> None:
        """Move what is remembered by as much as UTC was set, in s."""
        self._senses = self._senses.shifted(by_s)
        self._remember(self._present.memory.shifted(by_s))

    def doubt(self, device: str) -> None:
        """Doubt what a device holds: it was away."""
        self._remember(self._present.memory.doubted(device))

    def _remember(self, memory: SupportMemory) -> None:
        now = self._present
        self._present = Supports(now.chosen, now.yielded, now.due, memory)

    def _on_done(self, told: Supported) -> None:
        self._tell.follow_clock()
        due, memory = told.due, self._present.memory
        if told.error is None:
            self._remember(memory.confirmed(due.key, due.what, due.lapse_s, told.at))
            self._tell.done(told)
            return
        before = memory.troubles.get(due.key)
        self._remember(
            memory.failed(
                due.key, due.what, told.error, told.at, lasting=told.lasting, policy=self._policy
            )
        )
        if before is None or before.why != told.error:
            _log.warning("%s", told.error)
            self._tell.done(told)
