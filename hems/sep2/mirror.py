"""Metering mirror: usage points that this home keeps up at the server.

A usage point is looked for by its mRID before it is made, so that a restart makes no second one.
Readings wait in memory, bounded, until the server has them; the durable history is the store's.
"""

import asyncio
import contextlib
import hashlib
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.backoff import after_failure
from hems.sep2.errors import NotFoundError, RejectedError, Sep2Error
from hems.sep2.http import Transport
from hems.sep2.troubles import Troubles

_log = logging.getLogger(__name__)

DEFAULT_POST_S: Final = 900.0
_KEPT: Final = 5000
_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """A series of readings; codes are those of the schema's ReadingType.

    Attributes:
        mrid: Its mRID, stable over restarts, at most 32 hex digits.
        description: For the utility, at most 32 characters.
        uom: Unit: 38 W, 63 var, 29 V, 33 Hz, 72 Wh.
        power_of_ten: Readings are whole numbers times ten to this.
        flow_direction: 1 forward (delivered to the home), 19 reverse.
        kind: 12 energy, 37 power.
        accumulation: 3 cumulative, 4 delta, 12 instantaneous.
        data_qualifier: 2 average, 12 normal.
        interval_s: Length of the intervals, None for single readings.
    """

    mrid: str
    description: str
    uom: int
    power_of_ten: int = 0
    flow_direction: int = 1
    kind: int = 37
    accumulation: int = 12
    data_qualifier: int = 2
    interval_s: int | None = None

    def meter_reading(self) -> res.MirrorMeterReading:
        """Return the series without readings."""
        return res.MirrorMeterReading(
            mrid=self.mrid,
            description=self.description,
            reading_type=res.ReadingType(
                accumulation_behaviour=self.accumulation,
                commodity=1,
                data_qualifier=self.data_qualifier,
                flow_direction=self.flow_direction,
                interval_length=self.interval_s,
                kind=self.kind,
                power_of_ten_multiplier=self.power_of_ten,
                uom=self.uom,
            ),
        )


@dataclass(frozen=True, slots=True)
class MirrorSpec:
    """A mirror usage point.

    Attributes:
        mrid: Its mRID, stable over restarts.
        description: For the utility.
        series: What is measured there.
        role_flags: Bits of RoleFlagsType; 0 mirror, 1 premises aggregation point, 3 DER.
        post_s: Preferred seconds between posts; the server's own postRate wins.
    """

    mrid: str
    description: str
    series: Sequence[SeriesSpec]
    role_flags: int = 0b11
    post_s: int | None = None

    def usage_point(self, lfdi: str) -> res.MirrorUsagePoint:
        """Return the resource that makes it."""
        return res.MirrorUsagePoint(
            mrid=self.mrid,
            description=self.description,
            role_flags=self.role_flags,
            service_category_kind=0,
            status=1,
            device_lfdi=lfdi,
            post_rate=self.post_s,
            mirror_meter_reading=tuple(s.meter_reading() for s in self.series),
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """A reading of a series.

    Attributes:
        series: mRID of the series.
        start: Begin of its interval, UTC epoch seconds of the home's clock.
        duration_s: Length of its interval.
        value: In the series' unit.
    """

    series: str
    start: float
    duration_s: int
    value: float


class Mirror:
    """Keeps one usage point up at the server.

    Args:
        spec: What to mirror.
        lfdi: The home's own LFDI.
        transport: Way to the server.
        offset_s: Returns the server's time less the home's.
        rng: For jitter.
        troubles: What goes wrong now.
        least_post_s: No more frequent posts, whatever the server says.
        on_contact: Told after each answer of the server.
    """

    def __init__(
        self,
        spec: MirrorSpec,
        lfdi: str,
        transport: Transport,
        offset_s: Callable[[], float],
        rng: random.Random,
        *,
        troubles: Troubles,
        samples: "Samples",
        least_post_s: float = 1.0,
        on_contact: Callable[[], None] = lambda: None,
    ) -> None:
        self._spec = spec
        self._lfdi = lfdi
        self._transport = transport
        self._offset_s = offset_s
        self._rng = rng
        self._troubles = troubles
        self._samples = samples
        self._least_post_s = least_post_s
        self._on_contact = on_contact
        self._list: str | None = None
        self._href: str | None = None
        self._post_s = float(spec.post_s or DEFAULT_POST_S)
        self._wake = asyncio.Event()

    def use(self, href: str | None) -> None:
        """Set the server's MirrorUsagePointList; None if it offers none."""
        if href != self._list:
            self._list, self._href = href, None
            self._wake.set()

    async def run(self) -> None:
        """Post readings at the post rate; never returns."""
        failures = 0
        name = f"mirror {self._spec.description}"
        while True:
            self._wake.clear()
            try:
                await self.post()
            except Sep2Error as error:
                failures += 1
                if isinstance(error, NotFoundError | RejectedError):
                    self._href = None  # it may be gone: look for it anew
                if self._troubles.meet(name, error):
                    _log.warning("%s: %s", name, error)
                wait_s = after_failure(failures, error, self._rng, longest_s=self._post_s)
            else:
                failures = 0
                self._troubles.over(name)
                wait_s = max(self._least_post_s, self._post_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def post(self) -> None:
        """Post all readings that wait.

        Raises:
            Sep2Error: Something could not be posted; it waits on.
        """
        if self._list is None:
            return
        if self._href is None:
            self._href = await self._find_or_make(self._list)
        for series in self._spec.series:
            while batch := self._samples.waiting(series.mrid, _BATCH):
                await self._transport.post(self._href, self._readings(series, batch))
                self._on_contact()
                self._samples.done(batch)

    async def _find_or_make(self, href: str) -> str:
        listed = await self._transport.get_list(href, res.MirrorUsagePointList)
        wanted = self._spec.mrid.upper().zfill(32)
        for point in listed.mirror_usage_point:
            if point.href is not None and point.mrid.upper().zfill(32) == wanted:
                self._post_s = float(point.post_rate or self._post_s)
                return point.href
        location = await self._transport.post(href, self._spec.usage_point(self._lfdi))
        if location is None:
            raise NotFoundError(f"{self._transport.host}{href}: a new usage point got no Location")
        made = await self._transport.get(location, res.MirrorUsagePoint)
        self._post_s = float(made.post_rate or self._post_s)
        return location

    def _readings(self, series: SeriesSpec, batch: Sequence[Sample]) -> res.MirrorMeterReading:
        offset_s = self._offset_s()
        readings = tuple(
            res.Reading(
                value=round(sample.value * 10.0**-series.power_of_ten),
                time_period=res.DateTimeInterval(
                    start=round(sample.start + offset_s), duration=sample.duration_s
                ),
            )
            for sample in batch
        )
        first, last = batch[0], batch[-1]
        start = round(first.start + offset_s)
        end = round(last.start + offset_s) + last.duration_s
        # The same readings posted again, after a lost answer, carry the same mRID.
        name = f"{series.mrid} {first.start} {len(batch)}".encode()
        return res.MirrorMeterReading(
            mrid=series.mrid,
            mirror_reading_set=(
                res.MirrorReadingSet(
                    mrid=hashlib.sha256(name).hexdigest()[:32].upper(),
                    time_period=res.DateTimeInterval(start=start, duration=end - start),
                    reading=readings,
                ),
            ),
        )


class Samples:
    """Readings that wait to be posted, oldest first; the oldest give way when it is full."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._by_series: dict[str, deque[Sample]] = {}

    def add(self, sample: Sample) -> None:
        """Let a reading wait."""
        queue = self._by_series.setdefault(sample.series, deque(maxlen=self._kept))
        queue.append(sample)

    def waiting(self, series: str, most: int) -> Sequence[Sample]:
        """Return up to `most` readings of a series that wait."""
        queue = self._by_series.get(series, ())
        return [sample for sample, _ in zip(queue, range(most), strict=False)]

    def done(self, samples: Sequence[Sample]) -> None:
        """Let go of readings that the server has."""
        for sample in samples:
            queue = self._by_series[sample.series]
            if queue and queue[0] is sample:
                queue.popleft()
