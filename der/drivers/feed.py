"""Devices whose readings somebody else brings, such as the utility's own meter over IEEE 2030.5.

Whoever has a reading puts it into the `Feed`; the device's link returns the newest.
"""

import math
from dataclasses import replace
from functools import partial

from der.addresses import FeedAddress, Shared
from der.commands import Command, DeviceOptions, FirmwareVersion, Identify, Options
from der.description import Connector, DeviceDescription, Now, Service
from der.errors import PermanentError, RejectedError, TransientError
from der.model import Connection, PhaseReading, Reading, Safeguard, Setpoint
from der.sentence import say
from der.service import A, unsupported

FEED_SERVICE = __name__
"""Name under which the registry keeps the feed."""


class Feed:
    """The newest reading of each source."""

    def __init__(self) -> None:
        self._newest: dict[str, Reading] = {}

    async def start(self) -> None:
        """Nothing has to be begun."""

    async def stop(self) -> None:
        """Forget what was brought: after a pause it is old."""
        self._newest.clear()

    def put(self, source: str, reading: Reading) -> None:
        """Take in a reading; one that is older than what is known, or no number, is let go of.

        Args:
            source: Who brings it, as in the device's address.
            reading: In the house's units and signs, dated by the home's clock.
        """
        known = self._newest.get(source)
        sound = math.isfinite(reading.power_w) and math.isfinite(reading.at)
        if sound and (known is None or reading.at >= known.at):
            self._newest[source] = reading

    def newest(self, source: str) -> Reading | None:
        """Return the newest reading of a source; None if it has brought none."""
        return self._newest.get(source)


def service(shared: Shared, now: Now) -> Feed:
    """Return a feed without readings."""
    del shared, now
    return Feed()


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what connects a device to its source.

    Raises:
        PermanentError: The description names no source.
    """
    if not isinstance(description.at, FeedAddress) or not isinstance(service, Feed):
        raise PermanentError(f"{description.spec.id}: a fed device needs a source")
    return partial(_connect, description, description.at.source, service, now)


async def _connect(description: DeviceDescription, source: str, feed: Feed, now: Now) -> "FeedLink":
    return FeedLink(description, source, feed, now)


class FeedLink:
    """A device that is only told of."""

    def __init__(self, description: DeviceDescription, source: str, feed: Feed, now: Now) -> None:
        self._name = description.spec.id
        self._max_age_s = description.spec.max_age_s
        self._inverted = description.inverted
        self._source = source
        self._feed = feed
        self._now = now

    @property
    def connection(self) -> Connection:
        """Who brings the readings."""
        return Connection(self._source)

    @property
    def safeguard(self) -> Safeguard:
        """It takes nothing that would have to end."""
        return Safeguard()

    async def read(self) -> Reading:
        """Return the newest reading.

        Raises:
            TransientError: There is none, or it is old.
        """
        reading = self._feed.newest(self._source)
        if reading is None:
            raise TransientError(
                say("{id}: {source} has brought no reading yet", id=self._name, source=self._source)
            )
        if self._now() - reading.at > self._max_age_s:
            raise TransientError(
                say(
                    "{id}: {source} has brought nothing newer for more than {age:g} s",
                    id=self._name,
                    source=self._source,
                    age=self._max_age_s,
                )
            )
        return _turned(reading) if self._inverted else reading

    async def write(self, setpoint: Setpoint | None) -> None:
        """Refuse: there is nobody to be told.

        Raises:
            RejectedError: Always.
        """
        raise RejectedError(f"{self._name}: a device that is fed takes no set-point ({setpoint})")

    async def ioctl(self, command: Command[A]) -> object:
        """Say who brings the readings; nothing else can be asked."""
        match command:
            case Identify():
                return self.connection
            case FirmwareVersion():
                return ""
            case Options():
                return DeviceOptions(frozenset(), details=(f"readings from {self._source}",))
            case _:
                raise unsupported(self._name, command)

    async def close(self) -> None:
        """Nothing has to be ended."""


def _turned(reading: Reading) -> Reading:
    """Return a reading of a meter that counts the other way round."""
    return replace(
        reading,
        power_w=-reading.power_w,
        reactive_var=None if reading.reactive_var is None else -reading.reactive_var,
        energy_import_wh=reading.energy_export_wh,
        energy_export_wh=reading.energy_import_wh,
        phases=tuple(
            PhaseReading(None if p.power_w is None else -p.power_w, p.voltage_v)
            for p in reading.phases
        ),
    )
