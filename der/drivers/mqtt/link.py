"""A device behind the broker as a link: its reading, its set-points, its commands."""

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Final

from der.addresses import MqttAddress
from der.commands import (
    Ability,
    Command,
    Connect,
    DeviceOptions,
    Disconnect,
    FirmwareVersion,
    Identify,
    Options,
    Reset,
)
from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.mqtt import keepsake
from der.drivers.mqtt.broker import Broker
from der.drivers.mqtt.keepsake import Keepsake
from der.drivers.mqtt.points import Facts, Message, Settings
from der.drivers.mqtt.profiles import profile_of
from der.drivers.mqtt.twin import Pending, Twin
from der.errors import PermanentError, TransientError
from der.model import Connection, Control, Expiry, Reading, Safeguard, Setpoint
from der.service import A, unsupported

_log = logging.getLogger(__name__)

Heard = asyncio.Queue[Facts]

_SHARE: Final = 0.8
"""Of the device's deadline, after which a call gives up by itself: it can say what was missing."""
_ASK_SHARE: Final = 1 / 3
"""A device is asked when its power is older than this share of `max_age_s`."""
_LEAST_ASK_S: Final = 1.0


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what connects to an MQTT device.

    Raises:
        PermanentError: The description has no MQTT address, or one that cannot be right.
    """
    spec, address = description.spec, description.at
    if not isinstance(address, MqttAddress) or not isinstance(service, Broker):
        raise PermanentError(f"{spec.id}: an MQTT device needs an MqttAddress and the broker")
    twin = Twin(spec, profile_of(spec, address), now, inverted=description.inverted)
    service.add(twin)
    return partial(connect, twin, service, description.deadline_s)


async def connect(twin: Twin, broker: Broker, deadline_s: float = 2.0) -> "MqttLink":
    """Return a link to a device.

    Raises:
        TransientError: The broker is away, or the device is said to be offline.
    """
    await broker.until_up(twin.spec.id, deadline_s * _SHARE)
    twin.check_online()
    return MqttLink(twin, broker, deadline_s * _SHARE)


class MqttLink:
    """A device behind the broker; made by `connect`.

    A device that sleeps (`DeviceSpec.sleep`) is told at its next wake: `write` hands what it has
    to do to the broker and returns; it is told again each time it is heard, until its own state
    confirms. Only when its wake period has passed without that do `read` and the next `write`
    raise TransientError. Until it confirms, its reading shows no limit.
    """

    def __init__(self, twin: Twin, broker: Broker, within_s: float) -> None:
        self._twin = twin
        self._broker = broker
        self._within_s = within_s
        self._asked_at = -math.inf

    @property
    def connection(self) -> Connection:
        """Who it is, as far as it has told."""
        return self._twin.connection

    @property
    def safeguard(self) -> Safeguard:
        """What becomes of it when the hub falls silent."""
        return self._twin.profile.safeguard

    async def read(self) -> Reading:
        """Return what it has told; ask it first, where its power is getting old.

        Raises:
            TransientError: The broker is away, or the device is, or it tells nothing usable.
        """
        twin, device = self._twin, self._twin.spec.id
        self._broker.check(device)
        twin.check_online()
        with twin.listening() as facts:
            await self._ask_if_due()
            if not twin.fresh and twin.spec.sleep is None:
                await self._until_fresh(facts)
        return twin.reading()

    async def write(self, setpoint: Setpoint | None) -> None:
        """Restrict the device, or give it back what its owner had set.

        A set-point below its rating opens its switch, or sets a thermostat back; `revert_w` is not
        used. What the owner had set is kept on the broker first.

        Raises:
            TransientError: The broker or the device is away, or the device did not confirm.
            PermanentError: The device refuses.
        """
        if setpoint is not None and setpoint.power_w < self._twin.spec.max_w:
            await self._restrict(setpoint.lapse_s)
        else:
            await self._release()

    async def ioctl(self, command: Command[A]) -> object:
        """Connect, disconnect, restart or name the device, or tell what it can do.

        Raises:
            RejectedError: The device has no such command.
            TransientError: As `write`.
            PermanentError: As `write`.
        """
        twin = self._twin
        match command:
            case Connect():
                await self._release()
                return "back to what its owner has set"
            case Disconnect(lapse_s):
                await self._restrict(lapse_s)
                return "off" if lapse_s is None else f"off for {lapse_s:g} s"
            case Reset():
                messages = twin.profile.restart()
                if not messages:
                    raise unsupported(twin.spec.id, command)
                await self._broker.publish(twin.spec.id, messages)
                return "told to restart"
            case Identify():
                return self.connection
            case FirmwareVersion():
                return self.connection.firmware
            case Options():
                return self._options()
            case _:
                raise unsupported(twin.spec.id, command)

    async def close(self) -> None:
        """Let go of the device; the connection to the broker stays."""

    async def _ask_if_due(self) -> None:
        """Ask the device for its values where they are getting old, and not too often."""
        age_s, due_s = self._twin.power_age_s(), self._twin.spec.max_age_s * _ASK_SHARE
        due_s = max(due_s, _LEAST_ASK_S)
        now = self._broker.now()
        old = age_s is None or age_s > due_s or not self._twin.fresh
        if old and not 0 <= now - self._asked_at < due_s:
            self._asked_at = now
            await self._broker.publish(self._twin.spec.id, self._twin.profile.ask())

    async def _until_fresh(self, facts: Heard) -> None:
        """Wait for what was asked; what is missing in the end, the reading says."""
        device = self._twin.spec.id
        try:
            async with self._broker.standing(device, "nothing told", self._within_s):
                while not self._twin.fresh:
                    await facts.get()
                    self._twin.check_online()
        except TransientError:
            self._broker.check(device)
            self._twin.check_online()

    async def _restrict(self, lapse_s: float | None) -> None:
        twin = self._twin
        await self._known()
        own = twin.own
        twin.follow_clock()
        ends_at = math.inf
        if lapse_s is not None and self.safeguard.expiry is not Expiry.GUARD:
            ends_at = self._broker.now() + lapse_s
        kept = Keepsake(own, ends_at)
        await self._broker.publish(twin.spec.id, [keepsake.message(twin.spec.id, kept)])
        twin.kept = kept
        await self._tell(twin.profile.restrict(own, lapse_s), twin.profile.restricted)

    async def _release(self) -> None:
        twin = self._twin
        if twin.kept is None:
            return  # it is as its owner has it
        own = twin.own
        await self._tell(
            twin.profile.release(own),
            lambda settings: twin.profile.released(settings, own),
            keepsake.message(twin.spec.id, None),
        )
        if twin.pending is None:
            twin.kept = None

    async def _known(self) -> None:
        """Return once it is known what the device is set to: that must not be lost."""
        twin, device = self._twin, self._twin.spec.id
        self._broker.check(device)
        twin.check_online()
        if twin.settings or twin.kept is not None:
            return
        with twin.listening() as facts:
            await self._broker.publish(device, twin.profile.ask())
            what = f"{twin.profile.values}: what it is set to was not told"
            async with self._broker.standing(device, what, self._within_s):
                while not twin.settings:
                    await facts.get()

    async def _tell(
        self,
        messages: Sequence[Message],
        taken: Callable[[Settings], bool],
        after: Message | None = None,
    ) -> None:
        """Tell the device, and see that it takes it.

        Args:
            messages: What it is told; nothing where it is so already.
            taken: Whether its settings say that it has.
            after: What is published then.
        """
        twin, device = self._twin, self._twin.spec.id
        last = () if after is None else (after,)
        twin.follow_clock()
        twin.pending, before = None, twin.pending
        if twin.spec.sleep is not None and messages:
            since = self._broker.now()
            if before is not None and before.after == last:
                since = before.since  # the same again is no new beginning
            twin.pending = Pending((*messages,), taken, since, last)
            _log.info("%s: asleep; it will be told at its next wake", device)
            await self._broker.publish(device, messages)
            twin.check_pending()
            return
        with twin.listening() as facts:
            await self._broker.publish(device, messages)
            if messages:
                await self._until_taken(facts, taken, {message.call for message in messages})
        await self._broker.publish(device, last)

    async def _until_taken(
        self, facts: Heard, taken: Callable[[Settings], bool], calls: Collection[int]
    ) -> None:
        twin, device = self._twin, self._twin.spec.id
        what = f"{twin.profile.values}: it did not confirm what it was told"
        async with self._broker.standing(device, what, self._within_s):
            while True:
                told = await facts.get()
                twin.check_online()
                if told.refused and (told.call in calls or not told.call):
                    raise PermanentError(
                        f"{device}: {twin.profile.values}: it refuses: {told.refused}"
                    )
                said = told.settings and (told.answer or not twin.profile.answers)
                if said and taken(twin.settings):
                    return

    def _options(self) -> DeviceOptions:
        twin = self._twin
        if twin.spec.control is Control.NONE:
            return DeviceOptions(frozenset(), safeguard=self.safeguard)
        abilities = {Ability.POWER, Ability.CONNECT}
        if twin.profile.restart():
            abilities.add(Ability.RESET)
        topics = tuple(sorted(twin.profile.topics))
        return DeviceOptions(frozenset(abilities), safeguard=self.safeguard, details=topics)
