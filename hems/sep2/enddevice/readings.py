"""What is mirrored: usage points, their series, and the readings that wait to be posted."""

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hems.sep2 import resources as res

KEPT: Final = 5000
"""Readings of one series that wait at most: at one a minute, those of three days."""


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """A series of readings; codes are those of the schema's ReadingType.

    Attributes:
        mrid: Its mRID, stable over restarts, at most 32 hex digits.
        description: For the utility, at most 32 characters.
        uom: Unit: 38 W, 63 var, 29 V, 33 Hz, 72 Wh.
        power_of_ten: Readings are whole numbers times ten to this.
        flow_direction: 1 forward (delivered to the home), 19 reverse; None where nothing flows.
        kind: 12 energy, 37 power; None for neither.
        accumulation: 4 delta, 9 summation (a register), 12 instantaneous.
        data_qualifier: 2 average, 12 normal.
        interval_s: Length of the intervals, None for single readings.
        phase: 128 / 64 / 32 for A / B / C, 129 / 65 / 33 to neutral; None for all together.
        latest: Only the last reading counts, as of a register; else each is posted.
        sure: Whether it is announced with its usage point; else with its first reading.
    """

    mrid: str
    description: str
    uom: int
    power_of_ten: int = 0
    flow_direction: int | None = 1
    kind: int | None = 37
    accumulation: int = 12
    data_qualifier: int = 2
    interval_s: int | None = None
    phase: int | None = None
    latest: bool = False
    sure: bool = True

    def announced(self) -> res.MirrorMeterReading:
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
                phase=self.phase,
                power_of_ten_multiplier=self.power_of_ten,
                uom=self.uom,
            ),
        )

    def reading(self, sample: "Sample", offset_s: float, local_id: int | None) -> res.Reading:
        """Return a sample as a reading, its time by the server's clock."""
        return res.Reading(
            local_id=local_id,
            value=round(sample.value * 10.0**-self.power_of_ten),
            time_period=res.DateTimeInterval(
                start=round(sample.start + offset_s), duration=sample.duration_s
            ),
        )


@dataclass(frozen=True, slots=True)
class MirrorSpec:
    """A mirror usage point.

    Attributes:
        mrid: Its mRID, stable over restarts.
        description: For the utility.
        series: What is measured there.
        role_flags: Bits of RoleFlagsType; 0 mirror, 1 premises aggregation point, 3 DER,
            6 sub-meter.
        post_s: Preferred seconds between posts; the server's own postRate wins.
    """

    mrid: str
    description: str
    series: Sequence[SeriesSpec]
    role_flags: int = 0b11
    post_s: int | None = None

    def usage_point(self, lfdi: str, announced: Iterable[SeriesSpec]) -> res.MirrorUsagePoint:
        """Return the resource that makes it, with some of its series."""
        return res.MirrorUsagePoint(
            mrid=self.mrid,
            description=self.description,
            role_flags=self.role_flags,
            service_category_kind=0,
            status=1,
            device_lfdi=lfdi,
            post_rate=self.post_s,
            mirror_meter_reading=tuple(s.announced() for s in announced),
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


class Samples:
    """Readings that wait to be posted, oldest first; the oldest give way when it is full."""

    def __init__(self, kept: int = KEPT) -> None:
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

    def latest(self, series: str) -> Sample | None:
        """Return the last reading of a series and let go of those before it; None if none waits."""
        queue = self._by_series.get(series)
        while queue and len(queue) > 1:
            queue.popleft()
        return queue[0] if queue else None

    def done(self, samples: Sequence[Sample]) -> None:
        """Let go of readings that the server has, or will never take."""
        for sample in samples:
            queue = self._by_series[sample.series]
            if queue and queue[0] is sample:
                queue.popleft()


def posted(
    series: SeriesSpec, batch: Sequence[Sample], offset_s: float, *, announce: bool
) -> res.MirrorMeterReading:
    """Return what tells readings of a series: one by itself if it is the latest, else a set.

    The same readings posted again, after a lost answer, carry the same mRID.

    Args:
        series: Whose readings they are.
        batch: At least one, oldest first.
        offset_s: Server's time less the home's.
        announce: Whether to say again what the series is.
    """
    head = series.announced() if announce else res.MirrorMeterReading(mrid=series.mrid)
    first, last = batch[0], batch[-1]
    if series.latest:
        return res.MirrorMeterReading(
            mrid=head.mrid,
            description=head.description,
            reading=series.reading(last, offset_s, None),
            reading_type=head.reading_type,
        )
    start = round(first.start + offset_s)
    end = round(last.start + offset_s) + last.duration_s
    name = f"{series.mrid} {first.start} {len(batch)}".encode()
    readings = tuple(series.reading(sample, offset_s, i) for i, sample in enumerate(batch))
    return res.MirrorMeterReading(
        mrid=head.mrid,
        description=head.description,
        mirror_reading_set=(
            res.MirrorReadingSet(
                mrid=hashlib.sha256(name).hexdigest()[:32].upper(),
                time_period=res.DateTimeInterval(start=start, duration=end - start),
                reading=readings,
            ),
        ),
        reading_type=head.reading_type,
    )
